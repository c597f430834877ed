"""The rules of routing, as a table: who writes to whom, where it goes and as whom it leaves."""

from dataclasses import replace

import pytest

from messaging.model.message import Address, Message, Network
from messaging.store.accept import refusals as p
from messaging.store.accept.context import BatchContext, DeviceInfo, SenderDevice, SubscriberInfo
from messaging.store.accept.refusals import Refusal
from messaging.store.accept.routing import Policy, Route
from tests.support.store import records as g
from tests.support.store.records import email, phone, uplink

SATELLITE = Network.SATELLITE
BOOP = SubscriberInfo(1, "boop", g.BOOPS_NUMBER, True, (DeviceInfo(11, "hive", "1001"),))
ANN = SubscriberInfo(
    2, "ann", "+15550002222", True, (DeviceInfo(21, "hive", "2001"), DeviceInfo(22, "rock", "2002"))
)
MUTE = SubscriberInfo(3, "mute", None, True, (DeviceInfo(31, "hive", "3001"),))
AWAY = SubscriberInfo(4, "away", "+15550004444", False, (DeviceInfo(41, "hive", "4001"),))
BARE = SubscriberInfo(5, "bare", "+15550005555", True)
ROCK = SubscriberInfo(6, "rock", "+15550006666", True, (DeviceInfo(61, "rock", "6001"),))
SUBSCRIBERS = (BOOP, ANN, MUTE, AWAY, BARE, ROCK)
OPTED_OUT = "+15559990000"
CONTEXT = BatchContext(
    by_name={one.name: one for one in SUBSCRIBERS},
    by_number={one.number: one for one in SUBSCRIBERS if one.number},
    sender_devices={
        ("hive", "1001"): SenderDevice(11, True, BOOP),
        ("hive", "1009"): SenderDevice(19, False, BOOP),
        ("hive", "3001"): SenderDevice(31, True, MUTE),
        ("hive", "4001"): SenderDevice(41, True, AWAY),
    },
    opted_out={(OPTED_OUT, g.BOOPS_NUMBER)},
)
POLICY = Policy("example.org", g.VIAS, satellites={"hive": "protobuf"})
OFF = Policy("example.org", {})

BOOP_MAIL = email("boop@example.org")
BOOP_PHONE = phone(g.BOOPS_NUMBER)
TO_BOOP = ("hive", Address(SATELLITE, "1001"))
TO_ANN = ("hive", Address(SATELLITE, "2001"))


@pytest.mark.parametrize(
    ("message", "sender", "to"),
    [
        (g.mail(), email("friend@example.com"), TO_BOOP),
        (g.mail(to="Boop+tag@EXAMPLE.org"), email("friend@example.com"), TO_BOOP),
        (g.sms(), phone(g.FRIENDS_NUMBER), TO_BOOP),
        (uplink(email("mum@example.com")), BOOP_MAIL, ("smtp", email("mum@example.com"))),
        (uplink(phone("+1 555 222 0000")), BOOP_PHONE, ("twilio", phone("+15552220000"))),
        (uplink(email("ann@example.org")), BOOP_MAIL, TO_ANN),
        (uplink(email("ANN+x@Example.org")), BOOP_MAIL, TO_ANN),
        (uplink(phone("+15550002222")), BOOP_PHONE, TO_ANN),
        (uplink(phone("+15550002222"), serial="3001"), email("mute@example.org"), TO_ANN),
        (uplink(BOOP_MAIL), BOOP_MAIL, TO_BOOP),
        (uplink(BOOP_PHONE), BOOP_PHONE, TO_BOOP),
    ],
)
def test_a_message_leaves_as_its_author_by_the_right_provider(
    message: Message, sender: Address, to: tuple[str, Address]
) -> None:
    route = POLICY.route(message, CONTEXT)
    assert isinstance(route, Route)
    assert [(d.sender, (d.via, d.recipient)) for d in route.deliveries] == [(sender, to)]


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (g.mail(to="nobody@example.org"), p.UNKNOWN),
        (g.mail(to="@example.org"), p.UNKNOWN),
        (g.mail(to="boop@example.com"), p.NOT_OURS),
        (g.mail(to="away@example.org"), p.INACTIVE),
        (g.mail(to="bare@example.org"), p.NO_DEVICE),
        (g.mail(to="rock@example.org"), p.SATELLITE_OFF),
        (g.sms(to="+15557770000"), p.UNKNOWN),
        (g.sms(to="12345"), p.UNKNOWN),
        (uplink(email("a@example.com"), serial="77"), p.UNKNOWN_DEVICE),
        (uplink(email("a@example.com"), via="rock"), p.UNKNOWN_DEVICE),
        (uplink(email("a@example.com"), serial="1009"), p.INACTIVE_DEVICE),
        (uplink(email("a@example.com"), serial="4001"), p.INACTIVE_OWNER),
        (uplink(email("nobody@example.org")), p.UNKNOWN),
        (uplink(email("not a mailbox")), p.BAD_MAILBOX),
        (uplink(phone("12345")), p.NO_ANSWERS),
        (uplink(phone("DHL")), p.NO_ANSWERS),
        (uplink(phone("+15")), p.BAD_NUMBER),
        (uplink(phone("whatsapp:+15559990001")), p.NO_WHATSAPP),
        (uplink(phone(OPTED_OUT)), p.OPTED_OUT),
        (uplink(phone("+15552220000"), serial="3001"), p.NO_NUMBER),
        (uplink(Address(SATELLITE, "2001")), p.NOT_ADDRESSABLE),
    ],
)
def test_what_cannot_be_routed_is_refused_with_a_reason(message: Message, refusal: Refusal) -> None:
    assert POLICY.route(message, CONTEXT) is refusal


@pytest.mark.parametrize(
    ("to", "refusal"), [(email("a@b.c"), p.MAIL_OFF), (phone("+15552220000"), p.SMS_OFF)]
)
def test_a_network_that_is_not_configured_is_off(to: Address, refusal: Refusal) -> None:
    assert OFF.route(uplink(to), CONTEXT) is refusal


def test_without_a_list_of_satellites_any_network_of_a_device_will_do() -> None:
    policy = replace(OFF, delivers_to_all=True)
    route = policy.route_to_subscriber(email(""), email("ann@example.org"), CONTEXT)
    assert isinstance(route, Route)
    assert [d.via for d in route.deliveries] == ["hive", "rock"]


def test_the_device_that_wrote_is_remembered() -> None:
    route = POLICY.route(uplink(email("ann@example.org")), CONTEXT)
    assert isinstance(route, Route)
    assert (route.subscriber_id, route.sender_device_id) == (ANN.id, 11)


PROVIDERS = frozenset({"hive", "rock"})


@pytest.mark.parametrize(
    ("providers", "refusal"),
    [(PROVIDERS, p.SATELLITE_AWAY), (frozenset({"hive"}), p.SATELLITE_OFF)],
)
def test_mail_waits_for_a_network_that_lost_its_settings_and_not_for_one_that_there_is_not(
    providers: frozenset[str], refusal: p.Refusal
) -> None:
    policy = replace(POLICY, providers=providers)
    assert policy.route(g.mail(to="rock@example.org"), CONTEXT) == refusal


def test_a_packet_does_not_wait_for_a_network_that_lost_its_settings() -> None:
    policy = replace(POLICY, providers=PROVIDERS)
    assert policy.route(uplink(email("rock@example.org")), CONTEXT) == p.SATELLITE_OFF
