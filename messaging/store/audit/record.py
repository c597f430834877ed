"""Writes entries of the audit, in the transaction that is open. Only ids and names of columns: no address, no text."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.utils import timezone

from messaging.store.audit.actor import current_actor
from messaging.store.db.sql import storable_time
from messaging.store.models import AuditEntry

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from messaging.store.models import Delivery

MAX_FAILED_SIGN_INS_PER_HOUR: Final = 60
"""Strangers make these entries, which are never deleted. Beyond the limit only the log has them."""

_DELIVERIES: Final = (
    "INSERT INTO users_auditentry"
    " (at, channel, actor, action, kind, object_id, parent_id, fields)"
    " SELECT %s, %s, %s, %s, 'delivery', CAST(found.id AS varchar(32)), found.message_id, ''"
    " FROM ({}) AS found"
)


class Action(StrEnum):
    """The kinds of actions that the audit records."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    RETRY = "retry"
    CANCEL = "cancel"
    RELEASE = "release"
    REFUSE = "refuse"
    DELIVER = "deliver"
    SEND = "send"
    ERASE = "erase"
    EXPORT = "export"
    RESTORE = "restore"
    COMPACT = "compact"
    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    SIGN_IN_FAILED = "sign-in failed"


def record(
    action: Action, kind: str, object_id: object = "", *, parent_id: object = "", fields: str = ""
) -> None:
    """Add an entry about one row. `fields` names the columns that changed, separated by commas."""
    actor = current_actor()
    AuditEntry.objects.create(
        channel=actor.channel,
        actor=actor.id,
        action=action,
        kind=kind,
        object_id=str(object_id),
        parent_id=str(parent_id),
        fields=fields[:255],
    )


def record_deliveries(action: Action, deliveries: "QuerySet[Delivery]", now: datetime) -> None:
    """Add an entry about each of the deliveries, and lock them: one statement for any number.

    Call it before the change, which these deliveries may no longer match.
    """
    actor = current_actor()
    chosen: Any = deliveries.order_by("id").values_list("id", "message_id")
    if connection.features.has_select_for_update:
        chosen = chosen.select_for_update(of=("self",))
    statement, parameters = chosen.query.sql_with_params()
    first = (storable_time(now), actor.channel, actor.id, str(action))
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERIES.format(statement), (*first, *parameters))


def record_failed_sign_in(
    user_id: object, max_per_hour: int = MAX_FAILED_SIGN_INS_PER_HOUR
) -> None:
    """Add an entry about a wrong password, unless the last hour has `max_per_hour` of them."""
    hour_ago = timezone.now() - timedelta(hours=1)
    failed = AuditEntry.objects.filter(action=Action.SIGN_IN_FAILED, at__gte=hour_ago)
    if failed.count() < max_per_hour:
        record(Action.SIGN_IN_FAILED, "sign-in", user_id)
