"""A device sends no more than it may: so many texts of a packet, to known countries, at its pace. Emergencies aside."""

import asyncio
import base64
import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, GatewayError, Rejected
from messaging.model.address_syntax import country_of
from messaging.model.message import Inbound, message_id
from messaging.model.webhook import Webhook
from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from messaging.satellite.webhook import receive
from messaging.simulator.shared.device_payload import device_payload
from messaging.store.accept.router import Router
from messaging.store.models import Contact, Delivery, Device, Message, Subscriber
from messaging.store.outgoing.countries import CountryRule, KnownNumbers
from messaging.store.outgoing.limits import MAX_HOURLY_EMERGENCIES
from tests.support.satellite.ground_control import SECRET, THING
from tests.support.store import records as g
from tests.support.store.device_texts import offer, take, typed
from tests.support.store.records import VIAS, Clock, Gateway

GERMAN, FRENCH, CANADIAN = "+4915123456789", "+33612345678", "+14165550123"
IRIDIUM, PREMIUM = "+881612345678", "+882161234567"


def with_limits(gateway: Gateway, **limits: Any) -> Gateway:
    defaults = {
        name: Settings.model_fields[name].default
        for name in ("max_hourly_per_device", "max_daily_per_device", "max_daily_units_per_device")
    }
    no_others = {"max_waiting_per_subscriber": 0, "max_hourly_kept_per_subscriber": 0}
    settings = gateway.settings.model_copy(update={**defaults, **no_others, **limits})
    return replace(gateway, router=Router(settings, VIAS, now=gateway.clock), settings=settings)


def know(name: str, number: str, **more: Any) -> None:
    Contact.objects.create(owner=Subscriber.objects.get(), name=name, address=number, **more)


def text_to(gateway: Gateway, number: str, key: str = "text") -> list[Any] | Exception:
    [result] = gateway.router.process([g.uplink(g.phone(number), key)])
    return result


# -- SMS pumping


def post(
    gateway: Gateway, texts: Sequence[dict[str, str]], key: str = "webhook", times: int = 3
) -> None:
    """Post one webhook of Cloudloop, whose only proof is the secret in its path, and repeat it."""
    account = read(CloudloopAccount, token="t", webhook_secret=SECRET, service="imt")
    payload = base64.b64encode(device_payload(texts)).decode()
    fields = {"id": key, "identity": {"thingId": THING}, "imt": {}, "message": payload}
    path = f"/satellite/cloudloop/cloudloop/{SECRET}"
    webhook = Webhook(path=path, query="", headers={}, body=json.dumps(fields).encode())

    # The store belongs to this thread, the event loop of the webhook to another one.
    offers: SimpleQueue[tuple[Inbound, Future[None]] | None] = SimpleQueue()

    async def emit(record: Inbound) -> None:
        taken: Future[None] = Future()
        offers.put((record, taken))
        await asyncio.wrap_future(taken)

    def post_all() -> None:
        try:
            for _ in range(times):
                asyncio.run(receive(account, webhook, emit, "https://example.org"))
        finally:
            offers.put(None)

    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(post_all)
        while (one := offers.get()) is not None:
            [result] = gateway.router.process([one[0]])
            if isinstance(result, GatewayError):
                one[1].set_exception(result)
            else:
                one[1].set_result(None)
        posting.result()


@pytest.fixture
def pumped(gateway: Gateway) -> Gateway:
    """A gateway with a device at Cloudloop."""
    Device.objects.create(
        network="cloudloop", serial=THING, owner=Subscriber.objects.get(name="boop")
    )
    return with_limits(gateway)


def texts_to(numbers: Sequence[str], text: str = "win a prize") -> list[dict[str, str]]:
    return [{"text": text, "to": number, "protocol": "sms"} for number in numbers]


def test_two_thousand_texts_to_satellite_phones_come_to_nothing(pumped: Gateway) -> None:
    post(pumped, texts_to([f"+8821{number:07d}" for number in range(2000)]))
    assert Delivery.objects.count() == 0
    reasons = sorted(Message.objects.values_list("reason", flat=True))
    refused = "no SMS to +882 from here; have the number added as a contact"
    assert reasons == [refused] * 10 + ["the packet holds 2000 texts; 10 of them are delivered"]


def test_two_thousand_texts_to_known_countries_are_ten(pumped: Gateway) -> None:
    know("hans", GERMAN)
    post(pumped, texts_to([f"+4915{number:08d}" for number in range(2000)]))
    assert Delivery.objects.count() == 10
    rest = Message.objects.get(reason__startswith="the packet holds")
    assert len(bytes(rest.raw or b"")) > 20_000


