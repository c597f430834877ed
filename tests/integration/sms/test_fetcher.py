"""Texts that no webhook brought are fetched from the provider's list: once, in order, whatever fails on the way."""

import json
import logging
import pickle
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.errors import Busy, Rejected, Unavailable
from messaging.model.message import (
    DeadLetter,
    Message,
    OptOutChange,
    Receipt,
    ReceiptState,
    message_id,
)
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator
from messaging.simulator.twilio.state import Text
from messaging.sms.account import OutgoingText
from messaging.sms.fetcher import RoundLimits, SmsFetcher
from messaging.sms.providers.twilio.account import TwilioAccount
from messaging.sms.providers.twilio.webhook import read_webhook
from tests.support.eventually import eventually
from tests.support.sms.fetching import (
    Lease,
    MemoryStore,
    fetching,
    phone_texts,
    twilio_without_gateway,
)
from tests.support.sms.twilio_gateway import FORM, OURS, PHONE, SID, TOKEN, Router, account

pytestmark = pytest.mark.anyio


def texts_of(router: Router) -> list[str]:
    return [one.text for one in router.all() if isinstance(one, Message)]


def lists_of(simulator: TwilioSimulator) -> int:
    return simulator.counts().get("list requests", 0)


async def test_texts_that_came_while_the_gateway_was_away_are_taken_once_and_in_order() -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway() as (simulator, at):
        sids = [await phone_texts(simulator, f"text {number}") for number in range(3)]
        async with fetching(at, store) as fetcher:
            await eventually(lambda: len(texts_of(store.router)) == 3)
            await eventually(lambda: lists_of(simulator) >= 3)
            assert fetcher.status()["fetched"] == 3
    assert texts_of(store.router) == ["text 0", "text 1", "text 2"]
    assert list(store.router.stored) == [message_id("twilio", sid) for sid in sids]


async def test_a_listed_text_is_the_message_that_its_webhook_would_have_brought() -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway() as (simulator, at):
        sid = await phone_texts(simulator, "hello")
        async with fetching(at, store):
            await eventually(lambda: texts_of(store.router))
    by_webhook = read_webhook({**FORM, "MessageSid": sid}, b"")
    assert store.router.all() == by_webhook


async def test_what_a_webhook_brought_is_not_offered_again() -> None:
    router = Router()
    store = MemoryStore(router)
    with twilio_without_gateway() as (simulator, at):
        known = await phone_texts(simulator, "by webhook")
        stopped = await phone_texts(simulator, "STOP")
        missed = await phone_texts(simulator, "missed")
        router.stored = {
            message_id("twilio", known): FORM,  # type: ignore[dict-item]
            message_id("twilio", stopped, "consent"): FORM,  # type: ignore[dict-item]
        }
        async with fetching(at, store):
            await eventually(lambda: lists_of(simulator) >= 3)
    assert list(router.stored)[2:] == [message_id("twilio", missed)]


async def test_opt_outs_and_pictures_are_read_as_in_webhooks() -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway() as (simulator, at):
        await phone_texts(simulator, "stop")
        await phone_texts(simulator, "HELP")
        await phone_texts(simulator, "look", media=["image/jpeg", "application/pdf"])
        async with fetching(at, store):
            await eventually(lambda: len(store.router.stored) == 2)
    change, message = store.router.all()
    assert isinstance(change, OptOutChange)
    assert not change.allowed
    assert isinstance(message, Message)
    first, *links = message.text.splitlines()
    assert first == "look"
    assert [link.partition(":")[0] for link in links] == ["[picture", "[attachment"]
    assert f"{at.api_url}/2010-04-01/Accounts/{SID}/Messages/MM" in links[0]


async def test_texts_before_the_mark_and_to_numbers_of_others_are_left_alone() -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    store = MemoryStore(Router(), mark=tomorrow)
    others = MemoryStore(Router(), strangers=frozenset({"+15550009999"}))
    with twilio_without_gateway() as (simulator, at):
        await phone_texts(simulator, "old")
        await phone_texts(simulator, "not ours", to="+15550009999")
        async with fetching(at, store), fetching(at, others):
            await eventually(lambda: lists_of(simulator) >= 6)
            await eventually(lambda: others.router.stored)
    assert store.router.stored == {}
    assert texts_of(others.router) == ["old"]


async def test_a_text_with_a_time_in_the_future_is_taken_and_moves_no_mark() -> None:
    clock = datetime.now(UTC) - timedelta(days=1)
    store = MemoryStore(Router(), mark=clock - timedelta(hours=1))
    with twilio_without_gateway() as (simulator, at):
        await phone_texts(simulator, "from tomorrow")
        fetcher = SmsFetcher(at, "twilio", store, Lease(), now=lambda: clock)
        await fetcher._round(store.router.emit)
        await fetcher._client.aclose()
    assert texts_of(store.router) == ["from tomorrow"]
    assert store.mark <= clock


