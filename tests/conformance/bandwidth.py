"""Bandwidth for the tables."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from messaging.config.env import read
from messaging.simulator.bandwidth.api import Account
from messaging.simulator.bandwidth.push import CallbackHabits
from messaging.simulator.bandwidth.server import BandwidthSimulator, InboundText
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from messaging.sms.providers.bandwidth.account import BandwidthAccount
from tests.conformance.stand import SECRET, Stand
from tests.support.closed_port import closed_port

OURS, PHONE = "+15550001111", "+15550002222"


def account_at(url: str, **changes: Any) -> BandwidthAccount:
    given = {
        "account_id": "9900000",
        "application_id": "demo",
        "client_id": "boop",
        "client_secret": SECRET,
        "username": "boop",
        "password": f"{SECRET}-that-is-not-used",
        "callback_username": "caller",
        "callback_password": f"{SECRET}-too",
        "timeout_seconds": 15,
        **changes,
    }
    token_url = f"{url}/api/v1/oauth2/token"
    return read(BandwidthAccount, api_url=f"{url}/api/v2", token_url=token_url, **given)


@contextmanager
def bandwidth() -> Iterator[Stand]:
    simulator = BandwidthSimulator(
        Account(
            account_id="9900000",
            application_id="demo",
            username="boop",
            password=SECRET,
            numbers=frozenset([OURS]),
        ),
        callbacks=CallbackHabits(username="caller", password=f"{SECRET}-too"),
    )
    taken: list[str] = []

    def uplink(text: str) -> None:
        inbound = InboundText.model_validate({"from": PHONE, "to": OURS, "text": text})
        tries = asyncio.run(simulator.receive(inbound))
        if not tries[-1].failure:
            taken.append(text)

    def set_faults(faults: Faults) -> None:
        simulator.faults = faults

    def point_at(url: str) -> None:
        simulator.callback_url = url

    with Serving(simulator.app) as server, closed_port() as nowhere:
        yield Stand(
            account=account_at(server.url),
            unreachable=account_at(nowhere),
            refused=account_at(server.url, client_secret=f"{SECRET}-but-wrong"),
            recipient=PHONE,
            faults=set_faults,
            arrived=lambda: len(simulator.outgoing_texts()),
            uplink=uplink,
            taken=lambda: len(taken),
            point_at=point_at,
        )
