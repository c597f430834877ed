"""The audit: every change by an operator leaves an entry in its transaction, and no statement takes it back."""

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import Error, connection, transaction
from django.test import Client
from django.utils import timezone
from typer.testing import CliRunner

from messaging.cli.app import app
from messaging.errors import Rejected
from messaging.store.audit.record import Action, record_failed_sign_in
from messaging.store.console import contacts, directory
from messaging.store.console import messages as history
from messaging.store.console.audit import AuditFilter, AuditRow, list_audit
from messaging.store.console.save import InvalidInput
from messaging.store.console.selection import DeliveryFilter
from messaging.store.console.staff import set_staff_password
from messaging.store.db.connection import store_errors
from messaging.store.models import AuditEntry, Contact, Delivery, Subscriber
from messaging.store.receipts.opt_outs import write_opt_outs
from messaging.store.retention import people
from tests.support.store import records as g
from tests.support.store.records import Gateway

Entry = tuple[str, str, str, str]


@pytest.fixture
def last(gateway: Gateway) -> int:
    """The newest entry before the test: entries of earlier tests cannot be deleted."""
    return AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def entries(after: int) -> list[Entry]:
    found = AuditEntry.objects.filter(id__gt=after).order_by("id")
    return list(found.values_list("action", "kind", "object_id", "fields"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users_auditentry SET actor = 'x'",
        "DELETE FROM users_auditentry",
        "DELETE FROM users_auditentry WHERE id = (SELECT max(id) FROM users_auditentry)",
    ],
)
def test_the_database_refuses_to_change_an_entry(gateway: Gateway, statement: str) -> None:
    before = AuditEntry.objects.count()
    assert before
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditEntry.objects.count() == before


def test_an_entry_cannot_be_replaced_or_truncated(gateway: Gateway, last: int) -> None:
    columns = "(id, at, channel, actor, action, kind, object_id, parent_id, fields)"
    values = f"({last}, '2026-01-01', 'cli', '', 'x', '', '', '', '')"
    statements = {
        "sqlite": f"INSERT OR REPLACE INTO users_auditentry {columns} VALUES {values}",
        "postgresql": "TRUNCATE users_auditentry",
    }
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        connection.cursor().execute(statements[connection.vendor])


