"""A gateway's webhooks and a sender, both on real sockets, for tests with a simulated provider that calls back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from messaging.model.message import Delivery, Inbound, Outcome
from messaging.simulator.shared.serving import Serving
from messaging.sms.account import SmsAccount
from messaging.web.webhook_routes import routes
from tests.support.sms.sync_sender import SyncSender
from tests.support.sms.twilio_gateway import Router


@dataclass
class Live:
    """`router` keeps what the webhooks brought; `url` is the public URL."""

    router: Router
    account: SmsAccount
    url: str
    sender: SyncSender

    def send(self, *deliveries: Delivery) -> list[Outcome]:
        return self.sender.send(*deliveries)

    def brought(self, kind: type[Inbound]) -> list[Inbound]:
        return [one for one in self.router.all() if isinstance(one, kind)]


@contextmanager
def live(account: SmsAccount, public_url: str | None = None) -> Iterator[Live]:
    """The gateway of `account`; providers are told that it is at `public_url`, without one where it really is."""
    router, app = Router(), FastAPI()
    with Serving(app) as server:
        app.include_router(routes({account.name: account}, {}, router.emit, server.url))
        sender = SyncSender(account, server.url if public_url is None else public_url)
        try:
            yield Live(router, account, server.url, sender)
        finally:
            sender.close()
