"""Logs the actions of operators on messages: one line each, beside the entries of the audit."""

import logging
from functools import partial

from django.db import transaction

from messaging.logs.records import details
from messaging.store.audit.actor import current_actor
from messaging.store.audit.record import Action

log = logging.getLogger(__name__)


def log_after_commit(action: Action, number: int, message_id: str = "") -> None:
    """Log an action on a number of deliveries once the open transaction is on disk; nothing for none."""
    if number:
        actor = current_actor()
        name = f"{actor.channel}:{actor.id}"
        extra = details(message_id=message_id, actor=name, number=number)
        transaction.on_commit(partial(log.info, "operator action: %s", action.value, extra=extra))
