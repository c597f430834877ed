"""The page of the sign-in: Django's own form for staff, with allauth behind it."""

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.decorators import secure_admin_login
from allauth.account.forms import LoginForm
from allauth.account.views import LoginView, logout, reauthenticate
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

__all__ = ["logout", "reauthenticate", "sign_in"]

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
_sign_in_again = admin.site.login


class StaffForm(LoginForm):  # type: ignore[misc]
    """allauth's form with the names of Django's admin. Only staff may sign in."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["username"] = self.fields.pop("login")

    def clean(self) -> Any:
        """Check the password. Raises ValidationError."""
        self.cleaned_data["login"] = self.cleaned_data.get("username", "").strip()
        return super().clean()

    def _clean_with_password(self, credentials: dict[str, Any]) -> Any:
        cleaned = super()._clean_with_password(credentials)
        if not self.user.is_staff:
            raise get_adapter(self.request).validation_error("username_password_mismatch")
        return cleaned


class StaffLoginView(LoginView):  # type: ignore[misc]
    """The page of the sign-in, as the admin has it."""

    form_class = StaffForm
    template_name = "admin/login.html"

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        """Return what the admin's template needs."""
        context = super().get_context_data(**given)
        own = {
            "title": "Log in",
            "app_path": self.request.path,
            "next": self.get_next_url() or "",
        }
        return {**admin.site.each_context(self.request), **context, **own}


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Answer with the form, or with 403 for a person who is signed in and no staff."""
    user = request.user
    page = _sign_in_again if user.is_authenticated else StaffLoginView.as_view()
    return cast(HttpResponse, page(request))
