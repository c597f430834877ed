"""Twilio for the tables."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from messaging.config.env import read
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import InboundText, TwilioSimulator
from messaging.sms.providers.twilio.account import TwilioAccount
from tests.conformance.stand import SECRET, Stand
from tests.support.closed_port import closed_port
from tests.support.sms.fetching import MemoryStore
from tests.support.sms.twilio_gateway import Router

OURS, PHONE = "+15550001111", "+15550002222"
SID = "AC" + "1" * 32


def account_at(url: str, **changes: Any) -> TwilioAccount:
    given = {
        "account_sid": SID,
        "auth_token": SECRET,
        "old_auth_token": f"{SECRET}-before",
        "timeout_seconds": 15,
        **changes,
    }
    return read(TwilioAccount, api_url=url, **given)


@contextmanager
def twilio() -> Iterator[Stand]:
    simulator = TwilioSimulator(SID, SECRET, numbers=[OURS])
    taken: list[str] = []

    def uplink(text: str) -> None:
        inbound = InboundText.model_validate({"from": PHONE, "to": OURS, "body": text})
        tries = asyncio.run(simulator.receive(inbound))
        if not tries[-1].failure:
            taken.append(text)

    def set_faults(faults: Faults) -> None:
        simulator.faults = faults

    def point_at(url: str) -> None:
        simulator.webhook_url = url

    with Serving(simulator.app) as server, closed_port() as nowhere:
        yield Stand(
            account=account_at(server.url),
            unreachable=account_at(nowhere),
            refused=account_at(server.url, auth_token=f"{SECRET}-but-wrong"),
            recipient=PHONE,
            faults=set_faults,
            arrived=lambda: len(simulator.outgoing_texts()),
            uplink=uplink,
            taken=lambda: len(taken),
            point_at=point_at,
        )


@contextmanager
def twilio_list() -> Iterator[Stand]:
    """Yield a Twilio whose webhooks reach nothing: its texts are fetched from the list."""
    # The store forgets, so every text is offered in every round, as a provider without acknowledgements would do.
    store = MemoryStore(Router(), is_forgetful=True)
    with twilio() as stand, closed_port() as nowhere:
        stand.point_at(f"{nowhere}/sms/twilio")
        account = stand.account.model_copy(update={"fetch_minutes": 0.001})
        taken = store.router.all
        yield replace(stand, account=account, taken=lambda: len(taken()), fetch_store=store)
