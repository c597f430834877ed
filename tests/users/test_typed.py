"""What was typed on a device reaches whom it means, once; what goes nowhere is kept, and its author told."""

from dataclasses import replace
from typing import Any

import pytest

from messaging.errors import GatewayError, Rejected, Unavailable
from messaging.message import (
    Address,
    Delivery,
    Handed,
    Message,
    Network,
    Outcome,
    Position,
    Typed,
    message_id,
)
from messaging.users.models import Contact, Device, OptOut, Subscriber
from messaging.users.models import Delivery as Row
from messaging.users.models import Message as Stored
from messaging.users.router import Router
from tests.users import given as g
from tests.users.given import VIAS, Gateway

DORA = "dora@example.net"
PLACE = Position(latitude=47.123456, longitude=-8.5)


@pytest.fixture
def typing(gateway: Gateway) -> Gateway:
    """A gateway whose only device writes plain text, and whose owner has two contacts."""
    Device.objects.update(codec="text")
    owner = Subscriber.objects.get()
    Contact.objects.create(owner=owner, name="alice", address="Alice@example.net")
    Contact.objects.create(owner=owner, name="bob", address=g.FRIENDS_NUMBER)
    return gateway


def typed(text: str, key: str = "typed", **more: Any) -> Typed:
    device = Address(Network.SATELLITE, "1001")
    return Typed(**{"id": message_id(key), "sender": device, "text": text, "via": "hive", **more})


def offer(gateway: Gateway, record: Typed | Message) -> list[Delivery] | Exception:
    [result] = gateway.router.process([record])
    return result


def take(gateway: Gateway, record: Typed | Message) -> Delivery:
    result = offer(gateway, record)
    assert isinstance(result, list), result
    [delivery] = result
    return delivery


def parties(delivery: Delivery) -> tuple[str, str, str]:
    message = delivery.message
    return message.sender.value, message.recipient.value, message.text


def wrote(
    gateway: Gateway, author: str, key: str = "in", error: GatewayError | None = None
) -> None:
    """Let a mail come, and end one way or the other."""
    mail = replace(g.mail(key), sender=g.email(author))
    gateway.settle(gateway.take_one(mail), error)


def test_a_contact_is_reached_by_name_by_mail(typing: Gateway) -> None:
    delivery = take(typing, typed("@alice See you"))
    assert parties(delivery) == ("boop@example.org", "Alice@example.net", "See you")
    assert delivery.via == "smtp"


def test_a_contact_is_reached_by_name_by_sms(typing: Gateway) -> None:
    delivery = take(typing, typed("@BOB See you"))
    assert parties(delivery) == (g.BOOPS_NUMBER, g.FRIENDS_NUMBER, "See you")


def test_the_contacts_are_the_owners_own(typing: Gateway) -> None:
    ann = Subscriber.objects.create(name="ann")
    Device.objects.create(network="hive", serial="1002", owner=ann, codec="text")
    sender = Address(Network.SATELLITE, "1002")
    hint = take(typing, typed("@alice See you", sender=sender))
    assert hint.message.text == "Not sent: no contact @alice"


def test_a_text_alone_answers_who_wrote_last_and_was_heard(typing: Gateway) -> None:
    wrote(typing, "alice@example.net", "first")
    wrote(typing, DORA, "second")
    wrote(typing, "eve@example.net", "lost", Rejected("no such device"))
    assert parties(take(typing, typed("On my way")))[1:] == (DORA, "On my way")


def test_a_phone_is_answered_by_sms(typing: Gateway) -> None:
    typing.settle(typing.take_one(g.sms()))
    assert take(typing, typed("On my way")).message.recipient == g.phone(g.FRIENDS_NUMBER)


def test_each_device_answers_for_itself(typing: Gateway) -> None:
    wrote(typing, DORA)
    owner = Subscriber.objects.get()
    Device.objects.create(network="hive", serial="1002", owner=owner, codec="text")
    sender = Address(Network.SATELLITE, "1002")
    assert "nobody to answer" in take(typing, typed("Yes", sender=sender)).message.text


def test_the_gateways_own_words_are_nobody_to_answer(typing: Gateway) -> None:
    wrote(typing, DORA)
    typing.settle(take(typing, typed("@nobody hi")))
    assert take(typing, typed("Yes", "then")).message.recipient.value == DORA


def test_what_is_offered_twice_leaves_once_to_the_first(typing: Gateway) -> None:
    wrote(typing, DORA)
    take(typing, typed("Yes"))
    wrote(typing, "alice@example.net", "later")
    assert offer(typing, typed("Yes")) == []
    assert Row.objects.filter(recipient_network="email").count() == 1


# -- what is not understood


def test_what_is_not_understood_is_kept_and_answered_once(typing: Gateway) -> None:
    hint = take(typing, typed("@alise See you"))
    assert parties(hint) == ("", "1001", "Not sent: no contact @alise")
    assert (hint.via, hint.codec) == ("hive", "text")
    kept = Stored.objects.get(id=message_id("typed"))
    assert (kept.reason, bytes(kept.raw or b"")) == ("no contact @alise", b"@alise See you")
    assert kept.device is not None
    assert offer(typing, typed("@alise See you")) == []
    assert Row.objects.count() == 1


def test_the_answer_is_tried_again_like_any_message(typing: Gateway) -> None:
    typing.settle(take(typing, typed("@alise See you")), Unavailable("busy"))
    typing.clock.turn(3600)
    [again] = typing.owed()
    assert (again.message.text, again.codec) == ("Not sent: no contact @alise", "text")


