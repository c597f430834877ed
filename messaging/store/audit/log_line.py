"""Logs the actions of operators on messages, beside the entries of the audit, and the deliveries that they change."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from django.db import transaction

from messaging.logs.records import details
from messaging.store.audit.actor import current_actor
from messaging.store.audit.record import Action
from messaging.store.states import State

log = logging.getLogger(__name__)

MAX_LINES: Final = 100
"""How many deliveries of one change have a line of their own; one more line has the number of the others."""

DeliveryKey = tuple[int, str, str]
"""The id of a delivery, its message and its account."""


def log_after_commit(action: Action, number: int, message_id: str = "") -> None:
    """Log an action on a number of deliveries once the open transaction is on disk; nothing for none."""
    if number:
        actor = current_actor()
        name = f"{actor.channel}:{actor.id}"
        extra = details(message_id=message_id, actor=name, number=number)
        transaction.on_commit(partial(log.info, "operator action: %s", action.value, extra=extra))


def log_deliveries_after_commit(
    state: State, changed: Sequence[DeliveryKey], number: int, reason: str, *, by_operator: bool
) -> None:
    """Log the state of deliveries that were cancelled or tried again once the open transaction is on disk.

    `number` of them have changed; each of the first `MAX_LINES` has a line of its own.
    """
    actor = current_actor()
    name = f"{actor.channel}:{actor.id}" if by_operator else ""
    named = changed[: min(MAX_LINES, number)]
    for delivery, message_id, account in named:
        extra = details(
            message_id=message_id, delivery=delivery, account=account, reason=reason, actor=name
        )
        transaction.on_commit(partial(log.info, "delivery %s", state.value, extra=extra))
    if more := number - len(named):
        extra = details(number=more, reason=reason, actor=name)
        transaction.on_commit(partial(log.info, "more deliveries %s", state.value, extra=extra))
