"""A gateway for Garmin's posts, over sockets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from messaging.model.message import Message
from messaging.simulator.garmin.portal import Portal
from messaging.simulator.garmin.server import GarminSimulator
from tests.support.satellite.garmin_server import (
    IMEI,
    SOME_DEVICES,
    TOKEN,
    GarminServer,
    garmin_account,
    garmin_at,
    gateway_for,
)
from tests.support.sms.twilio_gateway import Router

BOB = "bob@example.net"


EVENT = {"Events": [{"imei": IMEI, "messageCode": 3, "freeText": "hi", "addresses": [BOB]}]}


SENT = {"X-Outbound-Auth-Token": TOKEN}


@dataclass
class Stage:
    garmin: GarminServer
    router: Router
    url: str

    def messages(self) -> list[Message]:
        return [one for one in self.router.all() if isinstance(one, Message)]


@contextmanager
def stage_for(portal: Portal | None = None, **settings: Any) -> Iterator[Stage]:
    account, router = garmin_account(**settings), Router()
    simulator = GarminSimulator(SOME_DEVICES, portal=portal or Portal(token=TOKEN))
    with garmin_at(simulator) as garmin, gateway_for(account, router) as url:
        garmin.portal(url=url)
        yield Stage(garmin, router, url)


def post(url: str, content: Any = EVENT, **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return client.post(url, content=body, headers=headers)
