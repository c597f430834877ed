"""A gateway's webhooks and a sender, both on real sockets, for tests with a simulated provider that calls back."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from messaging.model.message import Delivery, Inbound, Outcome
from messaging.simulator.shared.serving import Serving
from messaging.sms.account import SmsAccount
from messaging.sms.sender import SmsSender
from messaging.web.webhook_routes import routes
from tests.support.send_deliveries import outcomes_of
from tests.support.sms.twilio_gateway import Router


@dataclass
class Live:
    """`router` keeps what the webhooks brought; `url` is the public URL."""

    router: Router
    account: SmsAccount
    url: str
    sender: SmsSender

    def send(self, *deliveries: Delivery) -> list[Outcome]:
        return asyncio.run(outcomes_of(self.sender, *deliveries))

    def brought(self, kind: type[Inbound]) -> list[Inbound]:
        return [one for one in self.router.all() if isinstance(one, kind)]


@contextmanager
def live(account: SmsAccount) -> Iterator[Live]:
    router, app = Router(), FastAPI()
    with Serving(app) as server:
        app.include_router(routes({account.name: account}, {}, router.emit, server.url))
        sender = SmsSender(account, server.url)
        try:
            yield Live(router, account, server.url, sender)
        finally:
            sender.close()
