"""Records each row of people and sign-ins that is added, changed or removed, by whichever part of the gateway.

Django's signals call these functions within the transaction of the change, if there is one.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_save

from messaging.store.audit.actor import is_in_admin
from messaging.store.audit.record import Action, record
from messaging.store.models import (
    BlockedAuthor,
    Budget,
    Contact,
    ContactAddress,
    Device,
    OptOut,
    OwnerMailbox,
    Subscriber,
    Tariff,
)


@dataclass(frozen=True, slots=True)
class Audited:
    """The name of a table in the audit, its column with the parent, and whether only the admin's changes count."""

    kind: str
    parent: str | None = None
    in_admin_only: bool = False


_AUDITED: Final[dict[type[Model], Audited]] = {
    Subscriber: Audited("subscriber"),
    Device: Audited("device", "owner_id"),
    Contact: Audited("contact", "owner_id"),
    ContactAddress: Audited("address", "contact_id"),
    BlockedAuthor: Audited("block", "owner_id"),
    Tariff: Audited("tariff"),
    Budget: Audited("budget", "subscriber_id"),
    OwnerMailbox: Audited("mailbox", "owner_id"),
    # Phones opt out and in by themselves.
    OptOut: Audited("opt-out", in_admin_only=True),
}
_UNRECORDED: Final = frozenset({"last_login", "last_used_at"})


def connect() -> None:
    """Begin to record. The sign-ins are recorded where the process has the apps for them."""
    audited = dict(_AUDITED)
    if apps.is_installed("allauth.mfa"):
        # A process without these apps must not import their models.
        from messaging.store.audit import sign_ins

        audited |= sign_ins.AUDITED
    for model, one in audited.items():
        name = f"audit {one.kind}"
        pre_save.connect(_remember(one), sender=model, weak=False, dispatch_uid=name)
        post_save.connect(_record_saved(one), sender=model, weak=False, dispatch_uid=name)
        post_delete.connect(_record_deleted(one), sender=model, weak=False, dispatch_uid=name)


def _is_recorded(one: Audited, options: dict[str, Any]) -> bool:
    written = options.get("update_fields")
    if options.get("raw") or (written is not None and _UNRECORDED.issuperset(written)):
        return False
    return is_in_admin() or not one.in_admin_only


def _remember(one: Audited) -> Any:
    """Return the receiver that reads the row before it is changed."""

    def receive(sender: type[Model], instance: Any, **options: Any) -> None:
        if _is_recorded(one, options) and not instance._state.adding:
            rows = sender._base_manager.filter(pk=instance.pk).values()
            instance.audit_before = rows.first()

    return receive


def _record_saved(one: Audited) -> Any:
    def receive(sender: type[Model], instance: Any, created: bool, **options: Any) -> None:
        if not _is_recorded(one, options):
            return
        parent = getattr(instance, one.parent) if one.parent else ""
        if created:
            record(Action.ADD, one.kind, instance.pk, parent_id=parent)
            return
        before = instance.__dict__.pop("audit_before", None) or {}
        columns = [field.attname for field in sender._meta.concrete_fields]
        changed = [
            name
            for name in columns
            if name not in _UNRECORDED and before.get(name) != getattr(instance, name)
        ]
        if changed:
            fields = ",".join(changed)
            record(Action.CHANGE, one.kind, instance.pk, parent_id=parent, fields=fields)

    return receive


def _record_deleted(one: Audited) -> Any:
    def receive(sender: type[Model], instance: Any, **options: Any) -> None:
        if _is_recorded(one, options):
            parent = getattr(instance, one.parent) if one.parent else ""
            record(Action.REMOVE, one.kind, instance.pk, parent_id=parent)

    return receive