def test_changes_of_people_are_recorded_by_id_and_column(gateway: Gateway, last: int) -> None:
    directory.add_subscriber("ann")
    ann = Subscriber.objects.get(name="ann").pk
    directory.change_subscriber("ann", number="+15550009999")
    directory.change_subscriber("ann", is_active=True)
    directory.add_device("77", owner="ann", network="hive", networks=["hive"])
    device = Subscriber.objects.get(name="ann").devices.get().pk
    directory.change_device("77", nickname="boat", is_active=False)
    contacts.add_contact("ann", "mum", "mum@example.net")
    contact = Contact.objects.get(name="mum").pk
    contacts.remove_contact("ann", "mum")
    assert entries(last) == [
        ("add", "subscriber", str(ann), ""),
        ("change", "subscriber", str(ann), "number"),
        ("add", "device", str(device), ""),
        ("change", "device", str(device), "nickname,is_active"),
        ("add", "contact", str(contact), ""),
        ("remove", "contact", str(contact), ""),
    ]
    with store_errors(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM users_auditentry WHERE id > %s", [last])
        text = str(cursor.fetchall())
    assert not any(secret in text for secret in ("mum", "5550009999", "boat", "ann"))


def test_a_change_that_fails_leaves_no_entry(gateway: Gateway, last: int) -> None:
    with pytest.raises(InvalidInput):
        directory.add_subscriber("boop")
    with transaction.atomic():
        directory.add_subscriber("ann")
        transaction.set_rollback(True)
    assert entries(last) == []


def test_retry_and_cancel_are_recorded_for_each_delivery_that_they_change(
    gateway: Gateway, last: int
) -> None:
    gateway.settle(gateway.take_one(g.mail("one")), Rejected("no such device"))
    gateway.settle(gateway.take_one(g.mail("two")))
    failed = str(Delivery.objects.get(state="failed").pk)
    history.retry_all(DeliveryFilter(user="boop"), gateway.settings)
    history.cancel_all(DeliveryFilter(state="waiting"))
    history.cancel_all(DeliveryFilter(state="waiting"))
    assert entries(last) == [("retry", "delivery", failed, ""), ("cancel", "delivery", failed, "")]
    parent = AuditEntry.objects.order_by("-id").values_list("parent_id", flat=True)[0]
    assert parent == Delivery.objects.get(pk=failed).message_id


def test_a_phone_that_says_stop_is_no_operator(gateway: Gateway, last: int) -> None:
    pair = ("+15550002222", "+15550001111")
    write_opt_outs({pair: False}, timezone.now())
    write_opt_outs({pair: True}, timezone.now())
    assert entries(last) == []


def test_export_erasure_and_removal_are_recorded(gateway: Gateway, last: int) -> None:
    boop = Subscriber.objects.get(name="boop")
    number, device = str(boop.pk), str(boop.devices.get().pk)
    contacts.add_contact("boop", "mum", "mum@example.net")
    people.export("boop")
    people.remove_subscriber("boop", timezone.now())
    found = [one[:3] for one in entries(last) if one[1] != "contact"]
    assert found == [
        ("export", "subscriber", number),
        ("erase", "subscriber", number),
        ("remove", "device", device),
        ("remove", "subscriber", number),
    ]


def test_sign_ins_and_failed_ones_are_recorded(gateway: Gateway, last: int) -> None:
    set_staff_password("admin", "correct horse")
    number = str(User.objects.get(username="admin").pk)
    assert entries(last)[0] == ("add", "sign-in", number, "")
    last = AuditEntry.objects.order_by("-id")[0].pk
    client = Client(SERVER_NAME="localhost")
    assert not client.login(username="admin", password="wrong")
    assert not client.login(username="mum@example.net", password="wrong")
    assert client.login(username="admin", password="correct horse")
    client.logout()
    assert entries(last) == [
        ("sign-in failed", "sign-in", number, ""),
        ("sign-in failed", "sign-in", "", ""),
        ("sign-in", "sign-in", number, ""),
        ("sign-out", "sign-in", number, ""),
    ]


def test_failed_sign_ins_are_recorded_up_to_a_limit(gateway: Gateway, last: int) -> None:
    failed = AuditEntry.objects.filter(action=Action.SIGN_IN_FAILED)
    limit = failed.count() + 2
    for number in range(4):
        record_failed_sign_in(number, limit)
    assert [one[2] for one in entries(last)] == ["0", "1"]


def test_a_change_in_the_admin_is_by_the_sign_in(gateway: Gateway) -> None:
    user = User.objects.create(username="admin", is_staff=True, is_superuser=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    gateway.take_one(g.mail("one"))
    chosen = {"action": "cancel", "_selected_action": [Delivery.objects.get().pk]}
    client.post("/admin/users/delivery/", chosen)
    opt_out = {"peer": "+15550002222", "number": "+15550001111"}
    client.post(
        "/admin/users/optout/add/", {**opt_out, "since_0": "2026-01-01", "since_1": "00:00"}
    )
    rows = list_audit(AuditFilter(limit=2))
    assert [(row.channel, row.by, row.action, row.kind) for row in rows] == [
        ("admin", "admin", "add", "opt-out"),
        ("admin", "admin", "cancel", "delivery"),
    ]
    page = client.get("/admin/users/auditentry/").content.decode()
    assert "opt-out" in page
    entry = client.get(f"/admin/users/auditentry/{rows[0].id}/change/").content.decode()
    assert 'name="_save"' not in entry
    deleted = client.post(f"/admin/users/auditentry/{rows[0].id}/delete/", {"post": "yes"})
    assert deleted.status_code == 403


def test_the_command_lists_the_entries(
    gateway: Gateway, last: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", gateway.settings.database_url.get_secret_value())
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("SUDO_UID", "4711")
    gateway.take_one(g.mail("one"))
    message = Delivery.objects.get().message_id
    runner = CliRunner()
    assert runner.invoke(app, ["messages", "cancel", message]).exit_code == 0
    assert runner.invoke(app, ["users", "change", "boop", "--inactive"]).exit_code == 0
    done = runner.invoke(app, ["audit", "--message", message, "--json"])
    row = json.loads(done.stdout)[0]
    assert (row["channel"], row["actor"], row["action"]) == ("cli", "4711", "cancel")
    done = runner.invoke(app, ["audit", "--user", "boop", "--action", "change", "--limit", "1"])
    assert done.exit_code == 0
    for word in ("cli 4711", "change", "subscriber", "boop", "is_active"):
        assert word in done.stdout
    assert isinstance(list_audit(AuditFilter(limit=1))[0], AuditRow)
