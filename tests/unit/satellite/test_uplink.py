from dataclasses import replace

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import (
    Address,
    DeadLetter,
    Inbound,
    Message,
    Network,
    Position,
    message_id,
)
from messaging.satellite.account import Packet
from messaging.satellite.codecs.protobuf import Text, encode
from messaging.satellite.uplink import offer_packet, offers

pytestmark = pytest.mark.anyio
ALICE = Address(Network.EMAIL, "alice@example.com")
BOB = Address(Network.SMS, "+15551230000")


def packet(*texts: Text) -> Packet:
    payload = encode(texts, from_device=True)
    return Packet("5", "9", payload, payload)


class Router:
    """Takes messages, but raises what `answers` says for a text."""

    def __init__(self, **answers: Exception) -> None:
        self.answers = answers
        self.taken: list[Inbound] = []

    async def emit(self, inbound: Inbound) -> None:
        error = self.answers.get(inbound.text) if isinstance(inbound, Message) else None
        if error is not None:
            raise error
        self.taken.append(inbound)


def test_each_text_is_a_message_with_an_id_of_its_own_that_stays() -> None:
    both = offers(packet(Text("one", ALICE), Text("two", BOB)), "hive")
    device = Address(Network.SATELLITE, "9")
    assert both == [
        Message(
            id=message_id("hive", "5", str(position)),
            sender=device,
            recipient=recipient,
            text=text,
            via="hive",
        )
        for position, (text, recipient) in enumerate([("one", ALICE), ("two", BOB)])
    ]


@pytest.mark.parametrize("payload", [None, b"", b"\xff\xff"])
def test_a_packet_that_cannot_be_read_is_undeliverable_with_its_bytes(
    payload: bytes | None,
) -> None:
    (offer,) = offers(Packet("5", "9", payload, b"raw"), "hive")
    assert isinstance(offer, DeadLetter)
    assert (offer.raw, offer.sender.value, offer.via) == (b"raw", "9", "hive")
    assert offer.reason


async def test_a_rejected_message_is_kept_as_undeliverable_with_the_reason() -> None:
    router = Router(bad=Rejected("no such subscriber"))
    given = packet(Text("one", ALICE), Text("bad", ALICE), Text("two", ALICE))
    assert await offer_packet(given, "hive", router.emit) == 1
    assert [getattr(taken, "text", None) for taken in router.taken] == ["one", "bad", "two"]
    refused = router.taken[1]
    assert isinstance(refused, DeadLetter)
    assert (refused.reason, refused.raw, refused.recipient) == (
        "no such subscriber",
        given.raw,
        ALICE,
    )
    assert refused.id == message_id("hive", "5", "1")


@pytest.mark.parametrize("error", [Unavailable("database away"), RuntimeError("a bug")])
async def test_one_message_that_fails_for_now_does_not_keep_back_the_others(
    error: Exception,
) -> None:
    router = Router(bad=error)
    with pytest.raises(type(error)):
        await offer_packet(packet(Text("bad", ALICE), Text("two", ALICE)), "hive", router.emit)
    assert [getattr(taken, "text", None) for taken in router.taken] == ["two"]


async def test_a_router_that_refuses_even_the_undeliverable_is_no_yes() -> None:
    async def refuse(inbound: Inbound) -> None:
        raise Rejected("never")

    with pytest.raises(Rejected):
        await offer_packet(packet(Text("one", ALICE)), "hive", refuse)


async def test_one_packet_of_an_unregistered_device_is_one_dead_letter() -> None:
    place = Position(latitude=1, longitude=2)
    texts = (Text("hello", Address(Network.EMAIL, "ann@x.example")),)
    one = Packet(id="p", serial="1", payload=None, raw=b"raw", texts=texts, position=place)
    kept: list[DeadLetter] = []

    async def emit(record: Inbound) -> None:
        if not isinstance(record, DeadLetter):
            raise Rejected("the device is not registered here")
        kept.append(record)

    assert await offer_packet(one, "hive", emit) == 1
    assert len(kept) == 1
    kept.clear()
    assert await offer_packet(replace(one, texts=()), "hive", emit) == 1
    assert len(kept) == 1
