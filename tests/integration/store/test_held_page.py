"""The page behind the link about a held message: GET changes nothing, and a button decides once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from messaging.model.message import Address, AuthorLevel, Authorship, Message, Network
from messaging.simulator.shared.serving import Serving
from messaging.store.admission.links import link_to_held
from messaging.store.db.connection import open_store
from messaging.store.models import AuditEntry, BlockedAuthor, Contact, Delivery, Subscriber
from messaging.web.pages.held import decision_routes
from tests.support.store import records as g
from tests.support.store.budgets import add_budget
from tests.support.store.records import Gateway


def mail(key: str, author: str = "Ann@example.net") -> Message:
    return replace(
        g.mail(key, text="hello <script>alert(1)</script>"),
        sender=Address(Network.EMAIL, author),
        authorship=Authorship(AuthorLevel.LIKELY),
    )


@contextmanager
def served(gateway: Gateway) -> Iterator[str]:
    """Serve the page; yield the path of the link about the message `one`."""
    Subscriber.objects.update(senders="known")
    gateway.router.process([mail("one"), mail("two", "ANN@example.net"), mail("other", "b@x.org")])
    app = FastAPI()
    app.include_router(decision_routes(gateway.settings, gateway.clock))
    link = link_to_held(gateway.settings, gateway.clock(), mail("one").id)
    with Serving(app) as serving:
        yield serving.url + link.removeprefix(gateway.settings.public_url)
    open_store(gateway.settings)


def states() -> list[str]:
    to_devices = Delivery.objects.filter(recipient_network="satellite").order_by("id")
    return list(to_devices.values_list("state", flat=True))


def choose(url: str, choice: str) -> httpx.Response:
    return httpx.post(url, data={"choice": choice}, trust_env=False)


def test_scanners_that_follow_the_link_change_nothing(sqlite_gateway: Gateway) -> None:
    with served(sqlite_gateway) as url:
        pages = [httpx.get(url, trust_env=False) for _ in range(3)]
        assert states() == ["held"] * 3
    for page in pages:
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "hello &lt;script&gt;" in page.text
        assert "ann@example.net (likely)" in page.text.lower()
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("choice", "ends", "contacts", "blocked"),
    [
        ("release", ["waiting", "held", "held"], 0, 0),
        ("allow", ["waiting", "waiting", "held"], 1, 0),
        ("block", ["refused", "refused", "held"], 0, 1),
    ],
)
def test_a_button_decides_once(
    sqlite_gateway: Gateway, choice: str, ends: list[str], contacts: int, blocked: int
) -> None:
    with served(sqlite_gateway) as url:
        first, second = choose(url, choice), choose(url, choice)
        assert "Done" in first.text
        assert "does not wait for a decision" in second.text
        assert states() == ends
        assert (Contact.objects.count(), BlockedAuthor.objects.count()) == (contacts, blocked)
        # Entries of the audit outlive the rows of earlier tests.
        ids = [str(one) for one in Delivery.objects.values_list("id", flat=True)]
        decided = AuditEntry.objects.filter(kind="delivery", channel="link", object_id__in=ids)
        assert decided.count() == 3 - ends.count("held")


def test_an_author_that_was_allowed_may_write_and_a_blocked_one_not(
    sqlite_gateway: Gateway,
) -> None:
    with served(sqlite_gateway) as url:
        assert choose(url, "allow").status_code == 200
    assert Contact.objects.get().name == "ann"
    sqlite_gateway.router.process([mail("three")])
    assert Delivery.objects.get(message_id=mail("three").id).state == "waiting"


def test_a_link_that_is_over_changed_or_misused_does_nothing(sqlite_gateway: Gateway) -> None:
    with served(sqlite_gateway) as url:
        assert choose(url, "delete").status_code == 400
        assert httpx.get(url + "x", trust_env=False).status_code == 404
        sqlite_gateway.clock.now += timedelta(days=14)
        assert choose(url, "release").status_code == 404
        assert states() == ["held"] * 3


def test_a_release_without_room_in_the_budget_says_so(sqlite_gateway: Gateway) -> None:
    add_budget(0)
    with served(sqlite_gateway) as url:
        page = choose(url, "release")
        assert "stays held" in page.text
        assert "budget subscriber:boop: 0 units of 0 units" in page.text
        assert states() == ["held"] * 3
