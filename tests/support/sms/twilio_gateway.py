"""A small gateway around the SMS part for tests: the routes on a real socket, and a router that does as it is told."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI

from messaging.model.message import Address, Delivery, Inbound, Message, Network, message_id
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.push import signature
from messaging.sms.providers.twilio.account import TwilioAccount
from messaging.web.webhook_routes import routes

SID = "AC" + "1" * 32
TOKEN = "token-that-nobody-may-see"
OURS = "+15550001111"
PHONE = "+15550002222"
FORM = {"MessageSid": "SM1", "From": PHONE, "To": OURS, "Body": "hello", "FromCity": ""}


def account(**given: object) -> TwilioAccount:
    fields = {"account_sid": SID, "auth_token": TOKEN, **given}
    return TwilioAccount(**fields)  # type: ignore[arg-type]


@dataclass
class Router:
    """Keeps what it is offered once per id, as the real one does, unless it is told to fail."""

    fails_with: dict[type, Exception] = field(default_factory=dict)
    stored: dict[str, Inbound] = field(default_factory=dict)

    async def emit(self, inbound: Inbound) -> None:
        error = self.fails_with.get(type(inbound))
        if error:
            raise error
        self.stored[getattr(inbound, "id", "")] = inbound

    def all(self) -> list[Inbound]:
        return list(self.stored.values())


PUBLIC_URL = "https://gateway.example/behind/a/proxy"


@contextlib.contextmanager
def serving(router: Router, used: TwilioAccount) -> Iterator[str]:
    """Serve the webhook; its public URL is not its own, as behind a proxy."""
    app = FastAPI()
    app.include_router(routes({used.name: used}, {}, router.emit, PUBLIC_URL))
    with Serving(app) as served:
        yield served.url


def post(url: str, form: dict[str, str], **changes: str) -> httpx.Response:
    """Post a form as Twilio does, signed for the public URL, with some headers changed; an empty one is left out."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signature(TOKEN, f"{PUBLIC_URL}/sms/twilio", list(form.items())),
    }
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    sent = {name: value for name, value in headers.items() if value}
    with httpx.Client(trust_env=False) as client:
        return client.post(f"{url}/sms/twilio", content=urlencode(form), headers=sent)


def delivery(text: str = "hello", **given: object) -> Delivery:
    """One attempt at a text from our number to a phone."""
    to = str(given.pop("to", PHONE))
    sender = str(given.pop("sender", OURS))
    seconds = given.pop("lease_seconds", 60.0)
    assert isinstance(seconds, float)
    message = Message(
        id=message_id("test", text, to),
        sender=Address(Network.SMS, sender),
        recipient=Address(Network.SMS, to),
        text=text,
        subject=str(given.pop("subject", "")),
        via="twilio",
    )
    fields = {"id": 1, "attempt": 1, **given}
    return Delivery(
        message=message,
        lease_until=datetime.now(UTC) + timedelta(seconds=seconds),
        **fields,  # type: ignore[arg-type]
    )
