"""Reserves budgets for deliveries that have rows: those that are released, retried, or held by a budget.

Every function belongs into the transaction that changes their state.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db.models.functions import Coalesce

from messaging.model.address_syntax import mailbox_spellings, phone_spellings
from messaging.model.authentication import AuthorLevel
from messaging.model.message import Network
from messaging.store.budgets.lookup import Charge, has_budgets
from messaging.store.budgets.reserve import reserve, write_bookings
from messaging.store.budgets.settle import settle_bookings
from messaging.store.models import BudgetBooking, Delivery

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

UNKNOWN_UNITS: Final = 1
"""The estimate for a delivery whose units were not counted when it was accepted. Mail has none."""


def read_charges(
    rows: "QuerySet[Delivery]", mail_domain: str, *, over_budget: bool = False
) -> dict[int, Charge]:
    """Return the charges of deliveries by id, in the order of the rows: one query."""
    found = rows.values_list(
        *("id", "via", "estimated_units", "subscriber_id", "device_id", "is_urgent"),
        *("recipient_network", "recipient", "message__sender_network", "message__sender"),
        *("message__device_id", "message__device__owner__name", "message__device__owner__number"),
        "message__author_level",
    )
    charges = {}
    for number, via, units, owner, device, is_urgent, network, recipient, *sender in found:
        sender_network, author, sender_device, name, phone, level = sender
        is_for_device = network == Network.SATELLITE
        peers: tuple[str, ...]
        if is_for_device and sender_network == Network.SATELLITE:
            peers = tuple(one for one in (name and f"{name}@{mail_domain}", phone) if one)
        else:
            other = (sender_network, author) if is_for_device else (network, recipient)
            spellings = phone_spellings if other[0] == Network.SMS else mailbox_spellings
            peers = spellings(other[1])
        if units is None:
            units = 0 if network == Network.EMAIL else UNKNOWN_UNITS
        charges[number] = Charge(
            via=via,
            units=units,
            subscriber_id=owner,
            device_id=device if is_for_device else sender_device,
            peers=tuple(one.lower() for one in peers),
            level=AuthorLevel(level or AuthorLevel.UNPROVED)
            if is_for_device
            else AuthorLevel.PROVED,
            is_urgent=is_urgent,
            over_budget=over_budget,
        )
    return charges


def estimate_column(network: Network) -> Any:
    """Return the value of `estimated_units` for deliveries that were accepted without an estimate too."""
    return Coalesce("estimated_units", 0 if network is Network.EMAIL else UNKNOWN_UNITS)


def reserve_rows(
    rows: "QuerySet[Delivery]", mail_domain: str, now: datetime, *, over_budget: bool = False
) -> dict[int, str]:
    """Reserve for these locked deliveries, in their order; return why those do not fit that have no room, by id."""
    if not has_budgets():
        return {}
    charges = read_charges(rows, mail_domain, over_budget=over_budget)
    results = dict(zip(charges, reserve(list(charges.values()), now), strict=True))
    write_bookings(results.items())
    return {number: one.refusal for number, one in results.items() if one.refusal}


def reserve_again(ids: "Collection[int]", mail_domain: str, now: datetime) -> None:
    """Reserve for deliveries that wait again by hand, over their budgets where they have no room."""
    if not ids or not has_budgets():
        return
    # Those that cost something already keep their bookings.
    booked = set(
        BudgetBooking.objects.filter(delivery__in=ids).values_list("delivery_id", flat=True)
    )
    settle_bookings(booked).write()
    others = Delivery.objects.filter(id__in=set(ids) - booked).order_by("id")
    reserve_rows(others, mail_domain, now, over_budget=True)
