"""What was typed on a device reaches whom it means, once, and says who and where."""

from dataclasses import replace

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import (
    Address,
    Network,
    OptOutChange,
    Outcome,
    SubmittedPart,
    message_id,
)
from messaging.store.accept.refusals import NO_WHATSAPP, OPTED_OUT
from messaging.store.accept.router import Router
from messaging.store.models import Contact, Device, Subscriber
from messaging.store.models import Delivery as Row
from tests.support.store import records as g
from tests.support.store.device_texts import (
    DORA,
    PLACE,
    offer,
    parties,
    take,
    take_all,
    typed,
    wrote,
)
from tests.support.store.records import VIAS, Gateway


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


def test_a_text_alone_answers_the_last_contact_who_wrote_and_was_heard(typing: Gateway) -> None:
    wrote(typing, "alice@example.net", "first")
    wrote(typing, DORA, "a stranger")
    wrote(typing, "alice@example.net", "lost", Rejected("no such device"))
    texts = [one.message.text for one in take_all(typing, typed("On my way"))]
    assert texts == ["On my way", "-> @alice"]
    assert Row.objects.filter(recipient="alice@example.net").count() == 1


def test_a_phone_is_answered_by_sms(typing: Gateway) -> None:
    typing.settle(typing.take_one(g.sms()))
    assert take(typing, typed("On my way")).message.recipient == g.phone(g.FRIENDS_NUMBER)


def test_a_text_alone_goes_to_whom_the_device_wrote_last(typing: Gateway) -> None:
    wrote(typing, "alice@example.net")
    typing.settle(take(typing, typed(f"{DORA} hello", "first")))
    typing.clock.turn(60)
    sent, echo = take_all(typing, typed("On my way", "second"))
    assert (sent.message.recipient.value, echo.message.text) == (DORA, f"-> {DORA}")
    # The device knows it from the echo.
    typing.settle(sent)
    typing.settle(echo)
    typing.clock.turn(60)
    assert parties(take(typing, typed("At the pier", "third")))[1:] == (DORA, "At the pier")


def test_no_stranger_list_or_machine_is_answered(typing: Gateway) -> None:
    wrote(typing, DORA)
    machine = replace(g.mail("machine"), sender=g.email("alice@example.net"), takes_answers=False)
    typing.settle(typing.take_one(machine))
    typing.settle(typing.take_one(replace(g.sms("name"), sender=g.phone("SUPPORT"))))
    assert "no contact to answer" in take(typing, typed("Yes")).message.text


def test_an_answer_goes_to_the_address_for_answers(typing: Gateway) -> None:
    mail = replace(
        g.mail(), sender=g.email("alice@example.net"), answer_address="office@example.net"
    )
    typing.settle(typing.take_one(mail))
    assert take(typing, typed("Yes")).message.recipient.value == "office@example.net"


def test_each_device_answers_for_itself(typing: Gateway) -> None:
    wrote(typing, "alice@example.net")
    owner = Subscriber.objects.get()
    Device.objects.create(network="hive", serial="1002", owner=owner, codec="text")
    sender = Address(Network.SATELLITE, "1002")
    assert "no contact to answer" in take(typing, typed("Yes", sender=sender)).message.text


def test_the_gateways_own_words_are_nobody_to_answer(typing: Gateway) -> None:
    wrote(typing, "alice@example.net")
    typing.settle(take(typing, typed("@nobody hi")))
    assert take(typing, typed("Yes", "then")).message.recipient.value == "alice@example.net"


def test_what_is_offered_twice_leaves_once_to_the_first(typing: Gateway) -> None:
    wrote(typing, "alice@example.net")
    take(typing, typed("Yes"))
    wrote(typing, DORA, "later")
    assert offer(typing, typed("Yes")) == []
    assert Row.objects.filter(recipient_network="email").count() == 1


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


@pytest.mark.parametrize(
    ("sender", "display_name", "shown"),
    [
        ("x7f3@relay.example", "Ann Smith", "Ann Smith"),
        ("x7f3@relay.example", "Alice", ""),
        ("x7f3@relay.example", "Ann (Alice)", ""),
        ("x7f3@relay.example", "Alice Smith", ""),
        ("x7f3@relay.example", "alice@example.net", ""),
        ("alice@example.net", "Ann Smith", ""),
        ("ann.smith@example.net", "Ann Smith", ""),
    ],
)
def test_a_stranger_is_shown_by_address_and_a_display_name_that_imitates_no_contact(
    typing: Gateway, sender: str, display_name: str, shown: str
) -> None:
    mail = replace(g.mail(), sender=g.email(sender), display_name=display_name)
    delivery = typing.take_one(mail)
    assert delivery.message.display_name == shown
    typing.settle(delivery, Unavailable("busy"))
    typing.clock.turn(3600)
    [again] = typing.owed()
    assert (again.message.display_name, again.message.sender.value) == (shown, sender)


