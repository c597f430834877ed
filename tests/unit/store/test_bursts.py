"""The burst breaker: messages beyond a bound within an hour are held; the counts are in the store."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.errors import Busy
from messaging.model.message import Address, AuthorLevel, Authorship, Message, Network, Sos
from messaging.store.accept.router import Router
from messaging.store.admission.bursts import remove_old_counts
from messaging.store.console import directory
from messaging.store.models import BurstCount, Contact, ContactAddress, Delivery, Subscriber
from messaging.store.models import Message as Stored
from tests.support.store import records as g
from tests.support.store.records import Gateway

BURSTS = ("author", "device", "domain", "client")
OVER_AN_HOUR = 3600 + 300


def router_with(gateway: Gateway, **bounds: int) -> Router:
    """A router with bounds such as `author=3`; the others are off."""
    names = {
        f"burst_hourly_per_{name}" if name in BURSTS else name: n for name, n in bounds.items()
    }
    update = {"max_waiting_per_subscriber": 0, **names}
    return Router(gateway.settings.model_copy(update=update), g.VIAS, now=gateway.clock)


def mail(
    key: str, author: str = "friend@example.com", to: str = "boop", client: str = ""
) -> Message:
    return replace(
        g.mail(key, to=f"{to}@example.org"),
        sender=Address(Network.EMAIL, author),
        authorship=Authorship(AuthorLevel.LIKELY),
        client_network=client,
        wants_notice=True,
    )


def offer(router: Router, messages: Sequence[Message]) -> list[bool]:
    """Offer messages in one batch, and return which of them are held for a burst."""
    results = router.process(messages)
    assert all(isinstance(one, list) for one in results), results
    holds = dict(Delivery.objects.values_list("message_id", "hold"))
    assert set(holds.values()) <= {"", "burst"}
    return [holds[one.id] == "burst" for one in messages]


def add_subscriber(name: str, serial: str) -> None:
    directory.add_subscriber(name, senders="open")
    directory.add_device(serial, owner=name, network="hive", networks=["hive"])


def test_too_many_of_one_author_are_held_with_the_reason(gateway: Gateway) -> None:
    router = router_with(gateway, author=2)
    assert offer(router, [mail(str(n)) for n in range(4)]) == [False, False, True, True]
    assert offer(router, [mail("other", "bob@example.com")]) == [False]
    reasons = set(Delivery.objects.filter(hold="burst").values_list("reason", "state"))
    reason = "more than 2 messages of this author within an hour; it waits for a decision"
    assert reasons == {(reason, "held")}
    assert Stored.objects.filter(wants_notice=False).count() == 2
    assert router.status()["held"] == 2


def test_a_contact_counts_by_all_its_addresses(gateway: Gateway) -> None:
    owner = Subscriber.objects.get()
    contact = Contact.objects.create(owner=owner, name="ann", address="ann@example.com")
    ContactAddress.objects.create(contact=contact, address=g.FRIENDS_NUMBER)
    router = router_with(gateway, author=1)
    assert offer(router, [mail("1", "ann@example.com"), g.sms("2")]) == [False, True]


def test_an_unproved_author_takes_no_room_of_the_contact(gateway: Gateway) -> None:
    Contact.objects.create(owner=Subscriber.objects.get(), name="ann", address="ann@example.com")
    router = router_with(gateway, author=1)
    forged = replace(mail("1", "ann@example.com"), authorship=Authorship(AuthorLevel.UNPROVED))
    assert offer(router, [forged, mail("2", "ann@example.com")]) == [False, False]


def test_an_unproved_author_takes_no_room_of_a_proved_one(gateway: Gateway) -> None:
    router = router_with(gateway, author=1)
    unproved = replace(mail("1"), authorship=Authorship(AuthorLevel.UNPROVED))
    assert offer(router, [unproved, replace(unproved, id="2" * 32)]) == [False, True]
    assert offer(router, [mail("3")]) == [False]


def test_too_many_to_one_device_are_held(gateway: Gateway) -> None:
    add_subscriber("ann", "2001")
    router = router_with(gateway, device=2)
    batch = [mail(str(n), f"a{n}@x{n}.example") for n in range(3)]
    assert offer(router, [*batch, mail("ann", to="ann")]) == [False, False, True, False]


@pytest.mark.parametrize("known", ["", "contact", "correspondent"])
def test_strangers_of_one_registrable_domain_are_held_at_all_subscribers(
    gateway: Gateway, known: str
) -> None:
    add_subscriber("ann", "2001")
    router = router_with(gateway, domain=2)
    if known == "contact":
        Contact.objects.create(
            owner=Subscriber.objects.get(name="boop"), name="c", address="c@y.co.uk"
        )
    elif known == "correspondent":
        router.process([g.uplink(g.email("c@y.co.uk"))])
    first = [mail("1", "a@y.co.uk", "ann"), mail("2", "b@mail.y.co.uk", "ann")]
    found = offer(router, [*first, mail("3", "c@y.co.uk"), mail("4", "d@other.co.uk")])
    assert found == [False, False, not known, False]


def test_strangers_by_one_network_of_mail_servers_are_held(gateway: Gateway) -> None:
    router = router_with(gateway, client=1)
    clients = ["192.0.2.0/24", "192.0.2.0/24", "198.51.100.0/24", "", ""]
    batch = [mail(str(n), f"a{n}@x{n}.example", client=one) for n, one in enumerate(clients)]
    assert offer(router, batch) == [False, True, False, False, False]


def test_the_gateway_has_a_bound_in_total(gateway: Gateway) -> None:
    add_subscriber("ann", "2001")
    router = router_with(gateway, burst_hourly_in_total=2)
    batch = [mail("1"), mail("2", "bob@x.example", "ann"), g.sms()]
    assert offer(router, batch) == [False, False, True]


def test_what_a_narrow_bound_holds_takes_no_room_of_a_wide_one(gateway: Gateway) -> None:
    router = router_with(gateway, author=1, burst_hourly_in_total=2)
    assert offer(router, [mail(str(n)) for n in range(5)]) == [False] + [True] * 4
    assert offer(router, [mail("bob", "bob@x.example")]) == [False]


def test_a_restart_keeps_the_counts_and_an_hour_ends_them(gateway: Gateway) -> None:
    assert offer(router_with(gateway, author=2), [mail("1"), mail("2")]) == [False, False]
    gateway.clock.turn(3500)
    assert offer(router_with(gateway, author=2), [mail("3")]) == [True]
    gateway.clock.turn(OVER_AN_HOUR - 3500)
    assert offer(router_with(gateway, author=2), [mail("4")]) == [False]


def test_messages_that_admission_holds_do_not_count(gateway: Gateway) -> None:
    Subscriber.objects.update(senders="known")
    router = router_with(gateway, device=1)
    router.process([mail(str(n)) for n in range(3)])
    to_devices = Delivery.objects.exclude(device=None)
    assert set(to_devices.values_list("hold", flat=True)) == {"stranger"}
    assert not BurstCount.objects.exists()
    Contact.objects.create(owner=Subscriber.objects.get(), name="ann", address="ann@example.com")
    router.process([mail("ann", "ann@example.com")])
    assert Delivery.objects.get(message_id=mail("ann").id).state == "waiting"


def test_emergencies_and_emergency_contacts_pass(gateway: Gateway) -> None:
    Contact.objects.create(
        owner=Subscriber.objects.get(), name="mum", address="mum@example.com", is_emergency=True
    )
    router = router_with(gateway, author=1, device=1, burst_hourly_in_total=1)
    assert offer(router, [mail("1"), mail("2")]) == [False, True]
    assert offer(router, [mail(f"mum {n}", "mum@example.com") for n in range(3)]) == [False] * 3
    forged = replace(mail("forged", "mum@example.com"), authorship=Authorship(AuthorLevel.UNPROVED))
    assert offer(router, [forged]) == [True]
    call = replace(g.uplink(g.email("mum@example.com")), sos=Sos.DECLARED)
    assert isinstance(router.process([call])[0], list)
    assert Delivery.objects.get(message_id=call.id).state == "waiting"


def test_a_repeat_is_not_counted(gateway: Gateway) -> None:
    router = router_with(gateway, author=2)
    for _ in range(3):
        assert offer(router, [mail("same")]) == [False]
    assert offer(router, [mail("other")]) == [False]


def test_without_room_for_held_messages_the_author_tries_again(gateway: Gateway) -> None:
    router = router_with(gateway, author=1, max_held_per_subscriber=1)
    results = router.process([mail(str(n)) for n in range(3)])
    assert [isinstance(one, Busy) for one in results] == [False, False, True]
    assert isinstance(router.process([mail("4")])[0], Busy)
    assert Delivery.objects.count() == 2


def test_the_counts_take_one_statement_and_none_without_messages_to_devices(
    gateway: Gateway,
) -> None:
    wide = dict.fromkeys((*BURSTS, "burst_hourly_in_total"), 1000)
    on, off = router_with(gateway, **wide), router_with(gateway)
    numbers = []
    for key, router in (("off", off), ("on", on)):
        with CaptureQueriesContext(connection) as queries:
            offer(router, [mail(f"{key} {n}", f"a{n}@x.example") for n in range(20)])
        # The last one is of `offer` itself.
        numbers.append(len(queries) - 1)
    assert numbers[1] == numbers[0] + 1
    before = list(BurstCount.objects.values_list("id", "number"))
    on.process([g.uplink(g.email("mum@example.com")), g.stranded(), g.inquiry()])
    assert list(BurstCount.objects.values_list("id", "number")) == before


def test_counts_of_more_than_an_hour_are_removed(gateway: Gateway) -> None:
    router = router_with(gateway, author=5)
    offer(router, [mail("1")])
    gateway.clock.turn(3600)
    offer(router, [mail("2")])
    assert remove_old_counts(gateway.clock.now) == 0
    gateway.clock.turn(600)
    assert remove_old_counts(gateway.clock.now) == 1
    assert BurstCount.objects.count() == 1


def test_a_repeat_in_the_batch_of_a_message_that_is_not_taken_is_not_taken_either(
    gateway: Gateway,
) -> None:
    router = router_with(gateway, author=1, max_held_per_subscriber=0)
    results = router.process([mail("1"), mail("1"), mail("2"), mail("2")])
    assert [isinstance(one, Busy) for one in results] == [False, False, True, True]
    assert Delivery.objects.count() == 1
