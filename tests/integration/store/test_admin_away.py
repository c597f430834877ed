"""The admin pages while the store is away: come again later, and then they are there, without a restart."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.test import Client, RequestFactory

from messaging.store.db.connection import close_connection
from messaging.web.unavailable import answer_failure
from tests.support.store.fixtures import opened, settings_for
from tests.support.store.records import Gateway

PAGES = ("/admin/", "/admin/users/message/", "/admin/users/delivery/?q=1001")


def signed_in() -> dict[str, str]:
    """The cookies of a sign-in that may see everything."""
    user = User(username="admin", is_staff=True, is_superuser=True)
    user.set_unusable_password()
    user.save()
    client = Client()
    client.force_login(user)
    close_connection()
    return {name: morsel.value for name, morsel in client.cookies.items()}


def answers(cookies: dict[str, str], method: str = "GET") -> list[httpx.Response]:
    """Ask for every page, as a server does."""
    application: Any = get_asgi_application()

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", cookies=cookies
        ) as client:
            return [await client.request(method, page) for page in PAGES]

    return asyncio.run(ask())


def expect_later(found: list[httpx.Response]) -> None:
    for answer in found:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "30"
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text == "The store is away. Nothing is lost; please try again in a while.\n"


@pytest.mark.postgres
def test_a_stopped_server_is_later_and_then_the_pages_are_back(
    postgres_gateway: Gateway, postgres_server: Any
) -> None:
    cookies = signed_in()
    postgres_server.stop()
    try:
        expect_later(answers(cookies))
    finally:
        postgres_server.start()
    assert {answer.status_code for answer in answers(cookies)} == {200}


def test_a_file_that_is_gone_is_later_and_then_the_pages_are_back(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    for _ in opened(settings_for(f"sqlite:///{folder / 'store.sqlite3'}", tmp_path)):
        cookies = signed_in()
        folder.rename(tmp_path / "gone")
        expect_later(answers(cookies))
        (tmp_path / "gone").rename(folder)
        assert {answer.status_code for answer in answers(cookies)} == {200}


def test_any_other_mistake_is_an_error(sqlite_gateway: Gateway) -> None:
    try:
        raise ValueError("a mistake of ours")
    except ValueError:
        assert answer_failure(RequestFactory().get("/")).status_code == 500
