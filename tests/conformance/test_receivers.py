"""The table of outcomes of every receiver: yes only when it is on disk, and whatever fails harms nothing later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from messaging.config.env import read
from messaging.errors import Busy, Rejected, Unavailable
from messaging.mail.smtp.listener import MailReceiver
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import DeadLetter, DeviceReport, Inbound, Message, Receipt
from messaging.satellite.account import (
    ListeningAccount,
    MailedAccount,
    SatelliteAccount,
    WebhookAccount,
)
from messaging.satellite.mailbox import SatelliteMailbox
from messaging.satellite.poller import PolledAccount, SatellitePoller
from messaging.satellite.tcp_listener import SatelliteListener
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from messaging.sms.fetcher import FetchedAccount, SmsFetcher
from messaging.web.webhook_routes import routes
from tests.conformance.stand import SECRET, TEXT, Stand
from tests.conformance.stands import LISTS, STANDS, stands_with
from tests.support.eventually import eventually
from tests.support.sms.fetching import Lease

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
every_source = pytest.mark.parametrize("stand", [*STANDS, *LISTS], indirect=True)


@dataclass
class Router:
    """Commits what it is offered once per id, as the real one does, unless it is told to fail."""

    fails_with: dict[type, Exception] = field(default_factory=dict)
    committed: dict[str, Inbound] = field(default_factory=dict)
    offered: int = 0

    async def emit(self, record: Inbound) -> None:
        self.offered += isinstance(record, Message)
        await asyncio.sleep(0)
        if error := self.fails_with.get(type(record)):
            raise error
        assert isinstance(record, Message | DeadLetter | DeviceReport | Receipt)
        self.committed.setdefault(record.id, record)

    def texts(self) -> list[str]:
        return [r.text for r in self.committed.values() if isinstance(r, Message)]

    def undeliverable(self) -> list[DeadLetter]:
        return [r for r in self.committed.values() if isinstance(r, DeadLetter)]


@asynccontextmanager
async def receiving(stand: Stand, router: Router) -> AsyncIterator[str]:
    """Run the source of the account, whichever kind it is, and tell the network where it is.

    Yields the URL of its webhook, empty without one.
    """
    account = stand.account
    if stand.fetch_store is not None:
        assert isinstance(account, FetchedAccount)
        stand.fetch_store.router.stored = router.committed
        fetcher = SmsFetcher(account, account.name, stand.fetch_store, Lease(), settle_seconds=0)
        async with _running(fetcher, router):
            yield ""
            assert SECRET not in repr(fetcher.status())
    elif isinstance(account, PolledAccount | ListeningAccount):
        source = (
            SatellitePoller(account, account.name)
            if isinstance(account, PolledAccount)
            else SatelliteListener(account, account.name)
        )
        async with _running(source, router):
            if isinstance(source, SatelliteListener):
                await eventually(lambda: bool(source.listening))
                stand.point_at(source.listening[0])
            yield ""
            assert SECRET not in repr(source.status())
    elif isinstance(account, MailedAccount):
        box = SatelliteMailbox(account, account.name)
        server = read(SmtpSettings, listen="127.0.0.1:0")
        receiver = MailReceiver(server, "example.org", mailboxes=[box])
        async with _mailed(receiver, router):
            await eventually(lambda: bool(receiver.addresses))
            stand.point_at(str(receiver.addresses[0]))
            yield ""
            assert SECRET not in repr(receiver.status())
    else:
        async with _served(stand, router) as url:
            yield url


@asynccontextmanager
async def _mailed(receiver: MailReceiver, router: Router) -> AsyncIterator[None]:
    task = asyncio.create_task(receiver.run(router.emit))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=20)


@asynccontextmanager
async def _running(
    source: SatellitePoller | SatelliteListener | SmsFetcher, router: Router
) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(router.emit))
    try:
        yield
    finally:
        async with asyncio.timeout(20):
            await source.drain()
            await task


@asynccontextmanager
async def _served(stand: Stand, router: Router) -> AsyncIterator[str]:
    account, app = stand.account, FastAPI()
    server = Serving(app)
    if isinstance(account, SatelliteAccount):
        assert isinstance(account, WebhookAccount)
        path = f"/satellite/{account.provider()}/{account.name}"
        app.include_router(routes({}, {account.name: account}, router.emit, server.url))
    else:
        path = f"/sms/{account.name}"
        app.include_router(routes({account.name: account}, {}, router.emit, server.url))
    with server:
        stand.point_at(server.url + path)
        yield server.url + path


async def uplink(stand: Stand, text: str) -> None:
    async with asyncio.timeout(30):
        await asyncio.to_thread(stand.uplink, text)


@every_source
async def test_what_was_accepted_is_on_disk_and_then_taken(stand: Stand) -> None:
    router = Router()
    async with receiving(stand, router):
        await uplink(stand, TEXT)
        await eventually(lambda: stand.taken() == 1)
    [text] = router.texts()
    assert TEXT in text
    [message] = [r for r in router.committed.values() if isinstance(r, Message)]
    assert message.via == stand.account.name
    assert router.undeliverable() == []


@every_source
async def test_what_the_router_rejects_is_kept_with_its_bytes_and_taken(stand: Stand) -> None:
    router = Router({Message: Rejected("the device is not registered here")})
    async with receiving(stand, router):
        await uplink(stand, TEXT)
        await eventually(lambda: stand.taken() == 1)
    [kept] = router.undeliverable()
    assert kept.reason == "the device is not registered here"
    assert kept.raw


FAILURES = {
    "unavailable": Unavailable("the store is away"),
    "busy": Busy("too many messages wait"),
    "bug": RuntimeError(f"{TEXT} {SECRET}"),
}


@every_source
@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES)
async def test_while_the_router_fails_nothing_is_taken_and_later_all_is_well(
    stand: Stand, error: Exception
) -> None:
    router = Router({Message: error})
    async with receiving(stand, router):
        await uplink(stand, TEXT)
        await eventually(lambda: router.offered > 0)
        await asyncio.sleep(0.1)
        assert stand.taken() == 0
        assert router.committed == {}
        router.fails_with = {}
        await uplink(stand, "after that")
        await eventually(lambda: any("after that" in text for text in router.texts()))
        await eventually(lambda: stand.taken() >= 1)


@every_source
async def test_what_comes_twice_is_one_message(stand: Stand) -> None:
    router = Router()
    async with receiving(stand, router):
        stand.faults(Faults(duplicate_rate=1))
        await uplink(stand, TEXT)
        await eventually(lambda: router.offered >= 2)
        stand.faults(Faults())
        await eventually(lambda: stand.taken() >= 1)
    assert len(router.texts()) == 1


@every_source
async def test_many_at_once_are_all_taken(stand: Stand) -> None:
    router = Router()
    async with receiving(stand, router):
        async with asyncio.timeout(60):
            await asyncio.gather(*(uplink(stand, f"text {n:02}") for n in range(20)))
        await eventually(lambda: stand.taken() == 20, 60)
    assert len(router.texts()) == 20


STRANGERS: dict[str, tuple[bytes, dict[str, str]]] = {
    "nothing": (b"", {}),
    "no JSON": (b"{", {"Content-Type": "application/json"}),
    "an object": (b'{"id": 1, "imei": "1"}', {"Content-Type": "application/json"}),
    "a form": (b"From=%2B15550002222&Body=hi", {"Content-Type": FORM}),
    "a wrong password": (b"[]", {"Authorization": "Basic YTpi"}),
    "a wrong token": (b"[]", {"Authorization": "Bearer a.b.c", "X-Twilio-Signature": "AAAA"}),
}


@pytest.mark.parametrize("stand", stands_with("a webhook"), indirect=True)
@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
async def test_a_stranger_is_refused_and_leaves_nothing(
    stand: Stand, stranger: tuple[bytes, dict[str, str]]
) -> None:
    router = Router()
    async with receiving(stand, router) as url:
        assert url
        content, headers = stranger
        async with httpx.AsyncClient(trust_env=False) as client:
            for path in ("", "/", "/a-guess", "/token"):
                answer = await client.post(url + path, content=content, headers=headers)
                assert answer.status_code in (401, 403)
                assert SECRET not in answer.text + repr(answer.headers)
    assert (router.offered, router.committed) == (0, {})
