"""A store with a key holds no text, no bytes and no position in plain, and everything works as without one."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError, Rejected
from messaging.model.message import DeviceReport, Message, Position, Sos, message_id
from messaging.store.accept.positions import list_positions
from messaging.store.backup.backup import back_up
from messaging.store.console.emergencies import recent_emergencies
from messaging.store.console.messages import search_messages
from messaging.store.console.search import SearchLimits
from messaging.store.console.selection import MessageFilter
from messaging.store.db.connection import open_store, store_errors
from messaging.store.db.encryption import BYTES_ADDED, name_of
from messaging.store.db.health import open_ready_store
from messaging.store.models import KeptChange, StoreKey
from messaging.store.retention.people import erase, export
from messaging.store.retention.quota import read_counts
from tests.support.store import records as g
from tests.support.store.fixtures import opened, settings_for
from tests.support.store.records import Clock, Gateway

FIRST, SECOND = b64encode(b"1" * 32).decode(), b64encode(b"2" * 32).decode()
FIRST_NAME, SECOND_NAME = name_of(b"1" * 32), name_of(b"2" * 32)
SECRETS = ("under the palm", "secret subject", "raw words", "47.25", "broken leg")


def with_keys(settings: Settings, *keys: str) -> Settings:
    """Open the store as a process with these keys does."""
    given: dict[str, Any] = {"store_key": ",".join(keys)} if keys else {}
    changed = settings_for(settings.database_url.get_secret_value(), settings.state_dir, **given)
    open_store(changed)
    return changed


@pytest.fixture
def keyed(url: str, tmp_path: Path, clock: Clock) -> Iterator[Gateway]:
    """A gateway whose store has a key."""
    for settings in opened(settings_for(url, tmp_path, store_key=FIRST)):
        open_ready_store(settings)
        yield Gateway.starting(settings, clock)


def fill(gateway: Gateway) -> None:
    """A mail that was sent, one that failed and has a notice, one that waits, a dead letter, a position, an SOS."""
    for key in ("sent", "failed", "waits"):
        letter = Message(
            id=message_id(key),
            sender=g.email("friend@example.com"),
            recipient=g.email("boop@example.org"),
            subject="secret subject",
            text=f"{key} under the palm",
            via="smtp",
            wants_notice=True,
        )
        delivery = gateway.accept(letter)[0]
        assert delivery.message.text == f"{key} under the palm"
        if key != "waits":
            gateway.settle(delivery, Rejected("no") if key == "failed" else None)
    gateway.router.process([g.stranded(raw=b"raw words")])
    device = g.uplink(g.email("x@y.example")).sender
    place = Position(latitude=47.25, longitude=2.0, altitude_meters=1.5)
    report = DeviceReport(id=message_id("p"), sender=device, via="hive", position=place)
    gateway.router.process([report])
    gateway.router.process(
        [
            DeviceReport(
                id=message_id("sos"),
                sender=device,
                via="hive",
                position=place,
                sos=Sos.DECLARED,
                text="broken leg",
            )
        ]
    )


def stored_values() -> str:
    """All values of the tables with content, as the store has them."""
    found: list[object] = []
    with store_errors(), connection.cursor() as cursor:
        for table in ("users_message", "users_sighting"):
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                found += [bytes(one) if isinstance(one, memoryview) else one for one in row]
    return "\n".join(map(str, found))


def run(monkeypatch: pytest.MonkeyPatch, settings: Settings, *words: str, keys: str) -> Result:
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("SATBRIDGE_STORE_KEY", keys)
    monkeypatch.setenv("COLUMNS", "500")
    return CliRunner().invoke(app, list(words))


def test_nothing_is_stored_in_plain(keyed: Gateway, tmp_path: Path) -> None:
    fill(keyed)
    values = stored_values()
    assert [secret for secret in SECRETS if secret in values] == []
    assert FIRST_NAME in values
    if keyed.settings.uses_sqlite:
        copy = tmp_path / "copy"
        back_up(keyed.settings, copy, datetime.now(UTC), None)
        content = copy.read_bytes()
        assert [secret for secret in SECRETS if secret.encode() in content] == []


def test_everything_is_read_as_it_was(
    keyed: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(keyed)
    clock.turn(10)
    due = {one.message.id: one.message for one in keyed.owed()}
    assert due[message_id("waits")].text == "waits under the palm"
    notices = [one for one in due.values() if one.failure]
    assert [one.failure.subject for one in notices if one.failure] == ["secret subject"]
    assert "secret subject" in notices[0].text
    shown = run(
        monkeypatch, keyed.settings, "messages", "show", message_id("sent"), keys=FIRST
    ).output
    assert "sent under the palm" in shown
    assert "secret subject" in shown
    [newest, _] = list_positions(serial="1001", limit=5)
    assert (newest.latitude, newest.longitude, newest.altitude_meters) == (47.25, 2.0, 1.5)
    [emergency] = recent_emergencies(clock.now)
    assert "calls for help" in emergency.headline
    found = json.dumps(export("boop"), default=str)
    assert b64encode(b"raw words").decode() in found
    assert '"latitude": 47.25' in found
    assert "under the palm" in found
    assert FIRST_NAME not in found


def test_erasure_and_counts_fit(keyed: Gateway, clock: Clock) -> None:
    fill(keyed)
    assert sum(one.bytes for one in read_counts().values()) > len(b"raw words") + BYTES_ADDED
    erase("boop", clock.now)
    assert [one for one in read_counts().values() if one.bytes] == []
    assert FIRST_NAME not in stored_values()


def test_plain_rows_stay_readable_and_are_encrypted_in_batches(
    gateway: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(gateway)
    before = export("boop")
    assert "under the palm" in stored_values()
    settings = with_keys(gateway.settings, FIRST)
    assert export("boop") == before
    done = run(monkeypatch, settings, "encrypt-store", "--json", keys=FIRST)
    assert done.exit_code == 0, done.output
    counted = json.loads(done.output)
    assert counted["positions"] == 2
    assert counted["messages"] >= 5
    values = stored_values()
    assert [secret for secret in SECRETS if secret in values] == []
    assert export("boop") == before
    again = json.loads(run(monkeypatch, settings, "encrypt-store", "--json", keys=FIRST).output)
    assert (again["messages"], again["positions"]) == (0, 0)
    erase("boop", clock.now)
    assert [one for one in read_counts().values() if one.bytes] == []


def test_a_new_key_takes_over(keyed: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(keyed)
    before = export("boop")
    both = f"{SECOND},{FIRST}"
    done = run(monkeypatch, keyed.settings, "encrypt-store", keys=both)
    assert done.exit_code == 0, done.output
    assert SECOND_NAME in done.output
    assert FIRST_NAME not in stored_values()
    alone = with_keys(keyed.settings, SECOND)
    open_ready_store(alone)
    assert export("boop") == before
    assert list(StoreKey.objects.values_list("name", flat=True)) == [SECOND_NAME]


def test_everything_is_decrypted_on_request(
    keyed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(keyed)
    before, sizes = export("boop"), KeptChange.objects.count()
    assert sizes
    done = run(monkeypatch, keyed.settings, "encrypt-store", "--decrypt", keys=FIRST)
    assert done.exit_code == 0, done.output
    assert FIRST_NAME not in stored_values()
    # A command before the key is taken away.
    open_ready_store(with_keys(keyed.settings, FIRST))
    monkeypatch.delenv("SATBRIDGE_STORE_KEY")
    open_ready_store(with_keys(keyed.settings))
    assert export("boop") == before
    assert not StoreKey.objects.exists()


@pytest.mark.parametrize(("keys", "lack"), [("", "is not set; it needs"), (SECOND, "lacks")])
def test_a_missing_key_is_one_sentence_at_the_start(
    keyed: Gateway, keys: str, lack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(keyed)
    values = stored_values()
    done = run(monkeypatch, keyed.settings, "status", keys=keys)
    assert isinstance(done.exception, ConfigurationError)
    assert f"SATBRIDGE_STORE_KEY: {lack} the key {FIRST_NAME}" in str(done.exception)
    assert stored_values() == values


def test_a_process_without_the_key_sends_and_ends_nothing(keyed: Gateway, clock: Clock) -> None:
    waiting = keyed.accept(g.mail("waits", text="under the palm"))
    assert waiting
    without = Gateway(
        settings := with_keys(keyed.settings), clock, keyed.router, keyed.ledger, keyed.due
    )
    clock.turn(60)
    assert without.owed() == []
    plain = without.accept(g.mail("plain", text="in clear"))
    assert plain[0].message.text == "in clear"
    with_keys(settings, FIRST)
    clock.turn(3700)
    found = {one.message.text for one in keyed.owed()}
    assert found == {"under the palm", "in clear"}


def test_the_admin_shows_texts_and_says_how_many_are_searched(keyed: Gateway) -> None:
    fill(keyed)
    user = User(username="admin", is_staff=True, is_superuser=True)
    user.set_unusable_password()
    user.save()
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(user)
    found = browser.get("/admin/users/message/?q=SECRET").content.decode()
    assert "are encrypted (SATBRIDGE_STORE_KEY): those of the newest 10,000 messages" in found
    assert message_id("sent")[:8] in found
    assert (
        message_id("sent")[:8] not in browser.get("/admin/users/message/?q=mars").content.decode()
    )
    deliveries = browser.get("/admin/users/delivery/?q=secret").content.decode()
    assert "Subjects are encrypted (SATBRIDGE_STORE_KEY) and cannot be searched." in deliveries
    assert "secret subject" in browser.get("/admin/users/message/?q=friend@").content.decode()
    page = browser.get(f"/admin/users/message/{message_id('sent')}/change/").content.decode()
    assert "sent under the palm" in page


def test_texts_are_searched_by_decrypting_a_bounded_number(keyed: Gateway, clock: Clock) -> None:
    for key in ("old", "new"):
        keyed.accept(g.mail(key, text=f"{key} news from Camaret"))
        clock.turn(60)
    both = search_messages(MessageFilter(text="CAMARET"))
    assert [row.id for row in both.rows] == [message_id("new"), message_id("old")]
    assert both.searched_since is None
    part = search_messages(MessageFilter(text="camaret"), SearchLimits(max_decrypted=1))
    assert [row.id for row in part.rows] == [message_id("new")]
    assert part.searched_since == clock.now - timedelta(seconds=60)
