from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.message import Address, Message, Network
from messaging.satellite.codecs.message_data_pb2 import Message as WireMessage
from messaging.satellite.codecs.message_data_pb2 import MessageDataPB
from messaging.satellite.codecs.protobuf import (
    Text,
    Undecodable,
    decode,
    display_of,
    encode,
    packets,
)

VECTOR = bytes.fromhex("080112170a0568656c6c6f1a0c2b313535353132333030303028021801")
PHONE = Address(Network.SMS, "+15551230000")
MAILBOX = Address(Network.EMAIL, "alice@example.com")


def wire(to: str, protocol: int, text: str = "hello", version: int = 1) -> bytes:
    data = MessageDataPB(version=version, from_device=True)
    data.message.add(text=text, to=to).MergeFromString(bytes([0x28, protocol]))
    return data.SerializePartialToString()


def message(text: str, subject: str = "", sender: Address = MAILBOX) -> Message:
    device = Address(Network.SATELLITE, "9")
    return Message(id="m", sender=sender, recipient=device, text=text, subject=subject, via="hive")


def test_the_known_packet_decodes() -> None:
    assert decode(VECTOR) == [Text("hello", PHONE)]


def test_the_known_packet_is_what_we_encode() -> None:
    assert encode([Text("hello", PHONE)], from_device=True) == VECTOR


@pytest.mark.parametrize(
    ("to", "limit", "room"),
    [
        (PHONE, 192, 166),
        (PHONE, 270, 244),
        (PHONE, 340, 314),
        (MAILBOX, 192, 161),
        (MAILBOX, 270, 239),
        (MAILBOX, 340, 309),
    ],
)
def test_the_room_for_text_is_as_computed_by_hand(to: Address, limit: int, room: int) -> None:
    assert len(encode([Text("x" * room, to)], from_device=False)) <= limit
    assert len(encode([Text("x" * (room + 1), to)], from_device=False)) > limit


@pytest.mark.parametrize(
    ("to", "protocol", "address"),
    [
        ("+1 (555) 123-0000", WireMessage.SMS, PHONE),
        ("0015551230000", WireMessage.SMS, PHONE),
        ("+15551230000", WireMessage.UNKNOWN, PHONE),
        (" Alice@EXAMPLE.com ", WireMessage.EMAIL, Address(Network.EMAIL, "Alice@example.com")),
        ("alice@example.com", WireMessage.UNKNOWN, MAILBOX),
        ("bob@localhost", WireMessage.EMAIL, Address(Network.EMAIL, "bob@localhost")),
        ("a.b+c@x-y.example", WireMessage.EMAIL, Address(Network.EMAIL, "a.b+c@x-y.example")),
        ("jörg@bücher.example", WireMessage.EMAIL, Address(Network.EMAIL, "jörg@bücher.example")),
    ],
)
def test_recipients_are_normalised(to: str, protocol: int, address: Address) -> None:
    assert decode(wire(to, protocol)) == [Text("hello", address)]


@pytest.mark.parametrize(
    ("to", "protocol"),
    [
        ("5551230000", WireMessage.SMS),
        ("5551230000", WireMessage.UNKNOWN),
        ("+1555FLOWERS", WireMessage.SMS),
        ("+15551230000 ext 5", WireMessage.SMS),
        ("+1", WireMessage.SMS),
        ("alice@example.com", WireMessage.SMS),
        ("+15551230000", WireMessage.EMAIL),
        ("alice", WireMessage.EMAIL),
        ("alice@", WireMessage.EMAIL),
        ("@example.com", WireMessage.EMAIL),
        ("a@b@example.com", WireMessage.EMAIL),
        ("a..b@example.com", WireMessage.EMAIL),
        ("a@-example.com", WireMessage.EMAIL),
        ("a@example..com", WireMessage.EMAIL),
        ("a b@example.com", WireMessage.EMAIL),
        ("a@example.com\r\nBcc: eve@example.com", WireMessage.EMAIL),
        ("<a@example.com>", WireMessage.EMAIL),
        ("a" * 65 + "@example.com", WireMessage.EMAIL),
        ("a@" + ".".join(["b" * 60] * 5), WireMessage.EMAIL),
        ("", WireMessage.UNKNOWN),
        ("@alice", WireMessage.TWITTER),
        ("alice@example.com", WireMessage.TWITTER),
        ("alice@example.com", 9),
    ],
)
def test_a_recipient_that_cannot_be_reached_is_undecodable(to: str, protocol: int) -> None:
    (content,) = decode(wire(to, protocol))
    assert isinstance(content, Undecodable)


