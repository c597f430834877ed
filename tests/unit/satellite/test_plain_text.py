import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from messaging.config.env import read
from messaging.errors import Rejected
from messaging.model.message import (
    Address,
    DeviceReport,
    DeviceText,
    Message,
    Network,
    Sos,
    message_id,
)
from messaging.model.position import Position
from messaging.satellite.account import Packet
from messaging.satellite.codecs.plain_text import (
    Limit,
    text_of,
    text_packets,
    utf8_bytes,
    utf16_units,
)
from messaging.satellite.codecs.protobuf import Text, display_of, encode
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.satellite.uplink import offers

PHONE = Address(Network.SMS, "+15551230000")
ALICE = Address(Network.EMAIL, "alice@example.org")
DEVICE = Address(Network.SATELLITE, "9")
SECRET = SecretStr("s" * 32)


def message(text: str, subject: str = "", sender: Address = ALICE, name: str = "") -> Message:
    return Message(
        id="m",
        sender=sender,
        recipient=DEVICE,
        text=text,
        subject=subject,
        via="hive",
        sender_name=name,
    )


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"@alice See you", "@alice See you"),
        ("Grüße ⚓\tan\r\nalle".encode(), "Grüße ⚓\tan\r\nalle"),
        (b"  hello\r\n\0\0\0", "hello"),
        ("cut off é".encode()[:-1], "cut off"),
        ("👩‍🚀".encode(), "👩‍🚀"),
        (b"Gr\xfc\xdfe an alle", "Grüße an alle"),
        (b"bient\xf4t \xe0 quai", "bientôt à quai"),
        (b"All well\x1a", "All well"),
        (b"@alice un caf\xe9", "@alice un café"),
        (b"Gru\xdf\x00\x00", "Gruß"),
        (b"est\xf3\r\n\x1a", "estó"),
        (b"All well\xff\xff\xff", "All well"),
        (b"\xef\xbb\xbf@alice hi", "@alice hi"),
        ("see you 🙂".encode()[:-3], "see you"),
        ("see you 北".encode()[:-2], "see you"),
        (b"All well\r\n\x04\x00", "All well"),
    ],
)
def test_what_was_typed_is_read(payload: bytes, text: str) -> None:
    assert text_of(payload) == text


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0\0", b" \r\n", b"\xff\xfeh\0i\0", b"hel\xfflo", b"\x08\x01", b"a\x1bb", b"\xc2\x85"],
)
def test_what_cannot_be_typed_is_no_text(payload: bytes) -> None:
    assert text_of(payload) is None


@given(st.binary(max_size=400))
def test_reading_any_bytes_raises_nothing(payload: bytes) -> None:
    text_of(payload)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.lists(st.builds(Text, TEXTS, st.sampled_from([PHONE, ALICE])), min_size=1))
def test_no_packet_of_the_other_format_passes_for_typed_text(texts: list[Text]) -> None:
    assert text_of(encode(texts, from_device=True)) is None


def test_typed_text_goes_to_the_router_as_it_is_with_what_came_with_it() -> None:
    place = Position(latitude=1, longitude=2)
    payload = b"@alice See you"
    packet = Packet(
        "5", "9", payload, payload, position=place, battery_percent=50, sos=Sos.DECLARED
    )
    beacon, typed = offers(packet, "hive")
    assert typed == DeviceText(
        id=message_id("hive", "5", "0"),
        sender=DEVICE,
        text="@alice See you",
        via="hive",
        position=place,
        battery_percent=50,
        sos=Sos.DECLARED,
    )
    assert isinstance(beacon, DeviceReport)
    assert beacon.text == "@alice See you"


# -- downlinks

ROOMY = Limit(1000, utf8_bytes)


@pytest.mark.parametrize(
    ("given_message", "packet"),
    [
        (message("See you"), "alice@example.org See you"),
        (message("See you", name="alice"), "@alice See you"),
        (message("See you", sender=PHONE), "+15551230000 See you"),
        (message("20 kn", subject="Weather"), "alice@example.org Weather\n20 kn"),
        (message("Not sent", sender=Address(Network.EMAIL, "")), "Not sent"),
        (message(""), "alice@example.org"),
        (message("a\0b\ud800"), "alice@example.org ab?"),
    ],
)
def test_a_downlink_begins_with_whom_to_answer(given_message: Message, packet: str) -> None:
    assert text_packets(given_message, ROOMY, 4) == [packet.encode()]


