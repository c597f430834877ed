"""Whom a subscriber knows: the contacts, and whom the devices have written to."""

from collections.abc import Collection

from django.db.models.functions import Lower

from messaging.model.message import Network
from messaging.store.models import Contact, Delivery
from messaging.store.rate_limit import Pair


def acquaintances(pairs: Collection[Pair]) -> set[Pair]:
    """Return those of the pairs of an address and a subscriber that know each other: two queries, or none.

    Upper and lower case are the same.
    """
    if not pairs:
        return set()
    addresses = {address.lower() for address, _ in pairs}
    subscribers = {subscriber for _, subscriber in pairs}
    contacts = Contact.objects.filter(owner_id__in=subscribers).annotate(lower=Lower("address"))
    written = Delivery.objects.filter(
        message__subscriber_id__in=subscribers, message__sender_network=Network.SATELLITE.value
    ).annotate(lower=Lower("recipient"))
    known = {
        *contacts.filter(lower__in=addresses).values_list("lower", "owner_id"),
        *written.filter(lower__in=addresses)
        .order_by()
        .values_list("lower", "message__subscriber_id")
        .distinct(),
    }
    return {pair for pair in pairs if (pair[0].lower(), pair[1]) in known}
