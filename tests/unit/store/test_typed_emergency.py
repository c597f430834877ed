"""A typed call for help is an emergency like the button: for every device, past every limit, once."""

import re
from dataclasses import replace

import pytest

from messaging.model.message import Address, Delivery, Network, Sos
from messaging.store.accept.emergency import NO_RECIPIENT
from messaging.store.accept.emergency_text import read_emergency
from messaging.store.accept.router import Router
from messaging.store.console.emergencies import recent_emergencies, without_emergency_contact
from messaging.store.models import Contact, Message, Subscriber
from messaging.store.models import Delivery as Row
from tests.support.paths import ROOT
from tests.support.store import records as g
from tests.support.store.device_texts import PLACE, typed
from tests.support.store.records import VIAS, Gateway

WORDS = ("SOS", "MAYDAY", "HELP", "HILFE", "NOTFALL", "AU SECOURS", "AIUTO", "AYUDA", "SOCORRO")
OPERATOR, MUM = "watch@example.org", "mum@example.net"
DOCUMENT = (ROOT / "docs/plain-text.md").read_text()
SECTION = DOCUMENT.partition("## Calling for help")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| `(.*?)` \| (.*?) \|$", SECTION, re.MULTILINE)


@pytest.mark.parametrize(("text", "meaning"), ROWS)
def test_the_table_of_the_document_is_true(text: str, meaning: str) -> None:
    stage = read_emergency(text.removeprefix("@alice "), WORDS)
    if meaning.startswith("the end"):
        assert stage is Sos.CANCELLED
    else:
        assert (stage is Sos.DECLARED) is meaning.startswith("an emergency")


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("HELP", Sos.DECLARED),
        ("help help help", Sos.DECLARED),
        ("S.O.S", None),
        ("sos!!!", Sos.DECLARED),
        ("  SOS\nwe sink", Sos.DECLARED),
        ("mayday mayday mayday sv Boop", Sos.DECLARED),
        ("Au secours !", Sos.DECLARED),
        ("AU SECOURS on coule", Sos.DECLARED),
        ("HILFE: Motor brennt", Sos.DECLARED),
        ("SOS over a cliff", Sos.DECLARED),
        ("SOS OK", Sos.CANCELLED),
        ("mayday canceled", Sos.CANCELLED),
        ("SOSO la la", None),
        ("HELPFUL as ever", None),
        ("Help me choose a colour", None),
        ("hilfe", Sos.DECLARED),
        ("send help", None),
        ("", None),
    ],
)
def test_only_calls_for_help_are_found(text: str, stage: Sos | None) -> None:
    assert read_emergency(text, WORDS) is stage


def test_without_words_nothing_is_found() -> None:
    assert read_emergency("SOS", ()) is None


@pytest.fixture
def watched(typing: Gateway) -> Gateway:
    settings = typing.settings.model_copy(
        update={"operator_addresses": OPERATOR, "max_waiting_per_subscriber": 1}
    )
    owner = Subscriber.objects.get()
    Contact.objects.create(owner=owner, name="mum", address=MUM, is_emergency=True)
    return replace(typing, settings=settings, router=Router(settings, VIAS, now=typing.clock))


def take(gateway: Gateway, text: str, key: str = "sos", **changes: object) -> list[Delivery]:
    [result] = gateway.router.process([typed(text, key, **changes)])
    assert isinstance(result, list), result
    return result


def recipients(deliveries: list[Delivery]) -> list[str]:
    return sorted(one.message.recipient.value for one in deliveries)


def test_contacts_operators_and_the_named_recipient_are_told(watched: Gateway) -> None:
    deliveries = take(watched, "@alice SOS broken leg", position=PLACE)
    assert recipients(deliveries) == ["Alice@example.net", MUM, OPERATOR]
    assert all(one.is_urgent for one in deliveries)
    texts = {one.message.recipient.value: one.message for one in deliveries}
    assert texts["Alice@example.net"].text.startswith("SOS broken leg")
    assert "calls for help" in texts[MUM].subject
    assert "calls for help" not in texts[MUM].text
    assert "It says: @alice SOS broken leg" in texts[MUM].text
    assert "Position:" in texts[MUM].text
    assert take(watched, "@alice SOS broken leg", position=PLACE) == []
    assert Row.objects.count() == 3
    assert watched.router.status()["emergencies"] == 1


def test_a_call_without_a_recipient_is_an_emergency_and_no_mistake(watched: Gateway) -> None:
    assert recipients(take(watched, "mayday taking water")) == [MUM, OPERATOR]
    assert take(watched, "mayday taking water") == []
    assert recipients(take(watched, "@nobody HELP fire", "other")) == [MUM, OPERATOR]
    [newest, _] = recent_emergencies(watched.clock.now)
    assert newest.state == "waiting"
    assert newest.headline.startswith("SOS: boop's device 1001 (hive) calls for help")


def test_no_registration_and_no_codec_refuses_a_call(watched: Gateway) -> None:
    stranger = Address(Network.SATELLITE, "4711")
    assert recipients(take(watched, "SOS", sender=stranger)) == [OPERATOR]
    Subscriber.objects.get().devices.update(codec="protobuf", is_active=False)
    assert recipients(take(watched, "SOS sinking", "second")) == [MUM, OPERATOR]


def test_a_message_of_an_app_is_read_too(watched: Gateway) -> None:
    message = replace(g.uplink(g.email("ann@friends.example")), text="HELP we sink")
    [result] = watched.router.process([message])
    assert isinstance(result, list)
    assert recipients(result) == ["ann@friends.example", MUM, OPERATOR]
    pressed = replace(message, id="1" * 32, sos=Sos.DECLARED)
    [own] = watched.router.process([pressed])
    assert isinstance(own, list)
    assert recipients(own) == ["ann@friends.example"]


def test_a_call_that_reaches_nobody_is_kept_and_named(
    typing: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    assert take(typing, "SOS alone") == []
    assert NO_RECIPIENT in caplog.text
    assert Message.objects.get().reason == NO_RECIPIENT
    [row] = recent_emergencies(typing.clock.now)
    assert row.state == "undeliverable"
    assert "1001" in row.headline
    assert without_emergency_contact() == ["boop"]
    assert "device=1001" in caplog.text or any(
        getattr(one, "fields", {}).get("device") == "1001" for one in caplog.records
    )


def test_a_cancelled_call_is_told_as_such(watched: Gateway) -> None:
    deliveries = take(watched, "SOS cancelled, all well")
    assert {one.message.subject for one in deliveries} == {
        "SOS: boop's device 1001 (hive) has cancelled its call for help"
    }
