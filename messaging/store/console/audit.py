"""Lists the entries of the audit, with the names that their ids have now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps

from messaging.store.audit.actor import ADMIN
from messaging.store.console.save import find_subscriber
from messaging.store.console.selection import find_message
from messaging.store.db.connection import guard
from messaging.store.models import AuditEntry, Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """A filter of entries; an empty field matches all. `message` is the beginning of an id, `user` a subscriber."""

    action: str | None = None
    message: str | None = None
    user: str | None = None
    since: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry, for tables and `--json`. `name` is the name of the subscriber or sign-in, `by` that of the actor."""

    id: int
    at: datetime
    channel: str
    actor: str
    by: str
    action: str
    kind: str
    object_id: str
    parent_id: str
    name: str
    fields: str


@guard
def list_audit(wanted: AuditFilter) -> list[AuditRow]:
    """Return the newest entries that match. Raises InvalidInput and Unavailable."""
    chosen = AuditEntry.objects.order_by("-id")
    if wanted.action is not None:
        chosen = chosen.filter(action=wanted.action)
    if wanted.message is not None:
        chosen = chosen.filter(kind="delivery", parent_id=find_message(wanted.message).id)
    if wanted.user is not None:
        number = str(find_subscriber(wanted.user).pk)
        own = chosen.filter(kind="subscriber", object_id=number)
        chosen = own | chosen.filter(kind__in=("device", "contact"), parent_id=number)
    if wanted.since is not None:
        chosen = chosen.filter(at__gte=wanted.since)
    entries = list(chosen[: wanted.limit])
    subscribers = _names(Subscriber, (n for one in entries for n in _subscribers(one)))
    sign_in_ids = [one.actor for one in entries if one.channel == ADMIN]
    sign_in_ids += [one.object_id for one in entries if one.kind == "sign-in"]
    sign_ins = _names(apps.get_model("auth", "User"), sign_in_ids)
    return [_row(one, subscribers, sign_ins) for one in entries]


def _subscribers(entry: AuditEntry) -> list[str]:
    found = {"subscriber": entry.object_id, "device": entry.parent_id, "contact": entry.parent_id}
    return [found[entry.kind]] if entry.kind in found else []


def _names(model: object, ids: Iterable[str]) -> dict[str, str]:
    wanted = {int(text) for text in ids if text.isdecimal()}
    rows = getattr(model, "objects").filter(pk__in=wanted)  # noqa: B009
    return {str(row.pk): str(row) for row in rows}


def _row(entry: AuditEntry, subscribers: dict[str, str], sign_ins: dict[str, str]) -> AuditRow:
    if entry.kind == "sign-in":
        name = sign_ins.get(entry.object_id, "")
    else:
        name = next((subscribers.get(number, "") for number in _subscribers(entry)), "")
    return AuditRow(
        id=entry.pk,
        at=entry.at,
        channel=entry.channel,
        actor=entry.actor,
        by=sign_ins.get(entry.actor, "") if entry.channel == ADMIN else "",
        action=entry.action,
        kind=entry.kind,
        object_id=entry.object_id,
        parent_id=entry.parent_id,
        name=name,
        fields=entry.fields,
    )
