"""The whole pipeline with a real store: what phones sent while the gateway was away arrives at the device, once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.gateway import Gateway
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Inbound
from messaging.pipeline import HTTP_IN
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import InboundText
from messaging.sms.providers.twilio.account import TwilioAccount
from messaging.store.console.directory import add_device, add_subscriber
from messaging.store.db.connection import close_connection, migrate_store, open_store
from messaging.store.models import FetchMark, OptOut
from messaging.streaming import InlineJob
from messaging.web.webhook_routes import routes
from tests.support.closed_port import closed_port
from tests.support.eventually import eventually
from tests.support.inline_gateway import ACCOUNT_SID, FRIEND, NUMBER, World, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def gateway(world: World, tmp_path: Path) -> Iterator[Gateway]:
    settings = read(
        Settings,
        database_url=SecretStr(f"sqlite:///{tmp_path}/store.sqlite3"),
        state_dir=tmp_path,
        mail_domain="example.org",
        due_poll_seconds=0.2,
    )
    open_store(settings)
    migrate_store()
    add_subscriber("boop", NUMBER)
    add_device("7", owner="boop", network="hive", networks=["hive"])
    with Serving(world.hive.app) as hive, Serving(world.twilio.app) as twilio, world.sink:
        yield Gateway(
            settings=settings,
            smtp=read(SmtpSettings, listen="127.0.0.1:0"),
            satellites={
                "hive": read(
                    HiveAccount,
                    url=f"{hive.url}/hive",
                    username="demo",
                    password=SecretStr("demo"),
                    poll_seconds=0.2,
                )
            },
            sms={
                "twilio": read(
                    TwilioAccount,
                    account_sid=ACCOUNT_SID,
                    auth_token=SecretStr("token"),
                    api_url=twilio.url,
                    fetch_minutes=0.005,
                )
            },
        )
    close_connection()


async def phone_texts(world: World, url: str, body: str, sid: str | None = None) -> bool:
    """Let a phone text the gateway; return whether the gateway took it."""
    inbound = InboundText.model_validate(
        {"from": FRIEND, "to": NUMBER, "body": body, "webhook_url": url, "sid": sid}
    )
    return not (await world.twilio.receive(inbound))[-1].failure


@contextmanager
def webhooks_of(job: InlineJob, gateway: Gateway) -> Iterator[str]:
    """Serve the webhooks of the gateway, whose job runs on this event loop."""
    loop, inlet = asyncio.get_running_loop(), job.inlet(HTTP_IN)

    async def emit(record: Inbound) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(inlet.emit(record), loop))

    app = FastAPI()
    server = Serving(app)
    app.include_router(routes(gateway.sms, {}, emit, server.url))
    with server:
        yield f"{server.url}/sms/twilio"


async def lists(world: World, more: int) -> None:
    """Wait for further requests for the list."""
    before = world.twilio.counts().get("list requests", 0)
    await eventually(lambda: world.twilio.counts().get("list requests", 0) >= before + more)


async def test_texts_of_an_absence_arrive_once(world: World, gateway: Gateway) -> None:
    async with running(gateway) as job:
        await lists(world, 1)
        with webhooks_of(job, gateway) as url:
            assert await phone_texts(world, url, "by webhook")
        await eventually(world.downlinks)
        await lists(world, 2)
        await job.drain()
    with closed_port() as nowhere:
        for number in range(3):
            assert not await phone_texts(world, f"{nowhere}/sms/twilio", f"missed {number}")
    async with running(gateway) as job:
        await eventually(lambda: len(world.downlinks()) >= 4)
        with webhooks_of(job, gateway) as url:
            last = world.twilio.incoming_texts()[-1]
            assert await phone_texts(world, url, last.body, last.sid)
        await lists(world, 2)
        await job.drain()
    wanted = ["by webhook", "missed 0", "missed 1", "missed 2"]
    assert world.downlinks() == [(FRIEND, text) for text in wanted]


async def test_the_first_start_takes_nothing_of_what_came_before(
    world: World, gateway: Gateway
) -> None:
    with closed_port() as nowhere:
        assert not await phone_texts(world, f"{nowhere}/sms/twilio", "of another program")
    mark = datetime.now(UTC) + timedelta(minutes=1)
    await asyncio.to_thread(
        FetchMark.objects.create, history=f"twilio {ACCOUNT_SID}", since=mark, until=mark
    )
    async with running(gateway) as job:
        await lists(world, 3)
        await job.drain()
    assert world.downlinks() == []


async def test_an_opt_out_that_was_taken_back_is_not_fetched_again(
    world: World, gateway: Gateway
) -> None:
    async with running(gateway) as job:
        await lists(world, 1)
        with webhooks_of(job, gateway) as url:
            assert await phone_texts(world, url, "STOP")
            assert await phone_texts(world, url, "START")
        await lists(world, 3)
        await job.drain()
        assert not await asyncio.to_thread(OptOut.objects.exists)
        assert job.operator("twilio-in").status()["fetched"] == 0
    assert world.downlinks() == []
