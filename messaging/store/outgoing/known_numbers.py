"""Looks up the phone numbers that subscribers know, for the countries that their devices may text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from messaging.model.message import Network
from messaging.store.models import Contact, Delivery, Message
from messaging.store.outgoing.countries import CountryRule, KnownNumbers
from messaging.store.states import GIVEN

MEMORY: Final = timedelta(days=365)
"""For how long a number counts as known that wrote to the subscriber, or got a text from the devices."""


def find_known_numbers(
    texted: Mapping[int, Iterable[str]],
    own: Mapping[int, str | None],
    rule: CountryRule,
    now: datetime,
) -> dict[int, KnownNumbers]:
    """Return the known numbers of each subscriber whose devices text these numbers: one query, and seldom two more."""
    contacts: dict[int, set[str]] = {owner: set() for owner in texted}
    rows = Contact.objects.filter(owner_id__in=list(texted), address__startswith="+")
    for owner, address in rows.values_list("owner_id", "address"):
        contacts[owner].add(address)
    known = {
        owner: KnownNumbers(own.get(owner), frozenset(numbers))
        for owner, numbers in contacts.items()
    }
    if rule.listed:
        return known
    unknown = [
        owner
        for owner, numbers in texted.items()
        if not all(rule.allows(number, known[owner]) for number in numbers)
    ]
    for owner, others in (_find_others(unknown, now) if unknown else {}).items():
        known[owner] = replace(known[owner], others=frozenset(others))
    return known


def _find_others(owners: Sequence[int], now: datetime) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {owner: set() for owner in owners}
    recent = Message.objects.filter(subscriber_id__in=owners, created_at__gte=now - MEMORY)
    wrote = recent.filter(sender_network=Network.SMS.value).order_by()
    for owner, number in wrote.values_list("subscriber_id", "sender").distinct():
        found[owner].add(number)
    texted = Delivery.objects.filter(
        message__in=recent.filter(device__isnull=False).values("id"),
        recipient_network=Network.SMS.value,
        state__in=[state.value for state in GIVEN],
        is_urgent=False,
    )
    for owner, number in texted.order_by().values_list("subscriber_id", "recipient").distinct():
        found[owner].add(number)
    return found
