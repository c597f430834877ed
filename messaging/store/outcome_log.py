"""The log line of each outcome: one for a record that arrives, one for each change of a delivery.

No addresses, but of an emergency the device and its position.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from messaging.logs.records import details
from messaging.model.message import Inbound, Receipt, RecipientCheck
from messaging.store.states import State

if TYPE_CHECKING:
    from messaging.store.accept.transaction import RecordResult
    from messaging.store.queue.delivery_state import DeliveryState

log = logging.getLogger(__name__)

# A peer can cause these as often as it likes.
_SUMMED = frozenset(("repeated", "unknown_device"))
_LEVELS = {State.FAILED: logging.WARNING, State.EXPIRED: logging.WARNING}


def log_record(record: Inbound, result: "RecordResult") -> None:
    """Log the result of a record that a network offered. Refusals and repeats, which a peer can cause, are summed up.

    Recipient checks are logged by mail-in.
    """
    if isinstance(record, RecipientCheck):
        return
    is_emergency = getattr(record, "sos", None) is not None or result.kind == "sos"
    level = logging.WARNING if is_emergency else logging.INFO
    if not log.isEnabledFor(level):
        return
    position = getattr(record, "position", None) if is_emergency else None
    error = result.error
    fields = details(
        kind=f"{result.kind} from {record.via}" if error or result.kind in _SUMMED else "",
        message_id=getattr(record, "id", ""),
        account=record.via,
        record=type(record).__name__,
        author_id=getattr(record, "reference", ""),
        deliveries=len(result.deliveries) or None,
        reason=error.reason if error else "",
        emergency=is_emergency or None,
        device=record.sender.value if is_emergency and not isinstance(record, Receipt) else "",
        position=f"{position.latitude:.5f},{position.longitude:.5f}" if position else "",
    )
    log.log(level, "%s", result.kind, extra=fields)


def log_deliveries(rows: "Iterable[DeliveryState]") -> None:
    """Log the state that each delivery is in now. Must be called once that is on disk."""
    for row in rows:
        # An account that is away lets many deliveries wait for the same reason.
        waits = row.state is State.WAITING
        fields = details(
            kind=f"waiting for {row.via}: {row.reason}" if waits else "",
            message_id=row.message_id,
            delivery=row.id,
            account=row.via,
            attempts=row.attempts,
            reason=row.reason,
            network_id=row.network_id,
            units=row.units,
            uncertain=row.uncertain or None,
            urgent=row.is_urgent or None,
        )
        log.log(_LEVELS.get(row.state, logging.INFO), "delivery %s", row.state.value, extra=fields)
