"""Export, erasure and removal of a subscriber and of a device."""

import json
import stat
from pathlib import Path

import pytest
from django.db import connection
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.model.message import DeviceReport, Position, message_id
from messaging.store.console import contacts, directory
from messaging.store.console import messages as history
from messaging.store.console.save import InvalidInput
from messaging.store.db.connection import store_errors
from messaging.store.models import Contact, Delivery, Device, DevicePosition, Message, Subscriber
from messaging.store.retention.quota import Kept, read_counts
from tests.support.store import records as g
from tests.support.store.fixtures import TABLES
from tests.support.store.records import Gateway

SECRETS = (
    "friend@example.com",
    "mum@example.net",
    "key under the mat",
    "all well",
    "47.25",
    "raw words",
)


@pytest.fixture
def lived(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gateway:
    """A subscriber with a past: sent, waiting and dead messages, a contact and a position; and another subscriber."""
    settings = gateway.settings
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("SATBRIDGE_STATE_DIR", str(tmp_path))
    contacts.add_contact("boop", "mum", "mum@example.net")
    gateway.settle(gateway.take_one(g.mail("sent", text="key under the mat")))
    gateway.take_one(g.uplink(g.email("mum@example.net")))
    gateway.router.process([g.stranded(raw=b"raw words")])
    device = g.uplink(g.email("x@y.example")).sender
    place = Position(latitude=47.25, longitude=2.0)
    gateway.router.process(
        [DeviceReport(id=message_id("p"), sender=device, via="hive", position=place)]
    )
    directory.add_subscriber("other")
    directory.add_device("2002", owner="other", network="hive", networks=["hive"])
    gateway.take_one(g.mail("others", to="other@example.org", text="not hers"))
    return gateway


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def done(*words: str) -> str:
    outcome = run(*words)
    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    return outcome.stdout


def dump() -> str:
    """Every value of every table but those of the other subscriber, as text."""
    with store_errors(), connection.cursor() as cursor:
        texts = []
        for table in (name for name in TABLES if name.startswith("users_")):
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                cells = [bytes(x) if isinstance(x, memoryview) else x for x in row]
                if "not hers" not in str(cells) and "2002" not in str(cells):
                    texts.append(str(cells))
    return "\n".join(texts)


def test_an_export_has_everything(lived: Gateway, tmp_path: Path) -> None:
    data = json.loads(done("users", "export", "boop"))
    found = {one["text"]: len(one["deliveries"]) for one in data["messages"]}
    assert found == {"key under the mat": 1, "all well": 1, "": 0}
    [sent] = [one for one in data["messages"] if one["text"] == "key under the mat"]
    [attempt] = sent["deliveries"][0]["history"]
    assert (attempt["number"], attempt["outcome"], attempt["reason"]) == (1, "sent", "")
    assert attempt["began_at"]
    assert attempt["ended_at"]
    [waiting] = [one for one in data["messages"] if one["text"] == "all well"]
    assert waiting["deliveries"][0]["history"] == []
    assert [one["address"] for one in data["contacts"]] == ["mum@example.net"]
    assert [one["latitude"] for one in data["positions"]] == [47.25]
    assert data["subscriber"]["number"] == g.BOOPS_NUMBER
    file = tmp_path / "boop.json"
    done("users", "export", "boop", "--output", str(file))
    assert json.loads(file.read_text()) == data
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_erasure_takes_texts_and_addresses_and_leaves_ids_and_states(lived: Gateway) -> None:
    assert all(secret in dump() for secret in SECRETS)
    assert run("users", "erase", "boop").exit_code == 1  # it asks
    told = done("users", "erase", "boop", "--yes")
    assert "3 messages emptied, 1 positions and 1 contacts deleted, 1 deliveries cancelled" in told
    assert [secret for secret in SECRETS if secret in dump()] == []
    assert sorted(Delivery.objects.values_list("state", flat=True)) == [
        "cancelled",
        "sent",
        "waiting",
    ]
    assert Message.objects.count() == 4
    assert Subscriber.objects.filter(name="boop").exists()
    assert read_counts()[Subscriber.objects.get(name="boop").pk] == Kept(0, 0)
    assert lived.router.process([g.mail("sent", text="key under the mat")]) == [[]]  # a repeat
    assert history.retry(message_id("up"), lived.settings).due_now == 0
    assert Message.objects.get(id=message_id("others")).text == "not hers"


def test_a_removed_subscriber_is_gone_and_the_messages_stay_empty(lived: Gateway) -> None:
    done("users", "remove", "boop", "--yes")
    assert [secret for secret in SECRETS if secret in dump()] == []
    assert [one.name for one in Subscriber.objects.all()] == ["other"]
    assert [one.serial for one in Device.objects.all()] == ["2002"]
    assert (Contact.objects.count(), DevicePosition.objects.count()) == (0, 0)
    assert (Message.objects.count(), Delivery.objects.count()) == (4, 3)
    assert isinstance(run("users", "remove", "boop", "--yes").exception, InvalidInput)


def test_a_removed_device_takes_its_messages_along(lived: Gateway) -> None:
    told = done("devices", "remove", "1001", "--yes", "--json")
    assert json.loads(told) == {"messages": 3, "positions": 1, "contacts": 0, "cancelled": 1}
    assert Device.objects.filter(serial="1001").count() == 0
    assert Contact.objects.count() == 1
    left = dump()
    assert [one for one in SECRETS if one in left] == ["mum@example.net"]  # the contact