def test_one_bad_message_does_not_lose_the_others() -> None:
    good = Text("hello", MAILBOX)
    data = encode([good], from_device=True)
    garbled = b"\x12\x03\xff\xff\xff"
    contents = decode(data + garbled + wire("nobody", WireMessage.EMAIL) + data)
    assert [isinstance(content, Undecodable) for content in contents] == [False, True, True, False]
    assert contents[0] == contents[3] == good


def test_a_letter_broken_on_the_way_costs_only_itself() -> None:
    broken = VECTOR.replace(b"hello", b"hel\xffo")
    assert decode(broken) == [Text("hel\ufffdo", PHONE)]


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", VECTOR[:-5], b"\x08\x01", b"\x08\x02" + VECTOR[2:]]
)
def test_a_packet_that_is_none_of_ours_is_undecodable(payload: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(payload)


def test_a_text_holds_no_nul() -> None:
    assert decode(wire("alice@example.com", WireMessage.EMAIL, "a\0b")) == [Text("ab", MAILBOX)]


@given(st.binary(max_size=300))
def test_decoding_any_bytes_raises_nothing_but_undecodable(payload: bytes) -> None:
    for read in (decode, display_of):
        with suppress(Undecodable):
            read(payload)


@given(st.binary(max_size=40), st.integers(0, len(VECTOR)))
def test_decoding_a_damaged_packet_raises_nothing_but_undecodable(noise: bytes, at: int) -> None:
    with suppress(Undecodable):
        decode(VECTOR[:at] + noise + VECTOR[at + len(noise) :])


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
TO = st.sampled_from([PHONE, MAILBOX, Address(Network.EMAIL, "bücher@example.org")])


@given(st.lists(st.builds(Text, TEXTS, TO), min_size=1), st.booleans())
def test_what_is_encoded_decodes_to_the_same(texts: list[Text], from_device: bool) -> None:
    assert decode(encode(texts, from_device=from_device)) == texts


def test_a_downlink_shows_its_sender_and_subject_and_text() -> None:
    (packet,) = packets(message("Wind 20 kn", subject="Weather"), 192, 4)
    assert display_of(packet) == [("alice@example.com", "Weather\nWind 20 kn")]
    data = MessageDataPB.FromString(packet)
    assert data.message[0].protocol == WireMessage.EMAIL
    assert not data.from_device


def test_a_downlink_from_a_phone_says_so() -> None:
    (packet,) = packets(message("hi", sender=PHONE), 192, 4)
    assert MessageDataPB.FromString(packet).message[0].protocol == WireMessage.SMS
    assert display_of(packet) == [("+15551230000", "hi")]


@pytest.mark.parametrize(
    ("subject", "text", "seen"), [("s", "", "s"), ("", "t", "t"), ("", "", "")]
)
def test_an_empty_subject_or_text_takes_no_line(subject: str, text: str, seen: str) -> None:
    (packet,) = packets(message(text, subject), 192, 4)
    assert display_of(packet) == [("alice@example.com", seen)]


@given(st.text(max_size=900), st.text(max_size=120), st.integers(1, 6))
def test_every_packet_of_a_downlink_fits(text: str, sender: str, max_parts: int) -> None:
    made = packets(message(text, sender=Address(Network.EMAIL, sender[:100])), 512, max_parts)
    assert 1 <= len(made) <= max_parts
    assert all(len(packet) <= 512 for packet in made)
