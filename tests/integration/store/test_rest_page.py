"""The page behind the link about the rest of a long text: GET changes nothing, and a button decides once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from messaging.simulator.shared.serving import Serving
from messaging.store.admission.links import link_to_held, link_to_rest
from messaging.store.db.connection import open_store
from messaging.store.models import AuditEntry, BlockedAuthor, Delivery
from messaging.web.pages.rest import rest_routes
from tests.support.store.records import Gateway
from tests.support.store.rests import LONG, long_mail, rests, send_first


@contextmanager
def served(gateway: Gateway) -> Iterator[str]:
    """Serve the page; yield its URL without the token."""
    send_first(gateway, long_mail())
    app = FastAPI()
    app.include_router(rest_routes(gateway.settings, gateway.clock))
    with Serving(app) as serving:
        yield serving.url
    open_store(gateway.settings)


def page_of(gateway: Gateway, url: str) -> str:
    link = link_to_rest(gateway.settings, gateway.clock(), long_mail().id)
    return url + link.removeprefix(gateway.settings.public_url)


def choose(url: str, choice: str) -> httpx.Response:
    return httpx.post(url, data={"choice": choice}, trust_env=False)


def test_scanners_that_follow_the_link_send_nothing(sqlite_gateway: Gateway) -> None:
    with served(sqlite_gateway) as url:
        page = httpx.get(page_of(sqlite_gateway, url), trust_env=False)
        assert page.status_code == 200
        assert page.text.count("<button") == 2
        assert LONG[-40:] in page.text
        assert LONG[:40] not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert rests() == [("held", "parts")]


@pytest.mark.parametrize(("choice", "state"), [("send", "waiting"), ("leave", "refused")])
def test_a_button_decides_once(sqlite_gateway: Gateway, choice: str, state: str) -> None:
    with served(sqlite_gateway) as url:
        page = page_of(sqlite_gateway, url)
        first, second, other = choose(page, choice), choose(page, choice), choose(page, "send")
        assert "Done" in first.text
        assert "does not wait any more" in second.text
        assert "does not wait any more" in other.text
        assert [found for found, _ in rests()] == [state]
        number = str(Delivery.objects.get(rest_characters__gt=0).id)
        decided = AuditEntry.objects.filter(kind="delivery", channel="link", object_id=number)
        assert decided.count() == 1


def test_a_blocked_author_a_changed_link_and_one_that_is_over_send_nothing(
    sqlite_gateway: Gateway,
) -> None:
    with served(sqlite_gateway) as url:
        page = page_of(sqlite_gateway, url)
        held = link_to_held(sqlite_gateway.settings, sqlite_gateway.clock(), long_mail().id)
        assert choose(url + "/rest/" + held.rpartition("/")[2], "send").status_code == 404
        assert choose(page + "x", "send").status_code == 404
        assert choose(page, "release").status_code == 400
        BlockedAuthor.objects.create(address="@example.com")
        assert "not sent now" in choose(page, "send").text
        sqlite_gateway.clock.now += timedelta(days=14)
        assert choose(page, "leave").status_code == 404
        assert rests() == [("held", "parts")]
