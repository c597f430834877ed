"""Records each row of people and sign-ins that is added, changed or removed, by whichever part of the gateway.

Django's signals call these functions within the transaction of the change, if there is one.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from messaging.store.audit.actor import is_in_admin
from messaging.store.audit.record import Action, record, record_failed_sign_in
from messaging.store.models import Contact, Device, OptOut, Subscriber

SIGN_IN: Final = "sign-in"


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
    # Phones opt out and in by themselves.
    OptOut: Audited("opt-out", in_admin_only=True),
}
_UNRECORDED: Final = frozenset({"last_login", "last_used_at"})


def connect() -> None:
    """Begin to record. The sign-ins are recorded where the process has Django's app for them."""
    audited = dict(_AUDITED)
    if apps.is_installed("django.contrib.auth"):
        audited |= _connect_sign_ins()
    for model, one in audited.items():
        name = f"audit {one.kind}"
        pre_save.connect(_remember(one), sender=model, weak=False, dispatch_uid=name)
        post_save.connect(_record_saved(one), sender=model, weak=False, dispatch_uid=name)
        post_delete.connect(_record_deleted(one), sender=model, weak=False, dispatch_uid=name)


def _connect_sign_ins() -> dict[type[Model], Audited]:
    from django.contrib.auth import signals  # a process without this app must not import its models
    from django.contrib.auth.models import Group, User

    signals.user_logged_in.connect(_record_sign_in, dispatch_uid="audit")
    signals.user_logged_out.connect(_record_sign_out, dispatch_uid="audit")
    signals.user_login_failed.connect(_record_failure, dispatch_uid="audit")
    for table in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_record_rights, sender=table, dispatch_uid="audit")
    return {User: Audited(SIGN_IN), Group: Audited("group"), **_connect_second_factors()}


def _connect_second_factors() -> dict[type[Model], Audited]:
    if not apps.is_installed("allauth.mfa"):
        return {}
    from allauth.mfa.models import Authenticator  # as above
    from allauth.mfa.signals import authentication_failed

    authentication_failed.connect(_record_wrong_code, dispatch_uid="audit")
    return {Authenticator: Audited("second factor", "user_id")}


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


def _record_rights(sender: Any, instance: Any, action: str, **_: Any) -> None:
    if action in ("post_add", "post_remove", "post_clear"):
        kind = "group" if instance._meta.model_name == "group" else SIGN_IN
        record(Action.CHANGE, kind, instance.pk, fields=sender._meta.model_name)


def _record_sign_in(sender: Any, user: Any, **_: Any) -> None:
    record(Action.SIGN_IN, SIGN_IN, user.pk)


def _record_sign_out(sender: Any, user: Any, **_: Any) -> None:
    if user is not None:
        record(Action.SIGN_OUT, SIGN_IN, user.pk)


def _record_wrong_code(sender: Any, user: Any, **_: Any) -> None:
    record_failed_sign_in(user.pk)


def _record_failure(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    from django.contrib.auth.models import User  # as above

    name = str(credentials.get("username") or credentials.get("login") or "")
    known = User.objects.filter(username=name).values_list("pk", flat=True).first()
    record_failed_sign_in("" if known is None else known)
