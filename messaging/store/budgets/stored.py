"""Reads the charges of deliveries that have rows."""

from typing import TYPE_CHECKING, Final

from messaging.model.address_syntax import e164
from messaging.model.message import Network
from messaging.store.budgets.charge import Charge

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from messaging.store.models import Delivery

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
    )
    charges = {}
    for number, via, units, owner, device, is_urgent, network, recipient, *sender in found:
        sender_network, author, sender_device, name, phone = sender
        is_for_device = network == Network.SATELLITE
        peers: tuple[str, ...]
        if not is_for_device:
            peers = (recipient,)
        elif sender_network == Network.SATELLITE:
            peers = tuple(one for one in (name and f"{name}@{mail_domain}", phone) if one)
        else:
            peers = (e164(author) or author,) if sender_network == Network.SMS else (author,)
        if units is None:
            units = 0 if network == Network.EMAIL else UNKNOWN_UNITS
        charges[number] = Charge(
            via=via,
            units=units,
            subscriber_id=owner,
            device_id=device if is_for_device else sender_device,
            peers=tuple(one.lower() for one in peers),
            is_urgent=is_urgent,
            over_budget=over_budget,
        )
    return charges
