"""Messages to inReach devices over real sockets: what is written, and every answer that Garmin may give."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.account import read_accounts
from messaging.configuration import read
from messaging.errors import ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.message import Address, Message, Network
from messaging.satellite.limit import Limit, utf16_units
from messaging.satellite.networks import ACCOUNTS
from messaging.satellite.networks.garmin import Garmin, GarminAccount
from messaging.satellite.networks.garmin_codes import ERROR_CODES, refusal
from messaging.satellite.networks.garmin_messages import request_of, text_packets
from messaging.satellite.payload import shown
from messaging.simulator.faults import Faults
from messaging.simulator.garmin import GarminSimulator
from messaging.simulator.garmin_inbound import ERRORS, FIXTURE_PREFIX, Device, InboundApi
from messaging.simulator.serving import Serving
from tests.closed_port import closed_port
from tests.satellite.garmin_server import (
    API_KEY,
    IMEI,
    SOME_DEVICES,
    GarminServer,
    garmin_account,
    garmin_at,
)

pytestmark = pytest.mark.anyio

ALICE = Address(Network.EMAIL, "alice@example.net")
PASSING = {1, 2, 3, 6}


@pytest.fixture
def garmin() -> Iterator[GarminServer]:
    with garmin_at(GarminSimulator(SOME_DEVICES, api_key=API_KEY)) as server:
        yield server


@asynccontextmanager
async def connected(account: GarminAccount) -> AsyncIterator[Garmin]:
    network = account.connect()
    try:
        yield network
    finally:
        await network.aclose()


@contextmanager
def answering(answer: Callable[[Request], Response]) -> Iterator[GarminAccount]:
    """An API that answers what the simulator never would."""

    async def serve(request: Request) -> Response:
        return answer(request)

    app = Starlette(routes=[Route("/{rest:path}", serve, methods=["GET", "POST"])])
    with Serving(app) as server:
        yield garmin_account(server.url)


def message(text: str = "Storm ahead", sender: Address = ALICE, subject: str = "") -> Message:
    recipient = Address(Network.SATELLITE, IMEI)
    return Message(
        id="0" * 32, sender=sender, recipient=recipient, text=text, subject=subject, via="garmin"
    )


def packet(text: str = "Storm ahead", **more: Any) -> bytes:
    (found,) = garmin_account().packets(message(text, **more), "", 1)
    return found


def test_it_is_registered_under_its_name() -> None:
    assert ACCOUNTS["garmin"] is GarminAccount


# -- settings


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"webhook_token": None}, "WEBHOOK_TOKEN"),
        ({"oauth_client_id": "id"}, "set both"),
        ({"oauth_client_secret": "s" * 32}, "set both"),
        ({"oauth_client_id": "id", "oauth_client_secret": "short"}, "OAUTH_CLIENT_SECRET"),
        ({"predefined_texts": "24=hello"}, "PREDEFINED_TEXTS: must look like"),
        ({"region": "Germany"}, "REGION"),
        ({"url": "portal"}, "must look like https"),
        ({"api_key": ""}, "API_KEY"),
    ],
)
def test_wrong_settings_are_named_and_not_shown(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        garmin_account(**settings)
    assert "short" not in str(caught.value)


def test_an_account_of_its_own_name_reads_its_own_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "ACCOUNTS": "north",
        "NORTH_URL": "https://north.example/api",
        "NORTH_API_KEY": API_KEY,
        "NORTH_WEBHOOK_TOKEN": "t",
        "NORTH_PREDEFINED_TEXTS": '{"24": "All well"}',
    }.items():
        monkeypatch.setenv(f"SATBRIDGE_GARMIN_{name}", value)
    (account,) = read_accounts(GarminAccount).values()
    assert account.name == "garmin-north"
    assert account.variable("api_key") == "SATBRIDGE_GARMIN_NORTH_API_KEY"


# -- what is written


async def test_a_text_arrives_with_its_sender_and_counts(garmin: GarminServer) -> None:
    async with connected(garmin.account()) as network:
        handed = await network.send(IMEI, packet("Sturm ⚓", subject="Wetter"))
    assert garmin.texts() == [("alice@example.net", "Wetter\nSturm ⚓")]
    assert handed.units == 1
    assert abs(int(handed.network_id) / 1000 - time.time()) < 30


async def test_each_message_is_dated_differently_and_never_in_the_future(
    garmin: GarminServer,
) -> None:
    async with connected(garmin.account(clock_margin_seconds=0)) as network:
        ids = [(await network.send(IMEI, packet(f"text {n}"))).network_id for n in range(20)]
    assert len({*ids}) == 20


@pytest.mark.parametrize("clock_margin_seconds", [-1, "x"])
def test_the_margin_of_the_clock_is_a_time(clock_margin_seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="CLOCK_MARGIN_SECONDS"):
        garmin_account(clock_margin_seconds=clock_margin_seconds)


async def test_bytes_for_devices_of_the_other_codec(garmin: GarminServer) -> None:
    account = garmin.account()
    (only,) = account.packets(message("Storm", subject="Note"), "protobuf", 4)
    async with connected(account) as network:
        assert (await network.send(IMEI, only)).units == 1
    (downlink,) = garmin.simulator.inbound.downlinks
    assert shown(downlink.payload) == [("alice@example.net", "Note\nStorm")]


async def test_long_bytes_are_split_so_that_the_service_takes_each(garmin: GarminServer) -> None:
    account = garmin.account()
    packets = account.packets(message("wind " * 150), "protobuf", 4)
    async with connected(account) as network:
        for one in packets:
            await network.send(IMEI, one)
    assert len(packets) == len(garmin.simulator.inbound.downlinks) > 1


def test_a_text_of_just_the_limit_is_one_and_more_are_numbered_parts() -> None:
    account = garmin_account()
    assert len(account.packets(message("x" * 160), "", 4)) == 1
    assert len(account.packets(message("x" * 161), "", 4)) == 2
    # In UTF-16 units, of which some letters take two.
    assert len(account.packets(message("🌊" * 80), "", 4)) == 1
    assert len(account.packets(message("🌊" * 81), "", 4)) == 2


@pytest.mark.parametrize("text", ["", " \n ", "\0"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="empty"):
        garmin_account().packets(message(text), "", 4)


async def test_with_a_domain_the_device_is_shown_an_address_there(garmin: GarminServer) -> None:
    account = garmin.account(address_domain="in.example.org")
    phone = Address(Network.SMS, "+15551230000")
    async with connected(account) as network:
        for sender in (ALICE, phone):
            (only,) = account.packets(message(sender=sender), "", 1)
            await network.send(IMEI, only)
    assert [sender for sender, _ in garmin.texts()] == [
        "alice=example.net@in.example.org",
        "15551230000@in.example.org",
    ]


@given(st.text(), st.text(), st.integers(20, 200), st.integers(1, 4))
def test_whatever_is_written_fits_and_is_the_same_again(
    text: str, subject: str, most: int, parts: int
) -> None:
    written = message(text, subject=subject)
    try:
        first = text_packets(written, "", Limit(most, utf16_units), parts)
    except Rejected:
        return
    assert first == text_packets(written, "", Limit(most, utf16_units), parts)
    assert len(first) <= parts
    api = InboundApi("k", [Device(IMEI)], lambda: 2_000_000_000_000, lambda downlink: None)
    for one in first:
        (request,) = request_of(one, IMEI, 1_999_999_999_999)["Messages"]
        assert 1 <= len(api._text_of(IMEI, request).text) <= most


# -- every answer


def test_the_simulator_and_the_client_know_the_same_codes() -> None:
    assert set(range(1, 18)) == ERROR_CODES == ERRORS.keys()


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
async def test_every_error_code_has_its_outcome(garmin: GarminServer, code: int) -> None:
    expected = Unavailable if code in PASSING else Rejected
    async with connected(garmin.account()) as network:
        with pytest.raises(expected) as caught:
            await network.send(f"{FIXTURE_PREFIX}{code:02}", packet())
    assert caught.value.reason
    assert garmin.texts() == []


async def test_a_code_of_tomorrow_refuses_for_good() -> None:
    with answering(lambda request: JSONResponse({"Code": 99}, 422)) as account:
        async with connected(account) as network:
            with pytest.raises(Rejected, match="code 99"):
                await network.send(IMEI, packet())
    assert isinstance(refusal(99), Rejected)


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (400, None, Rejected),
        (401, None, Unavailable),
        (403, {"Code": 3}, Unavailable),
        (404, None, Rejected),
        (422, None, Rejected),
        (422, {"Code": "4"}, Rejected),
        (422, {"Code": 3}, Unavailable),
        (429, {"Code": 2}, Unavailable),
        (500, {"Code": 1}, Unavailable),
        (500, {"Code": 4}, Unavailable),
        (500, "<html>", Unavailable),
        (501, {"Code": 4}, Rejected),
        (503, None, Unavailable),
        (302, None, Unavailable),
        (200, None, Uncertain),
        (200, {}, Uncertain),
        (200, {"count": "1"}, Uncertain),
        (200, {"count": True}, Uncertain),
        (200, {"count": -1}, Uncertain),
        (200, [1], Uncertain),
        (200, {"count": 0}, Unavailable),
    ],
)
async def test_every_status_has_its_outcome(
    status: int, content: Any, expected: type[Exception]
) -> None:
    with answering(lambda request: JSONResponse(content, status)) as account:
        async with connected(account) as network:
            with pytest.raises(expected):
                await network.send(IMEI, packet())


async def test_the_wish_to_wait_is_heard(garmin: GarminServer) -> None:
    async with connected(garmin.account()) as network:
        with pytest.raises(Unavailable) as caught:
            await network.send(f"{FIXTURE_PREFIX}02", packet())
    assert caught.value.retry_after_seconds == 30


async def test_a_refused_key_is_the_operators_affair_and_is_said(
    garmin: GarminServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(garmin.account(api_key="wrong")) as network:
        with pytest.raises(Unavailable, match="key"):
            await network.send(IMEI, packet())
    assert "SATBRIDGE_GARMIN_API_KEY" in caplog.text
    assert "wrong" not in caplog.text


@pytest.mark.parametrize("serial", ["", "1001", "30043403000000x", "3004340300000012"])
async def test_a_serial_that_is_no_imei_is_rejected(garmin: GarminServer, serial: str) -> None:
    async with connected(garmin.account()) as network:
        with pytest.raises(Rejected, match="IMEI"):
            await network.send(serial, packet())


@pytest.mark.parametrize("sender", [Address(Network.EMAIL, "nobody"), Address(Network.EMAIL, "")])
async def test_a_sender_that_no_device_could_answer_is_refused(
    garmin: GarminServer, sender: Address
) -> None:
    async with connected(garmin.account()) as network:
        with pytest.raises(Rejected, match="sender"):
            await network.send(IMEI, packet(sender=sender))


# -- the probe


async def test_the_probe_costs_nothing_and_says_yes(garmin: GarminServer) -> None:
    async with connected(garmin.account()) as network:
        await network.check()
    assert garmin.texts() == []


async def test_the_probe_names_the_setting_of_a_wrong_key(garmin: GarminServer) -> None:
    async with connected(garmin.account(api_key="wrong-one")) as network:
        with pytest.raises(ConfigurationError, match="SATBRIDGE_GARMIN_API_KEY") as caught:
            await network.check()
    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_the_probe_says_when_nobody_can_say(status: int) -> None:
    with answering(lambda request: JSONResponse({}, status)) as account:
        async with connected(account) as network:
            with pytest.raises(Unavailable):
                await network.check()


async def test_the_probe_says_when_nobody_is_there() -> None:
    with closed_port() as url:
        async with connected(garmin_account(url)) as network:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await network.check()


async def test_a_lost_answer_is_uncertain_and_nothing_is_logged_that_is_secret(
    garmin: GarminServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    garmin.simulator.dice.faults = Faults(hang_after_rate=1)
    async with connected(garmin.account(timeout_seconds=3)) as network:
        with pytest.raises(Uncertain):
            await network.send(IMEI, packet("Storm ahead"))
    assert len(garmin.texts()) == 1
    for secret in (API_KEY, "Storm ahead"):
        assert secret not in caplog.text
    assert API_KEY not in repr(garmin.account())


def test_it_reads_as_any_account_does() -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_GARMIN_URL is not set"):
        read(GarminAccount, api_key="k")
