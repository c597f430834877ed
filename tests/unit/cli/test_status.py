"""The command `status`, of a service whose report is in the state folder."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.service.state_file import RunningService, StateFile, remove
from messaging.store.console import directory
from messaging.store.db.connection import close_connection, open_store
from messaging.store.models import Delivery, Message
from messaging.store.queue.delivery_state import NEVER

SINCE = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def running(store_settings: Settings) -> None:
    """Let this process be the service."""
    worker = {"name": "mail-out", "in": 3, "out": 3, "refused": 0, "idle": True}
    StateFile(store_settings.state_dir).write(
        RunningService(
            pid=os.getpid(),
            state="running",
            mail=["127.0.0.1:7420"],
            http="127.0.0.1:8000",
            since=SINCE.timestamp(),
            at=SINCE.timestamp() + 60,
            workers=[worker],
        )
    )


def test_json_has_times_in_iso_8601_beside_the_seconds() -> None:
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)["running"]
    assert (found["since"], found["at"]) == (SINCE.timestamp(), SINCE.timestamp() + 60)
    assert found["since_time"] == "2026-11-30T12:00:00+00:00"
    assert found["at_time"] == "2026-11-30T12:01:00+00:00"
    assert found["pid"] == os.getpid()


def test_outgoing_mail_has_a_row() -> None:
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 0
    assert "mail-out" in done.stdout


def test_without_a_service_the_state_folder_is_named(store_settings: Settings) -> None:
    remove(store_settings.state_dir)
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 1
    assert f"not running (SATBRIDGE_STATE_DIR is {store_settings.state_dir})" in done.stdout


def test_the_recipient_that_an_emergency_has_not_reached_comes_first(
    store_settings: Settings,
) -> None:
    open_store(store_settings)
    since = timezone.now() - timedelta(hours=2)
    message = Message.objects.create(
        id="5" * 32,
        sender_network="satellite",
        sender="1001",
        via="hive",
        subject="SOS: boop's device 1001 (hive) calls for help",
        created_at=since,
    )
    Delivery.objects.create(
        message=message,
        via="twilio",
        sender_network="sms",
        sender="+15550001111",
        recipient_network="sms",
        recipient="+15559998888",
        state="failed",
        losses=50,
        reason="lost 50 times, a person is needed; last: the phone is off",
        is_urgent=True,
        expires_at=NEVER,
        created_at=since,
        updated_at=since,
    )
    close_connection()
    first, second, *_ = CliRunner().invoke(app, ["status"]).stdout.splitlines()
    assert first.endswith("calls for help: failed (message 555555555555)")
    assert second.startswith("NOT REACHED: +15559998888 by twilio (lost 50 times, a person is")
    assert second.endswith("it is tried no more until `satbridge messages retry 555555555555`")
    [emergency] = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)["emergencies"]
    [unreached] = emergency["unreached"]
    assert (unreached["is_tried"], unreached["losses"]) == (False, 50)
    output = CliRunner().invoke(app, ["messages", "show", "5" * 32]).stdout
    assert "lost, perhaps charged: 50 times" in output


def test_subscribers_who_take_messages_of_all_authors_are_named(store_settings: Settings) -> None:
    open_store(store_settings)
    directory.add_subscriber("boop")
    directory.add_subscriber("ann", senders="known")
    told = CliRunner().invoke(app, ["status"]).stdout
    assert "all authors can write to the devices of boop, at their cost" in told
    directory.change_subscriber("boop", senders="known")
    assert "all authors" not in CliRunner().invoke(app, ["status"]).stdout


def test_subscribers_without_a_confirmed_mailbox_are_named(store_settings: Settings) -> None:
    open_store(store_settings)
    directory.add_subscriber("ann", senders="known")
    directory.add_subscriber("bob", senders="open")
    done = CliRunner().invoke(app, ["status"]).stdout
    assert "no mailbox hears of messages that are held for ann;" in done
    assert json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)["without_mailbox"] == [
        "ann"
    ]
