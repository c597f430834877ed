"""The real declaration, run in one process without Ray: every route, with real servers around it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import Rejected
from messaging.gateway import Gateway
from messaging.mail.authentication.settings import AuthenticationSettings
from messaging.mail.relay import Relay
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Address, Delivery, Network, OptOutChange
from messaging.pipeline import HTTP_IN, declare
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.simulator.shared.serving import Serving
from messaging.sms.providers.twilio.account import TwilioAccount
from messaging.store.console.directory import add_device, add_subscriber
from messaging.store.console.messages import list_messages
from messaging.store.console.selection import MessageFilter
from messaging.store.db.connection import close_connection, migrate_store, open_store
from messaging.streaming import Handover
from tests.support.eventually import eventually
from tests.support.inline_gateway import (
    ACCOUNT_SID,
    FRIEND,
    NUMBER,
    World,
    running,
    send_mail,
    text,
    uplink,
)

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
    add_subscriber("beep", None)
    add_device("7", owner="boop", network="hive", networks=["hive"])
    add_device("8", owner="beep", network="hive", networks=["hive"])
    with Serving(world.hive.app) as hive, Serving(world.twilio.app) as twilio, world.sink:
        yield Gateway(
            settings=settings,
            smtp=read(SmtpSettings, listen="127.0.0.1:0"),
            relay=read(Relay, url=SecretStr(world.sink.url)),
            authentication=AuthenticationSettings(authentication=False),
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
                )
            },
        )
    close_connection()


async def test_mail_goes_to_the_device(world: World, gateway: Gateway) -> None:
    async with running(gateway) as job:
        await asyncio.to_thread(send_mail, job, "Boop+tag@Example.ORG", "Hello", "See you")
        await eventually(world.downlinks)
        await job.drain()
    assert world.downlinks() == [("alice@example.net", "Hello\nSee you")]


async def test_a_device_writes_mail_and_texts(world: World, gateway: Gateway) -> None:
    uplink(world, 7, "alice@example.net", "We are fine")
    uplink(world, 7, FRIEND, "Back on Friday")
    async with running(gateway) as job:
        await eventually(lambda: world.sink.received and world.twilio.outgoing_texts())
        await job.drain()
    (mail,), (sms,) = world.sink.received, world.twilio.outgoing_texts()
    assert mail.recipients == ("alice@example.net",)
    assert mail.sender.startswith("boop+b.")  # where a bounce of it goes
    assert (sms.sender, sms.recipient, sms.body) == (NUMBER, FRIEND, "Back on Friday")
    assert world.hive.state.uplinks() == []


async def test_a_text_goes_to_the_device(world: World, gateway: Gateway) -> None:
    async with running(gateway) as job:
        inlet = job.inlet(HTTP_IN)
        await inlet.emit(text(FRIEND, NUMBER, "Bring fish"))
        await inlet.emit(text(FRIEND, NUMBER, "Bring fish"))
        await eventually(world.downlinks)
        await job.drain()
    assert world.downlinks() == [(FRIEND, "Bring fish")]


async def test_a_device_writes_to_another_subscriber_without_leaving(
    world: World, gateway: Gateway
) -> None:
    uplink(world, 7, "beep@example.org", "Race you")
    async with running(gateway) as job:
        await eventually(world.downlinks)
        await job.drain()
    assert world.downlinks() == [("boop@example.org", "Race you")]
    assert world.sink.received == []


async def test_who_said_stop_hears_nothing_more(world: World, gateway: Gateway) -> None:
    stop = OptOutChange(
        id="c" * 32,
        sender=Address(Network.SMS, FRIEND),
        recipient=Address(Network.SMS, NUMBER),
        allowed=False,
        via="twilio",
    )
    async with running(gateway) as job:
        await job.inlet(HTTP_IN).emit(stop)
        uplink(world, 7, FRIEND, "Are you there?")
        await eventually(lambda: not world.hive.state.uplinks())
        await eventually(world.downlinks)
        await job.drain()
        rows = await asyncio.to_thread(list_messages, MessageFilter())
    assert world.twilio.outgoing_texts() == []
    ((_, told),) = world.downlinks()
    assert told.startswith(f"Not sent: {FRIEND}: the recipient asked not to get messages")
    (row,) = [one for one in rows if one.sender != ""]
    assert row.state == "undeliverable"
    assert "asked not to get messages" in row.reason


async def test_a_step_of_the_owners_sees_what_leaves_and_what_it_refuses_is_settled(
    world: World, gateway: Gateway
) -> None:
    steps = "tests.support.user_operators.refuse_spam,tests.support.user_operators.crash,examples.place_codes.shorten"
    stepped = replace(gateway, settings=gateway.settings.model_copy(update={"steps": steps}))
    async with running(stepped) as job:
        await job.inlet(HTTP_IN).emit(text(FRIEND, NUMBER, "spam", "1"))
        await job.inlet(HTTP_IN).emit(text(FRIEND, NUMBER, "Meet us in Horta", "2"))
        await eventually(world.downlinks)
        await job.drain()
        rows = await asyncio.to_thread(list_messages, MessageFilter())
    assert world.downlinks() == [(FRIEND, "Meet us in HOR")]
    (failed,) = [row for row in rows if row.state == "failed"]
    assert "refused by a step" in failed.reason


async def test_a_refusal_reaches_whoever_offered_the_message(gateway: Gateway) -> None:
    async with running(gateway) as job:
        with pytest.raises(Rejected):
            await job.inlet(HTTP_IN).emit(text(FRIEND, "+15559999999", "Hello?"))


async def test_the_declaration_is_printed_and_has_every_network(gateway: Gateway) -> None:
    printed = str(declare(gateway))
    for stage in ("mail-in", "http-in", "hive-in", "router", "due", "mail-out", "ledger"):
        assert f"\n{stage}  (" in f"\n{printed}"
    assert "hive-out  [by key; hive; at most once]" in printed


async def test_every_stage_on_the_way_out_lets_an_emergency_go_first(gateway: Gateway) -> None:
    with_steps = gateway.settings.model_copy(update={"steps": "tests.support.user_operators.shout"})
    graph = declare(replace(gateway, settings=with_steps))
    message = text(FRIEND, NUMBER, "broken leg")
    calm = Delivery(id=1, message=message, attempt=1, lease_until=datetime.now(UTC))
    on_the_way_out = [stage for stage in graph.stages if stage.handover is Handover.AT_MOST_ONCE]
    assert {"mail-out", "hive-out", "twilio-out", "hive-steps"} <= {s.name for s in on_the_way_out}
    for stage in on_the_way_out:
        assert stage.first is not None
        assert stage.first(replace(calm, is_urgent=True))
        assert not stage.first(calm)
