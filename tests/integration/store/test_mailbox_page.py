"""The page that confirms a mailbox or stops its mails: GET changes nothing, and its button works once."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI

from messaging.simulator.shared.serving import Serving
from messaging.store.console import directory
from messaging.store.db.connection import open_store
from messaging.store.models import AuditEntry
from messaging.web.pages.mailbox import mailbox_routes
from tests.support.store.mailboxes import (
    LINK,
    MAILBOX,
    enter_mailbox,
    hold_for_mailbox,
    send_digests,
    stranger,
    with_pages,
)
from tests.support.store.records import Gateway


@contextmanager
def served(gateway: Gateway, link: str) -> Iterator[str]:
    """Serve the page; yield the local URL of a link in a mail."""
    app = FastAPI()
    app.include_router(mailbox_routes(gateway.settings, gateway.clock))
    with Serving(app) as serving:
        yield serving.url + link.removeprefix(gateway.settings.public_url)
    open_store(gateway.settings)


def is_confirmed() -> bool:
    [row] = directory.list_subscribers()
    return row.is_mail_confirmed


def test_a_button_confirms_a_mailbox_and_a_scanner_does_not(sqlite_gateway: Gateway) -> None:
    gateway = with_pages(sqlite_gateway)
    [link] = LINK.findall(enter_mailbox(gateway))
    with served(gateway, link) as url:
        page = httpx.get(url, trust_env=False)
        assert (page.status_code, MAILBOX in page.text) == (200, True)
        assert page.headers["referrer-policy"] == "no-referrer"
        assert not is_confirmed()
        assert "is confirmed" in httpx.post(url, trust_env=False).text
        assert is_confirmed()
        # A code works once.
        assert httpx.post(url, trust_env=False).status_code == 404
        assert httpx.get(url, trust_env=False).status_code == 404
    assert AuditEntry.objects.filter(kind="mailbox", channel="link").latest("id").fields


def test_a_link_that_is_over_changed_or_replaced_does_nothing(sqlite_gateway: Gateway) -> None:
    gateway = with_pages(sqlite_gateway)
    [old] = LINK.findall(enter_mailbox(gateway))
    gateway.clock.turn(60)
    [new] = LINK.findall(enter_mailbox(gateway))
    with served(gateway, old) as url:
        assert httpx.post(url, trust_env=False).status_code == 404
        assert httpx.post(url + "x", trust_env=False).status_code == 404
    gateway.clock.turn(7 * 86_400)
    with served(gateway, new) as url:
        assert httpx.post(url, trust_env=False).status_code == 404
    assert not is_confirmed()


def test_the_link_in_a_digest_stops_the_mails(sqlite_gateway: Gateway) -> None:
    gateway = with_pages(sqlite_gateway)
    hold_for_mailbox(gateway)
    gateway.router.process([stranger("a")])
    gateway.clock.turn(86_400)
    [digest] = send_digests(gateway)
    stop = LINK.findall(digest.text)[-1]
    with served(gateway, stop) as url:
        assert "Stop the daily mails" in httpx.get(url, trust_env=False).text
        assert is_confirmed()
        assert "The mails are stopped." in httpx.post(url, trust_env=False).text
        assert not is_confirmed()
    hold_for_mailbox(gateway)
    with served(gateway, stop) as url:
        assert httpx.post(url, trust_env=False).status_code == 404
    assert is_confirmed()
