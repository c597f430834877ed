"""The sign-in of operators: password, code, limits, short sessions. Each test posts what a browser posts."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings

from messaging.config.settings import Settings
from messaging.logs.repeats import Repeats
from messaging.store.models import AuditEntry
from messaging.web.sign_in.adapter import LIMITED, WRONG
from messaging.web.sign_in.middleware import BEGAN, SEEN, SESSION_SECONDS
from tests.support.store.fixtures import opened, settings_for

PASSWORD = "correct horse"
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Iterator[Settings]:
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher"
    for found in opened(settings_for(f"sqlite:///{tmp_path}/x.sqlite3", tmp_path)):
        with override_settings(PASSWORD_HASHERS=[hasher]):
            yield found


@pytest.fixture
def admin(settings: Settings) -> User:
    return User.objects.create_superuser("admin", password=PASSWORD)


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def sign_in(client: Client, password: str = PASSWORD, name: str = "admin") -> str:
    """Post the form; return where it leads, or the errors of the page."""
    form = {"username": name, "password": password, "next": "/admin/users/device/"}
    answer = client.post("/admin/login/", form)
    if answer.status_code == 302:
        return str(answer["Location"])
    text = answer.content.decode()
    assert "errornote" in text
    return text


def confirm(client: Client, path: str) -> str:
    """Open a page that asks for the password anew, give it, and return the page."""
    asked = client.get(path)
    assert asked["Location"].startswith("/admin/reauthenticate/?next=")
    assert 'name="password"' in client.get(asked["Location"]).content.decode()
    given = client.post(asked["Location"], {"password": PASSWORD})
    assert given["Location"] == path
    return client.get(path).content.decode()


def code() -> str:
    counter = next(yield_hotp_counters_from_time())
    return str(format_hotp_value(hotp_value(SECRET, counter)))


def test_a_password_is_enough_until_there_is_a_second_factor(admin: User) -> None:
    client = browser()
    page = client.get("/admin/", follow=True).content.decode()
    assert 'name="username"' in page
    assert sign_in(client) == "/admin/users/device/"
    page = client.get("/admin/").content.decode()
    assert "/admin/two-factor/" in page
    assert "Satbridge" in page
    assert "data:image/svg+xml" in confirm(client, "/admin/two-factor/totp/activate/")


def test_a_second_factor_is_activated_and_asked_for(admin: User) -> None:
    client = browser()
    sign_in(client)
    confirm(client, "/admin/two-factor/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    counter = next(yield_hotp_counters_from_time())
    given = {"code": format_hotp_value(hotp_value(secret, counter))}
    done = client.post("/admin/two-factor/totp/activate/", given)
    assert done["Location"] == "/admin/two-factor/recovery-codes/"
    for path in ("/admin/two-factor/", "/admin/two-factor/recovery-codes/"):
        assert client.get(path).status_code == 200
    assert AuditEntry.objects.filter(
        action="add", kind="second factor", parent_id=str(admin.pk)
    ).exists()


def test_the_code_is_needed_and_a_wrong_one_is_recorded(admin: User) -> None:
    TOTP.activate(admin, SECRET)
    client = browser()
    assert sign_in(client) == "/admin/two-factor/authenticate/"
    assert client.get("/admin/users/device/").status_code == 302
    wrong = client.post("/admin/two-factor/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200
    assert client.get("/admin/users/device/").status_code == 302
    done = client.post("/admin/two-factor/authenticate/", {"code": code()})
    assert done["Location"] == "/admin/users/device/"
    assert client.get("/admin/users/device/").status_code == 200
    actions = list(AuditEntry.objects.order_by("-id").values_list("action", flat=True)[:2])
    assert actions == ["sign-in", "sign-in failed"]


def test_a_second_factor_can_be_required(admin: User, settings: Settings) -> None:
    client = browser()
    sign_in(client)
    with override_settings(SATBRIDGE=settings.model_copy(update={"admin_require_totp": True})):
        for path in ("/admin/", "/admin/users/device/"):
            assert client.get(path)["Location"] == "/admin/two-factor/totp/activate/"
        assert "data:image" in confirm(client, "/admin/two-factor/totp/activate/")
        TOTP.activate(admin, SECRET)
        assert client.get("/admin/").status_code == 200


def test_tries_are_limited_for_all_processes_together(
    admin: User, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        name = ("admin", "ADMIN")[number % 2]
        assert "not correct" in sign_in(browser(), "wrong", name)
    said = sign_in(browser())
    assert "Too many failed login attempts" in said
    assert "Too many" in sign_in(Client(SERVER_NAME="127.0.0.1"))
    repeats = Repeats()
    lines = [one.getMessage() for one in caplog.records if repeats.admits(one)]
    assert lines == [WRONG, LIMITED]
    cache.clear()
    assert sign_in(browser()) == "/admin/users/device/"


def test_people_who_are_no_staff_stay_outside(settings: Settings) -> None:
    guest = User.objects.create_user("guest", password=PASSWORD)
    client = browser()
    assert "not correct" in sign_in(client, name="guest")
    client.force_login(guest)
    assert client.get("/admin/login/?next=/admin/").status_code == 403


def test_a_session_ends_after_half_a_day_and_when_it_is_idle(admin: User) -> None:
    client = browser()
    sign_in(client)
    assert client.get("/admin/").status_code == 200
    assert client.session.get_expiry_age() == 3600
    session = client.session
    session[BEGAN], session[SEEN] = time.time() - SESSION_SECONDS + 60, time.time() - 3000
    session.save()
    assert client.get("/admin/").status_code == 200
    assert client.session[SEEN] > time.time() - 60
    session = client.session
    session[BEGAN] = time.time() - SESSION_SECONDS - 1
    session.save()
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


def test_a_browser_behind_https_stays_there(tmp_path: Path) -> None:
    url = "https://gateway.example.org"
    for _ in opened(settings_for(f"sqlite:///{tmp_path}/y.sqlite3", tmp_path, public_url=url)):
        client = Client(SERVER_NAME="gateway.example.org")
        answer = client.get("/admin/login/", headers={"X-Forwarded-Proto": "https"})
        assert answer["Strict-Transport-Security"] == "max-age=31536000"
        assert answer.cookies["csrftoken"]["secure"]
        assert "Strict-Transport-Security" not in client.get("/admin/login/").headers


@pytest.mark.parametrize("path", ["signup", "password/reset", "email", "two-factor/webauthn"])
def test_there_is_no_sign_up_and_no_mail(admin: User, path: str) -> None:
    client = browser()
    sign_in(client)
    assert client.get(f"/admin/{path}/").status_code == 404
    assert Authenticator.objects.count() == 0
