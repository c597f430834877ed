"""The rules of allauth for this gateway. allauth finds the class by the name of a setting."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from messaging.logs.records import details

log = logging.getLogger(__name__)

WRONG = "sign-in failed: wrong name or password"
LIMITED = "sign-in refused: too many tries"


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accepts no sign-ups, sends no mails, and logs failed sign-ins: one line a minute of each kind, with a count."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: `satbridge manage createsuperuser` adds operators."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send nothing."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raise ValidationError when there were too many tries, before the password costs processor time."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            log.warning(LIMITED, extra=details(kind=LIMITED))
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Log a wrong name or password, without the name: it may be a password."""
        log.warning(WRONG, extra=details(kind=WRONG))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth's own key has the host too, of which the client can choose among several.
        return f"sign-in:{credentials.get('username', '').lower()}"