def test_a_flood_of_packets_meets_the_pace_of_the_device(pumped: Gateway) -> None:
    for number in range(15):
        post(
            pumped, texts_to([f"+1555{number:03d}{one:04d}" for one in range(10)]), f"w{number}", 1
        )
    assert Delivery.objects.count() == 100
    assert Message.objects.filter(reason__startswith="100 messages within an hour").count() == 50
    pumped.clock.turn(3601)
    for number in range(25):
        post(
            pumped, texts_to([f"+1556{number:03d}{one:04d}" for one in range(10)]), f"x{number}", 1
        )
        pumped.clock.turn(3600 / 8)
    assert Delivery.objects.count() == 300


def test_a_call_for_help_at_the_end_of_a_packet_is_among_the_texts_that_are_taken(
    pumped: Gateway,
) -> None:
    know("mum", g.FRIENDS_NUMBER, is_emergency=True)
    many = texts_to([f"+8821{number:07d}" for number in range(50)])
    post(pumped, [*many, *texts_to([IRIDIUM], "SOS sinking")])
    recipients = Delivery.objects.filter(is_urgent=True).values_list("recipient", flat=True)
    assert set(recipients) == {IRIDIUM, g.FRIENDS_NUMBER}


# -- countries


@pytest.mark.parametrize(
    ("number", "country"),
    [
        (GERMAN, "DE"),
        (FRENCH, "FR"),
        (CANADIAN, "CA"),
        (g.BOOPS_NUMBER, "US"),  # not assigned: the main country of +1
        ("+18765550123", "JM"),
        (IRIDIUM, "+881"),
        (PREMIUM, "+882"),
        ("+9991234567", ""),
        ("whatsapp:x", ""),
    ],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert country_of(number) == country


@pytest.mark.parametrize(
    ("listed", "number", "is_allowed"),
    [
        ("", g.FRIENDS_NUMBER, True),
        ("", GERMAN, True),
        ("", FRENCH, False),
        ("", CANADIAN, False),
        ("", IRIDIUM, True),
        ("", IRIDIUM + "9", False),
        ("", PREMIUM, False),
        ("FR", FRENCH, True),
        ("FR", CANADIAN, False),
        ("FR", "+4915199999999", False),
        ("FR", GERMAN, True),
        ("+8816", "+881612345679", True),
        ("+8816", PREMIUM, False),
        ("*", PREMIUM, True),
    ],
)
def test_the_rule_of_countries(listed: str, number: str, is_allowed: bool) -> None:
    known = KnownNumbers(own=g.BOOPS_NUMBER, contacts=frozenset((GERMAN, IRIDIUM)))
    assert CountryRule(tuple(filter(None, [listed]))).allows(number, known) is is_allowed


def test_without_contacts_texts_go_to_the_country_of_the_own_number(gateway: Gateway) -> None:
    assert isinstance(text_to(gateway, "+12125550123"), list)
    refused = text_to(gateway, GERMAN, "other")
    assert isinstance(refused, Rejected)
    assert refused.reason == "no SMS to DE from here; have the number added as a contact"


def test_a_number_that_wrote_opens_its_country_and_a_satellite_phone_itself(
    gateway: Gateway,
) -> None:
    for key, number in (("de", GERMAN), ("sat", IRIDIUM)):
        gateway.take(replace(g.sms(key), sender=g.phone(number)))
    assert isinstance(text_to(gateway, "+4915199999999", "1"), list)
    assert isinstance(text_to(gateway, IRIDIUM, "2"), list)
    assert isinstance(text_to(gateway, "+881699999999", "3"), Rejected)


def test_a_country_that_the_devices_texted_before_stays_open(gateway: Gateway) -> None:
    know("hans", GERMAN)
    [delivery] = gateway.accept(g.uplink(g.phone(GERMAN), "before"))
    gateway.settle(delivery)
    Contact.objects.all().delete()
    assert isinstance(text_to(gateway, "+4915199999999", "after"), list)


def test_the_contacts_of_another_subscriber_open_nothing(gateway: Gateway) -> None:
    ann = Subscriber.objects.create(name="ann")
    Contact.objects.create(owner=ann, name="hans", address=GERMAN)
    assert isinstance(text_to(gateway, GERMAN), Rejected)


def test_a_typed_text_to_a_country_that_is_not_allowed_is_kept_and_the_device_told(
    typing: Gateway,
) -> None:
    hint = take(typing, typed(f"{GERMAN} hello"))
    assert (
        hint.message.text == "Not sent: no SMS to DE from here; have the number added as a contact"
    )
    assert Message.objects.get(id=message_id("typed")).reason.startswith("no SMS to DE")


def test_a_call_for_help_reaches_any_country(typing: Gateway) -> None:
    assert isinstance(offer(typing, typed(f"{FRENCH} SOS fire on board")), list)
    row = Delivery.objects.get(recipient=FRENCH)
    assert row.is_urgent


@pytest.mark.parametrize("wrong", ["Germany", "XX", "+", "+0", "DE;FR"])
def test_a_wrong_list_of_countries_is_refused(gateway: Gateway, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="SMS_COUNTRIES"):
        read(Settings, sms_countries=wrong)


def test_the_setting_reaches_the_router(gateway: Gateway) -> None:
    open_to_all = with_limits(gateway, sms_countries=" fr, +49 ")
    assert isinstance(text_to(open_to_all, FRENCH, "1"), list)
    assert isinstance(text_to(open_to_all, GERMAN, "2"), list)
    assert isinstance(text_to(open_to_all, "+12125550123", "3"), Rejected)


# -- pace


def send(gateway: Gateway, number: int, key: str = "m") -> list[bool]:
    """Send mails from the device, one batch each; return which were accepted."""
    results = [
        gateway.router.process([g.uplink(g.email("friend@example.com"), f"{key}{one}")])[0]
        for one in range(number)
    ]
    return [isinstance(one, list) for one in results]


def test_the_limits_of_an_hour_and_a_day(gateway: Gateway, clock: Clock) -> None:
    limited = with_limits(gateway, max_hourly_per_device=3, max_daily_per_device=5)
    assert send(limited, 4, "a") == [True, True, True, False]
    clock.turn(3601)
    assert send(limited, 3, "b") == [True, True, False]
    [refused] = limited.router.process([g.uplink(g.email("friend@example.com"), "c")])
    assert str(refused) == "5 messages within a day; send again tomorrow"
    clock.turn(24 * 3600)
    assert send(limited, 1, "d") == [True]


def test_one_batch_is_counted_too_and_a_repeat_is_not(gateway: Gateway) -> None:
    limited = with_limits(gateway, max_hourly_per_device=3)
    batch: list[Inbound] = [g.uplink(g.email("a@example.com"), f"k{n % 4}") for n in range(8)]
    accepted = [isinstance(one, list) for one in limited.router.process(batch)]
    assert accepted == [True, True, True, False, True, True, True, False]
    assert Delivery.objects.count() == 3


def test_the_units_of_texts_are_bounded_as_reported_or_else_by_length(
    gateway: Gateway, clock: Clock
) -> None:
    limited = with_limits(gateway, max_daily_units_per_device=4)
    long = replace(g.uplink(g.phone(g.FRIENDS_NUMBER), "long"), text="x" * 450)
    [[delivery]] = limited.router.process([long])  # type: ignore[misc]
    assert isinstance(text_to(limited, g.FRIENDS_NUMBER, "second"), list)
    refused = text_to(limited, g.FRIENDS_NUMBER, "third")
    assert str(refused) == "4 SMS within a day; send again tomorrow"
    assert send(limited, 1) == [True]
    Delivery.objects.filter(id=delivery.id).update(units=2)
    assert isinstance(text_to(limited, g.FRIENDS_NUMBER, "fourth"), list)


def test_each_device_has_its_own_limits(gateway: Gateway) -> None:
    limited = with_limits(gateway, max_hourly_per_device=1)
    Device.objects.create(network="hive", serial="1002", owner=Subscriber.objects.get())
    assert send(limited, 2) == [True, False]
    [other] = limited.router.process([g.uplink(g.email("a@example.com"), "other", "1002")])
    assert isinstance(other, list)


def test_messages_to_the_device_count_for_nothing(gateway: Gateway) -> None:
    limited = with_limits(gateway, max_hourly_per_device=1)
    for number in range(5):
        limited.accept(g.mail(f"in{number}"))
    assert send(limited, 1) == [True]


def test_0_is_no_limit(gateway: Gateway) -> None:
    limits = dict.fromkeys(
        ("max_hourly_per_device", "max_daily_per_device", "max_daily_units_per_device"), 0
    )
    unlimited = with_limits(gateway, **limits)
    results = unlimited.router.process(
        [g.uplink(g.phone(g.FRIENDS_NUMBER), f"k{n}") for n in range(700)]
    )
    assert all(isinstance(one, list) for one in results)


def test_calls_for_help_pass_the_limits_up_to_a_bound_and_the_contacts_hear_each(
    typing: Gateway,
) -> None:
    limited = with_limits(typing, max_hourly_per_device=1)
    know("mum", "mum@example.net", is_emergency=True)
    for number in range(MAX_HOURLY_EMERGENCIES + 5):
        assert isinstance(offer(limited, typed(f"@bob SOS number {number}", f"s{number}")), list)
    named = Delivery.objects.filter(recipient=g.FRIENDS_NUMBER, is_urgent=True)
    assert named.count() == MAX_HOURLY_EMERGENCIES
    alarms = Delivery.objects.filter(recipient="mum@example.net", is_urgent=True)
    assert alarms.count() == MAX_HOURLY_EMERGENCIES + 5
