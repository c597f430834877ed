"""Records sign-ins, wrong passwords and codes, and changes of rights. Imported once the apps of the web are ready.

Django's signals call these functions within the transaction of the change, if there is one.
"""

from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from django.contrib.auth import signals
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.db.models.signals import m2m_changed
from django.dispatch import receiver

from messaging.store.audit.changes import Audited
from messaging.store.audit.record import Action, record, record_failed_sign_in

SIGN_IN: Final = "sign-in"

AUDITED: Final[dict[type[Model], Audited]] = {
    User: Audited(SIGN_IN),
    Group: Audited("group"),
    Authenticator: Audited("second factor", "user_id"),
}


@receiver(m2m_changed, sender=User.groups.through, dispatch_uid="audit")
@receiver(m2m_changed, sender=User.user_permissions.through, dispatch_uid="audit")
@receiver(m2m_changed, sender=Group.permissions.through, dispatch_uid="audit")
def _record_rights(sender: Any, instance: Any, action: str, **_: Any) -> None:
    if action in ("post_add", "post_remove", "post_clear"):
        kind = "group" if instance._meta.model_name == "group" else SIGN_IN
        record(Action.CHANGE, kind, instance.pk, fields=sender._meta.model_name)


@receiver(signals.user_logged_in, dispatch_uid="audit")
def _record_sign_in(sender: Any, user: Any, **_: Any) -> None:
    record(Action.SIGN_IN, SIGN_IN, user.pk)


@receiver(signals.user_logged_out, dispatch_uid="audit")
def _record_sign_out(sender: Any, user: Any, **_: Any) -> None:
    if user is not None:
        record(Action.SIGN_OUT, SIGN_IN, user.pk)


@receiver(authentication_failed, dispatch_uid="audit")
def _record_wrong_code(sender: Any, user: Any, **_: Any) -> None:
    record_failed_sign_in(user.pk)


@receiver(signals.user_login_failed, dispatch_uid="audit")
def _record_wrong_password(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    name = str(credentials.get("username") or credentials.get("login") or "")
    known = User.objects.filter(username=name).values_list("pk", flat=True).first()
    record_failed_sign_in("" if known is None else known)
