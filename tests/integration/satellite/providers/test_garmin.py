"""Messages to inReach devices over real sockets: the settings, and what is written."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.config.account import read_accounts
from messaging.config.env import read
from messaging.errors import ConfigurationError, Rejected
from messaging.model.message import Address, Network
from messaging.satellite.codecs.plain_text import Limit, utf16_units
from messaging.satellite.codecs.protobuf import display_of
from messaging.satellite.providers import ACCOUNTS
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.satellite.providers.garmin.wire import request_of, text_packets
from messaging.simulator.garmin.api import GarminDevice, InboundApi
from tests.support.satellite.garmin_server import API_KEY, IMEI, GarminServer, garmin_account
from tests.support.satellite.providers.garmin_connected import ALICE, connection, message, packet

pytestmark = pytest.mark.anyio


def test_it_is_registered_under_its_name() -> None:
    assert ACCOUNTS["garmin"] is GarminAccount


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


async def test_a_text_arrives_with_its_sender_and_counts(garmin: GarminServer) -> None:
    async with connection(garmin.account()) as network:
        handed = await network.send(IMEI, packet("Sturm ⚓", subject="Wetter"))
    assert garmin.texts() == [("alice@example.net", "Wetter\nSturm ⚓")]
    assert handed.billed_units == 1
    assert abs(int(handed.network_id) / 1000 - time.time()) < 30


async def test_each_message_is_dated_differently_and_never_in_the_future(
    garmin: GarminServer,
) -> None:
    async with connection(garmin.account(clock_margin_seconds=0)) as network:
        ids = [(await network.send(IMEI, packet(f"text {n}"))).network_id for n in range(20)]
    assert len({*ids}) == 20


@pytest.mark.parametrize("clock_margin_seconds", [-1, "x"])
def test_the_margin_of_the_clock_is_a_time(clock_margin_seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="CLOCK_MARGIN_SECONDS"):
        garmin_account(clock_margin_seconds=clock_margin_seconds)


async def test_bytes_for_devices_of_the_other_codec(garmin: GarminServer) -> None:
    account = garmin.account()
    (only,) = account.packets(message("Storm", subject="Note"), "protobuf", 4)
    async with connection(account) as network:
        assert (await network.send(IMEI, only)).billed_units == 1
    (downlink,) = garmin.simulator.inbound.downlinks
    assert display_of(downlink.payload) == [("alice@example.net", "Note\nStorm")]


async def test_long_bytes_are_split_so_that_the_service_takes_each(garmin: GarminServer) -> None:
    account = garmin.account()
    packets = account.packets(message("wind " * 150), "protobuf", 4)
    async with connection(account) as network:
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
    async with connection(account) as network:
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
    api = InboundApi("k", [GarminDevice(IMEI)], lambda: 2_000_000_000_000, lambda downlink: None)
    for one in first:
        (request,) = request_of(one, IMEI, 1_999_999_999_999)["Messages"]
        assert 1 <= len(api._text_of(IMEI, request).text) <= most


@pytest.mark.parametrize("serial", ["", "1001", "30043403000000x", "3004340300000012"])
async def test_a_serial_that_is_no_imei_is_rejected(garmin: GarminServer, serial: str) -> None:
    async with connection(garmin.account()) as network:
        with pytest.raises(Rejected, match="IMEI"):
            await network.send(serial, packet())


async def test_a_sender_that_no_device_could_answer_is_refused(garmin: GarminServer) -> None:
    async with connection(garmin.account()) as network:
        with pytest.raises(Rejected, match="sender"):
            await network.send(IMEI, packet(sender=Address(Network.EMAIL, "nobody")))


def test_it_reads_as_any_account_does() -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_GARMIN_URL is not set"):
        read(GarminAccount, api_key="k")