def test_a_contact_of_another_owner_is_not_imitated(typing: Gateway) -> None:
    ann = Subscriber.objects.create(name="ann")
    Contact.objects.create(owner=ann, name="carol", address="carol@example.com")
    mail = replace(g.mail(), sender=g.email("x7f3@relay.example"), display_name="Carol")
    assert typing.take_one(mail).message.display_name == "Carol"


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
    typing.begin(delivery)
    assert typing.ledger.process([Outcome.sent(delivery, SubmittedPart("1"))]) == [[]]
    assert Row.objects.get().state == "sent"


def test_the_texts_of_one_batch_follow_each_other(typing: Gateway) -> None:
    wrote(typing, DORA)
    results = typing.router.process([typed("@alice Hi", "first"), typed("And more", "second")])
    texts = [one.message for result in results if isinstance(result, list) for one in result]
    people = [one.recipient.value for one in texts if not one.text.startswith("->")]
    assert people == ["Alice@example.net", "Alice@example.net"]


def test_the_last_of_several_texts_of_one_moment_counts(typing: Gateway) -> None:
    typing.router.process([typed(f"@{name} Hi", f"{n}") for n, name in enumerate(("alice", "bob"))])
    assert take(typing, typed("More", "more")).message.recipient == g.phone(g.FRIENDS_NUMBER)


@pytest.mark.parametrize("machine", ["mailer-daemon@example.net", "NoReply@example.net"])
def test_no_machine_that_the_device_wrote_to_gets_the_next_text(
    typing: Gateway, machine: str
) -> None:
    typing.settle(take(typing, typed("@alice Hi", "first")))
    typing.clock.turn(60)
    typing.settle(take(typing, typed(f"{machine} Hi", "second")))
    typing.clock.turn(60)
    assert take(typing, typed("More", "third")).message.recipient.value == "Alice@example.net"


@pytest.mark.parametrize("sender", ["DHL", "MyBank", "12345", "My Bank"])
def test_a_name_or_a_short_code_takes_no_answers(typing: Gateway, sender: str) -> None:
    typing.settle(take(typing, typed("@alice Hi", "first")))
    text = typing.take_one(replace(g.sms("parcel"), sender=g.phone(sender)))
    assert (text.message.sender.value, text.message.sender_name) == (sender, "")
    typing.settle(text)
    wrote(typing, "alice@example.net", "later")
    for number, word in enumerate((sender, f"{sender}:", sender.lower())):
        hint = take(typing, typed(f"{word} thanks", f"answer {number}"))
        assert hint.message.text == f"Not sent: {sender} takes no answers"
    assert take(typing, typed("Thanks", "plain")).message.recipient.value == "Alice@example.net"


def test_an_answer_over_whatsapp_leaves_over_whatsapp(typing: Gateway) -> None:
    friend, ours = f"whatsapp:{g.FRIENDS_NUMBER}", f"whatsapp:{g.BOOPS_NUMBER}"
    came = replace(g.sms("wa"), sender=g.phone(friend), recipient=g.phone(ours))
    downlink = typing.take_one(came)
    assert downlink.message.sender.value == friend
    typing.settle(downlink)
    hint = take(typing, typed("On my way", "stranger"))
    assert "no contact to answer" in hint.message.text
    refused = take(typing, typed(f"{friend} On my way", "off"))
    assert refused.message.text == f"Not sent: {NO_WHATSAPP.reason}"
    router = Router(typing.settings, VIAS, now=typing.clock, whatsapp_accounts={"twilio"})
    carrying = replace(typing, router=router)
    boop = Subscriber.objects.get(name="boop")
    Contact.objects.create(owner=boop, name="carl", address=friend)
    for number, text in enumerate(("On my way", "@carl On my way", f"{friend} On my way")):
        sent = take(carrying, typed(text, f"answer {number}"))
        assert parties(sent) == (ours, friend, "On my way")
        assert sent.via == "twilio"
    stop = OptOutChange(
        id=message_id("stop"),
        sender=g.phone(friend),
        recipient=g.phone(ours),
        allowed=False,
        via="twilio",
    )
    carrying.router.process([stop])
    assert (
        take(carrying, typed("@carl again", "again")).message.text
        == f"Not sent: {OPTED_OUT.reason}"
    )
    sms = take(carrying, typed(f"{g.FRIENDS_NUMBER} by SMS", "sms"))
    assert parties(sms) == (g.BOOPS_NUMBER, g.FRIENDS_NUMBER, "by SMS")