def test_what_goes_nowhere_is_answered_too(typing: Gateway) -> None:
    OptOut.objects.create(peer=g.FRIENDS_NUMBER, number=g.BOOPS_NUMBER, since=typing.clock.now)
    hint = take(typing, typed("@bob See you"))
    assert hint.message.text.startswith("Not sent: the recipient asked not to get messages")


def test_a_device_is_told_so_often_and_no_more(typing: Gateway) -> None:
    settings = typing.settings.model_copy(
        update={"max_hourly_hints_per_device": 2, "max_waiting_per_subscriber": 0}
    )
    router = Router(settings, VIAS, now=typing.clock)
    batch = [typed("@alise hi", f"n{n}") for n in range(3)]
    told = [bool(result) for result in router.process(batch)]
    assert told == [True, True, False]
    assert router.process([typed("@alise hi", "n4")]) == [[]]
    status = router.status()
    assert (status["not_understood"], status["undeliverable"]) == (2, 2)
    assert Stored.objects.exclude(reason="").count() == 4


def test_a_full_queue_gets_no_answers_on_top(typing: Gateway) -> None:
    for number in range(5):
        typing.take(g.mail(str(number)))
    assert offer(typing, typed("@alise hi")) == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"serial": "1003"}])
def test_a_device_that_is_not_served_is_refused_and_not_answered(
    typing: Gateway, change: dict[str, Any]
) -> None:
    Device.objects.update(**change)
    assert isinstance(offer(typing, typed("@alise hi")), Rejected)
    assert Row.objects.count() == 0


def test_a_busy_store_is_no_misunderstanding(typing: Gateway) -> None:
    ann = Subscriber.objects.create(name="ann")
    Device.objects.create(network="hive", serial="1002", owner=ann)
    for number in range(5):
        typing.take(g.mail(str(number), to="ann@example.org"))
    assert isinstance(offer(typing, typed("ann@example.org hi")), Unavailable)
    assert Stored.objects.filter(id=message_id("typed")).count() == 0


# -- the codec


@pytest.mark.parametrize(
    ("network", "device", "understood"),
    [
        ("protobuf", "", False),
        ("protobuf", "text", True),
        ("text", "", True),
        ("text", "protobuf", False),
    ],
)
def test_the_codec_of_the_device_counts_and_else_that_of_its_network(
    typing: Gateway, network: str, device: str, understood: bool
) -> None:
    Device.objects.update(codec=device)
    router = Router(typing.settings, VIAS, {"hive": network}, now=typing.clock)
    [result] = router.process([typed("@alice hi")])
    assert isinstance(result, list) is understood
    if not understood:
        assert str(result) == "the packet is not in the devices' message format"


# -- what the device gets


def test_a_downlink_names_its_sender_as_the_owner_does(typing: Gateway) -> None:
    mail = replace(g.mail(), sender=g.email("ALICE@example.net"))
    delivery = typing.take_one(mail)
    assert (delivery.message.sender_name, delivery.codec) == ("alice", "text")
    Contact.objects.all().delete()
    typing.settle(delivery, Unavailable("busy"))
    typing.clock.turn(3600)
    [again] = typing.owed()
    assert again.message.sender_name == "alice"


@pytest.mark.parametrize("sender", ["dora@example.net", "friend@example.com"])
def test_a_stranger_has_no_name(typing: Gateway, sender: str) -> None:
    ann = Subscriber.objects.create(name="ann")
    Contact.objects.create(owner=ann, name="friend", address="friend@example.com")
    mail = replace(g.mail(), sender=g.email(sender))
    assert typing.take_one(mail).message.sender_name == ""


# -- the place


def test_a_place_is_one_line_of_mail_and_sms_and_stays(typing: Gateway) -> None:
    link = "https://www.openstreetmap.org/?mlat=47.12346&mlon=-8.50000"
    for number, name in enumerate(("alice", "bob")):
        delivery = take(typing, typed(f"@{name} Here", str(number), position=PLACE))
        assert delivery.message.text == f"Here\nPosition: {link}"
        typing.settle(delivery, Unavailable("busy"))
    typing.clock.turn(3600)
    assert {d.message.text for d in typing.owed()} == {f"Here\nPosition: {link}"}


def test_a_place_says_since_when_and_how_well_it_is_known(typing: Gateway) -> None:
    place = replace(PLACE, at=typing.clock.now, accuracy_meters=3000.0)
    settings = typing.settings.model_copy(
        update={"map_url": "https://m.example/{latitude}/{longitude}"}
    )
    router = Router(settings, VIAS, now=typing.clock)
    [[delivery]] = router.process([replace(g.uplink(g.email(DORA)), position=place)])  # type: ignore[misc]
    expected = "all well\nPosition 2026-01-01 12:00 UTC within 3000 m or so: https://m.example/47.12346/-8.50000"
    assert delivery.message.text == expected


def test_a_device_that_keeps_its_place_to_itself(typing: Gateway) -> None:
    Device.objects.update(adds_position=False)
    assert take(typing, typed("@alice Here", position=PLACE)).message.text == "Here"


def test_another_device_gets_no_place(typing: Gateway) -> None:
    ann = Subscriber.objects.create(name="ann")
    Device.objects.create(network="hive", serial="1002", owner=ann)
    delivery = take(typing, typed("ann@example.org Here", position=PLACE))
    assert parties(delivery) == ("boop@example.org", "1002", "Here")


def test_parts_of_what_a_text_device_sends_settle_as_ever(typing: Gateway) -> None:
    delivery = take(typing, typed("@alice Here"))
    assert typing.ledger.process([Outcome.sent(delivery, Handed("1"))]) == [[]]
    assert Row.objects.get().state == "sent"