async def test_a_text_younger_than_its_webhook_may_be_waits_for_it() -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway() as (simulator, at):
        clock = datetime.now(UTC) - timedelta(seconds=10)
        waiting = SmsFetcher(at, "twilio", store, Lease(), now=lambda: clock)
        await phone_texts(simulator, "just now")
        await waiting._round(store.router.emit)
        assert store.router.stored == {}
        clock += timedelta(minutes=2)
        await waiting._round(store.router.emit)
        await waiting._client.aclose()
    assert texts_of(store.router) == ["just now"]


async def test_every_page_is_read() -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway(max_page_size=3) as (simulator, at):
        for number in range(10):
            await phone_texts(simulator, f"text {number}")
        async with fetching(at, store):
            await eventually(lambda: len(texts_of(store.router)) == 10)
    assert texts_of(store.router) == [f"text {number}" for number in range(10)]


async def test_of_too_many_texts_the_first_are_taken_and_the_others_follow() -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway() as (simulator, at):
        for number in range(10):
            await phone_texts(simulator, f"text {number}")
        async with fetching(at, store, limits=RoundLimits(max_texts=4)):
            await eventually(lambda: len(texts_of(store.router)) == 10)
    assert texts_of(store.router) == [f"text {number}" for number in range(10)]


async def test_a_list_without_an_end_is_left() -> None:
    requests = 0

    async def page(request: Request) -> Response:
        nonlocal requests
        requests += 1
        sids = [f"SM{requests:08}{number:024}" for number in range(10)]
        sent = f"{datetime.now(UTC) - timedelta(minutes=1):%a, %d %b %Y %H:%M:%S} +0000"
        entry = {"from": PHONE, "to": OURS, "body": "hi", "direction": "inbound"}
        entries = [{**entry, "sid": sid, "date_sent": sent} for sid in sids]
        return JSONResponse({"messages": entries, "next_page_uri": "/more"})

    router = Router()
    store = MemoryStore(router)
    before = store.mark
    limits = RoundLimits(max_listed=20)
    with Serving(Starlette(routes=[Route("/{path:path}", page)])) as served:
        fetcher = SmsFetcher(account(api_url=served.url), "twilio", store, Lease(), 0, limits)
        await fetcher._round(router.emit)
        await fetcher._client.aclose()
    assert (requests, len(texts_of(router))) == (2, 20)
    assert store.mark == before