def test_every_part_of_a_long_downlink_can_be_answered() -> None:
    first, second = text_packets(message("word " * 8, name="al"), Limit(30, utf8_bytes), 4)
    assert (first, second) == (b"@al 1/2 word word word word", b"@al 2/2 word word word word")


def test_a_sender_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(Rejected, match="no room for text"):
        text_packets(message("hello there"), Limit(18, utf8_bytes), 4)


def test_a_display_name_stands_in_the_first_packet_behind_the_address() -> None:
    stranger = replace(message("word " * 8), display_name="Ann Smith")
    first, second = text_packets(stranger, Limit(60, utf8_bytes), 4)
    assert first.startswith(b"alice@example.org 1/2 (Ann Smith) word word")
    assert second.startswith(b"alice@example.org 2/2 word")
    contact = replace(message("hi", name="al"), display_name="Ann Smith")
    assert text_packets(contact, ROOMY, 4) == [b"@al hi"]


SEEN = ["a", "é", "ß", "e\u0301", "👩‍🚀", "🇨🇭", "漢", " ", "\n", "👍🏽"]
"""Each is one character for people, whatever it is in Unicode."""
WHOLE = re.compile(f"(?:{'|'.join(SEEN)})*")
LEFT_OUT = re.compile(r" ?\[(\+[0-9,]+|[0-9,]+ more kept)\]\Z")


@given(
    st.lists(st.sampled_from(SEEN), max_size=200).map("".join),
    st.integers(48, 90),
    st.integers(1, 9),
    st.sampled_from([utf8_bytes, utf16_units]),
)
def test_parts_fit_and_are_never_cut_within_a_character_that_people_see(
    text: str, most: int, max_parts: int, size: Callable[[str], int]
) -> None:
    packets = text_packets(message(text, name="al"), Limit(most, size), max_parts)
    assert 1 <= len(packets) <= max_parts
    for number, packet in enumerate(packets, 1):
        said = packet.decode()
        assert size(said) <= most
        mark = f"{number}/{len(packets)} " if len(packets) > 1 else ""
        body = f"{said} ".removeprefix(f"@al {mark}")
        assert WHOLE.fullmatch(LEFT_OUT.sub("", body.rstrip()))


# -- which codec, and how much a packet holds


def hive(**more: Any) -> HiveAccount:
    return read(HiveAccount, url="http://127.0.0.1:1", username="u", password=SECRET, **more)


def garmin() -> GarminAccount:
    return read(GarminAccount, url="http://127.0.0.1:1", api_key=SECRET, webhook_token=SECRET)


@pytest.mark.parametrize(
    ("account", "device", "is_text"),
    [
        ("protobuf", "", False),
        ("protobuf", "text", True),
        ("text", "", True),
        ("text", "protobuf", False),
    ],
)
def test_the_device_decides_and_else_its_account(account: str, device: str, is_text: bool) -> None:
    (packet,) = hive(codec=account).packets(message("hi", name="al"), device, 4)
    if is_text:
        assert packet == b"@al hi"
    else:
        assert display_of(packet) == [("alice@example.org", "hi")]


@pytest.mark.parametrize(
    ("account", "device", "shown"),
    [
        ("plain", "", '@al Grüße - "ok"...'),
        ("plain", "ascii", '@al Gruesse - "ok"...'),
        ("plain", "exact", "@al Grüße \u2013 “ok”…"),
        ("exact", "", "@al Grüße \u2013 “ok”…"),
        ("ascii", "plain", '@al Grüße - "ok"...'),
    ],
)
def test_the_alphabet_of_the_device_counts_and_else_that_of_its_account(
    account: str, device: str, shown: str
) -> None:
    text = message("Grüße \u2013 “ok”…", name="al")
    assert hive(alphabet=account).write_packets(text, "text", 4, device) == [shown.encode()]


def test_texts_are_cut_by_what_the_network_counts() -> None:
    rockblock = read(RockblockAccount, username="u", password=SECRET)
    byte, character = rockblock.limit(rockblock.codec_of("text")), garmin().limit(garmin().codec)
    assert (byte.most, byte.size("é👍")) == (270, 6)
    assert (character.most, character.size("é👍")) == (160, 3)
    assert garmin().limit(garmin().codec_of("protobuf")).most == 268


@pytest.mark.parametrize("flush", [False, True])
def test_a_long_text_over_a_network_that_counts_bytes(flush: bool) -> None:
    account = read(RockblockAccount, username="u", password=SECRET, flush=flush)
    packets = account.packets(message("Grüße " * 60, name="al"), "text", 4)
    assert len(packets) == (1 if flush else 2)
    assert all(len(packet) <= 270 and packet.decode() for packet in packets)
