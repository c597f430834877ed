"""The units of a message are counted before it is sent, by the arithmetic that splits it."""

from typing import Any

import pytest
from pydantic import SecretStr

from messaging.config.env import read
from messaging.model.message import Address, Message, Network
from messaging.satellite.account import SatelliteAccount, SatelliteUnits
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.sms.providers.twilio.account import TwilioAccount

SECRET = SecretStr("secret")


def message(text: str) -> Message:
    return Message(
        id="f" * 32,
        sender=Address(Network.EMAIL, "friend@example.com"),
        recipient=Address(Network.SATELLITE, "300234010753370"),
        text=text,
        via="smtp",
    )


def hive(**more: Any) -> SatelliteAccount:
    return read(HiveAccount, url="http://127.0.0.1:1", username="u", password=SECRET, **more)


def rockblock() -> SatelliteAccount:
    return read(RockblockAccount, username="u", password=SECRET)


@pytest.mark.parametrize("length", [1, 100, 400, 5000])
@pytest.mark.parametrize("codec", ["text", "protobuf"])
def test_packets_count_where_there_are_no_credits(length: int, codec: str) -> None:
    text = message("x" * length)
    packets = hive().write_packets(text, codec, 4)
    assert SatelliteUnits(hive(), 4).count_units(text, codec) == len(packets)


def test_credits_count_by_the_bytes_of_each_packet() -> None:
    text = message("x" * 120)
    [packet] = rockblock().write_packets(text, "text", 4)
    assert SatelliteUnits(rockblock(), 4).count_units(text, "text") == -(-len(packet) // 50) == 3


@pytest.mark.parametrize(
    ("text", "units"), [("hi", 1), ("x" * 161, 2), ("č" * 71, 2), ("“hi”", 1), (" ", 0)]
)
def test_segments_count_by_the_alphabet_of_the_text(text: str, units: int) -> None:
    account = read(TwilioAccount, account_sid="AC" + "0" * 32, auth_token=SECRET)
    assert account.count_units(message(text)) == units


def test_a_message_that_cannot_be_sent_costs_nothing() -> None:
    assert SatelliteUnits(hive(max_packet_bytes=10), 4).count_units(message("hello")) == 0
