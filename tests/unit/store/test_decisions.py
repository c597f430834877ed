"""The decisions of an owner about a held message hold for the next messages of its author too."""

from dataclasses import replace
from datetime import timedelta

import pytest

from messaging.errors import Rejected
from messaging.model.message import AuthorLevel, Authorship, Message
from messaging.store.admission.decisions import Choice, decide
from messaging.store.console import directory
from messaging.store.models import Contact, ContactAddress, Delivery, Subscriber
from tests.support.store import records as g
from tests.support.store.budgets import states
from tests.support.store.records import Gateway


@pytest.fixture
def known(gateway: Gateway) -> Gateway:
    """A gateway whose subscriber takes messages from contacts and correspondents only."""
    Subscriber.objects.update(senders="known")
    return gateway


def likely(key: str) -> Message:
    return replace(g.mail(key), authorship=Authorship(AuthorLevel.LIKELY))


def choose(gateway: Gateway, message: Message, choice: Choice) -> int:
    return decide(message.id, choice, gateway.settings, gateway.clock())


@pytest.mark.parametrize("is_further", [False, True])
def test_to_allow_a_contact_whose_time_is_over_lets_it_write_again(
    known: Gateway, is_further: bool
) -> None:
    contact = Contact.objects.create(
        owner=Subscriber.objects.get(),
        name="friend",
        address="other@example.com" if is_further else "Friend@example.com",
        may_write="until",
        write_until=known.clock() - timedelta(days=1),
    )
    if is_further:
        ContactAddress.objects.create(contact=contact, address="friend@example.com")
    known.accept(likely("a"))
    assert choose(known, likely("a"), Choice.ALLOW) == 1
    known.accept(likely("b"))
    to_devices = Delivery.objects.filter(recipient_network="satellite")  # the author has a note
    assert list(to_devices.values_list("state", flat=True)) == ["waiting", "waiting"]
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("choice", [Choice.ALLOW, Choice.BLOCK])
def test_a_decision_about_a_device_is_about_its_owner(known: Gateway, choice: Choice) -> None:
    directory.add_subscriber("ann", "+15550002222")
    for serial in ("2002", "2003"):
        directory.add_device(serial, owner="ann", network="hive", networks=["hive"])
    first, second, third = (
        g.uplink(g.email("boop@example.org"), serial + key, serial)
        for serial, key in (("2002", "a"), ("2003", "b"), ("2003", "c"))
    )
    Subscriber.objects.update(senders="known")
    known.router.process([first, second])
    assert states() == ["held", "held"]
    assert choose(known, first, choice) == 2
    [result] = known.router.process([third])
    if choice is Choice.ALLOW:
        assert states() == ["waiting"] * 3
    else:
        assert isinstance(result, Rejected)
