"""Ends sessions, and asks for a second factor where the operator wants one."""

import time
from collections.abc import Callable
from typing import Final, cast

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from messaging.config.settings import Settings

SESSION_SECONDS: Final = 12 * 3600
"""A session ends so long after the sign-in, however much it is used."""
NOTE_SECONDS: Final = 300
"""How often a session that is in use is written: not for every request."""
BEGAN, SEEN = "began", "seen"

ALWAYS: Final = ("/admin/two-factor/", "/admin/reauthenticate/", "/admin/logout/", "/static/")
"""The paths that are open without a second factor."""


class SessionLimits:
    """Django middleware. Stands after the one that finds the sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve a request."""
        if request.user.is_authenticated:
            now = time.time()
            session = request.session
            if now - session.setdefault(BEGAN, now) > SESSION_SECONDS:
                logout(request)
                return HttpResponseRedirect(reverse("account_login"))
            if now - session.get(SEEN, 0) > NOTE_SECONDS:
                session[SEEN] = now
            settings = cast(Settings, getattr(django_settings, "SATBRIDGE"))  # noqa: B009
            if (
                settings.admin_require_totp
                and not request.path.startswith(ALWAYS)
                and not get_adapter().is_mfa_enabled(request.user, [Authenticator.Type.TOTP])
            ):
                return HttpResponseRedirect(reverse("mfa_activate_totp"))
        return self._get_response(request)