ENTRY = {
    "sid": "SM1",
    "from": PHONE,
    "to": OURS,
    "body": "hello",
    "direction": "inbound",
    "date_sent": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000"),
}
GARBAGE = {
    "nonsense": "<html>}{",
    "a list": "[1, 2]",
    "nothing": "{}",
    "no messages": '{"messages": null, "next_page_uri": null}',
    "entries that are none": '{"messages": [1, null, "x"], "next_page_uri": null}',
    "no ids": '{"messages": [{"body": "x"}], "next_page_uri": null}',
    "a page that is none": json.dumps({"messages": [ENTRY], "next_page_uri": 7}),
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_is_a_failure_that_passes(body: str) -> None:
    answers = [body]

    async def page(request: Request) -> Response:
        if answers:
            return Response(answers.pop(), media_type="application/json")
        return JSONResponse({"messages": [7, ENTRY], "next_page_uri": None})

    store = MemoryStore(Router())
    before = store.mark
    with Serving(Starlette(routes=[Route("/{path:path}", page)])) as served:
        fetcher = SmsFetcher(
            account(api_url=served.url, fetch_minutes=0.001), "twilio", store, Lease(), 0
        )
        with pytest.raises(Unavailable):
            await fetcher._round(store.router.emit)
        assert store.mark == before
        await fetcher._round(store.router.emit)
        await fetcher._client.aclose()
    assert texts_of(store.router) == ["hello"]


FAULTS = {
    "error": Faults(error_rate=1),
    "refused": Faults(refuse_rate=1),
    "garbage": Faults(garbage_rate=1),
    "rate limit": Faults(requests_per_second=0.001, retry_after_seconds=1),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_failures_are_named_and_retried(faults: Faults) -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway() as (simulator, at):
        await phone_texts(simulator, "hello")
        simulator.faults = faults
        async with fetching(at, store) as fetcher:
            await eventually(lambda: fetcher.status()["failing_since"])
            assert fetcher.status()["failure"]
            assert store.router.stored == {}
            simulator.faults = Faults()
            await eventually(lambda: texts_of(store.router) == ["hello"])
            await eventually(lambda: fetcher.status()["failing_since"] is None)


async def test_a_blocked_account_is_named_with_its_settings() -> None:
    store = MemoryStore(Router())
    with twilio_without_gateway() as (_, at):
        wrong = TwilioAccount(
            account_sid=SID,
            auth_token=f"{TOKEN}-but-wrong",
            api_url=at.api_url,
        )
        async with fetching(wrong, store) as fetcher:
            await eventually(lambda: fetcher.status()["failing_since"])
            failure = str(fetcher.status()["failure"])
    assert "SATBRIDGE_TWILIO_AUTH_TOKEN" in failure
    assert TOKEN not in failure


@pytest.mark.parametrize(
    "error", [Unavailable("the store is away"), Busy("too many"), RuntimeError("hello")]
)
async def test_while_the_router_fails_nothing_is_lost(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "messaging")
    store = MemoryStore(Router({Message: error}))
    before = store.mark
    with twilio_without_gateway() as (simulator, at):
        await phone_texts(simulator, "first text")
        await phone_texts(simulator, "second text")
        async with fetching(at, store) as fetcher:
            await eventually(lambda: fetcher.status()["failing_since"])
            assert store.mark == before
            store.router.fails_with = {}
            await eventually(lambda: len(texts_of(store.router)) == 2)
    assert texts_of(store.router) == ["first text", "second text"]
    assert "first text" not in caplog.text


async def test_a_rejected_text_is_kept_and_not_offered_again() -> None:
    store = MemoryStore(Router({Message: Rejected("the subscriber is not active")}))
    with twilio_without_gateway() as (simulator, at):
        sid = await phone_texts(simulator, "hello")
        async with fetching(at, store):
            await eventually(lambda: lists_of(simulator) >= 3)
    [kept] = store.router.all()
    assert isinstance(kept, DeadLetter)
    assert kept.id == message_id("twilio", sid)
    assert b"Body=hello" in kept.raw


async def test_a_store_that_is_away_is_tried_again() -> None:
    store = MemoryStore(Router(), failures=[Unavailable("the store is away")])
    with twilio_without_gateway() as (simulator, at):
        await phone_texts(simulator, "hello")
        async with fetching(at, store):
            await eventually(lambda: texts_of(store.router) == ["hello"])


async def test_receipts_that_no_callback_brought_are_fetched_too() -> None:
    store = MemoryStore(Router())
    found: list[Receipt] = []

    async def emit(record: object) -> None:
        assert isinstance(record, Receipt)
        found.append(record)
        store.waiting.discard(record.network_id)

    with twilio_without_gateway() as (simulator, at):
        client = at.connect()
        for phone in (PHONE, "+15005530005"):
            sent = await client.send(OutgoingText(OURS, phone, "hello", "1"))
            store.waiting.add(sent.network_id)
        await client.send(OutgoingText(OURS, PHONE, "of another program", "2"))
        await client.aclose()

        def ended(text: Text) -> bool:
            return text.status in ("delivered", "undelivered")

        await eventually(lambda: all(map(ended, simulator.outgoing_texts())))
        fetcher = SmsFetcher(at, "twilio", store, Lease(), 0)
        await fetcher._round(emit)
        await fetcher._round(emit)
        await fetcher._client.aclose()
    assert sorted(receipt.state for receipt in found) == sorted(
        (ReceiptState.DELIVERED, ReceiptState.FAILED)
    )


async def test_without_the_lease_nothing_is_asked_and_with_it_it_is_given_back() -> None:
    store, lease = MemoryStore(Router()), Lease(is_valid=False)
    with twilio_without_gateway() as (simulator, at):
        await phone_texts(simulator, "hello")
        async with fetching(at, store, lease) as fetcher:
            await eventually(lambda: fetcher.status()["standing_by"])
            assert lists_of(simulator) == 0
            lease.is_valid = True
            await eventually(lambda: texts_of(store.router) == ["hello"])
        assert lease.releases == 1


async def test_it_travels_to_another_process_without_its_connections() -> None:
    lease = Lease()
    fetcher = SmsFetcher(account(), "twilio", MemoryStore(Router()), lease)
    copy = pickle.loads(pickle.dumps(fetcher))
    assert copy.status() == fetcher.status()


async def test_the_simulator_lists_the_media_of_a_text() -> None:
    with twilio_without_gateway() as (simulator, at):
        sid = await phone_texts(simulator, "look", media=["image/png"])
        path = f"{at.api_url}/2010-04-01/Accounts/{SID}/Messages"
        async with httpx.AsyncClient(auth=(SID, TOKEN), trust_env=False) as http:
            found = (await http.get(f"{path}/{sid}/Media.json")).json()
            missing = await http.get(f"{path}/SM0/Media.json")
    assert [one["content_type"] for one in found["media_list"]] == ["image/png"]
    assert missing.status_code == 404
