"""The commands about people: their contacts, and how their devices write."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.model.message import message_id
from messaging.store.console.save import InvalidInput
from messaging.store.db.connection import open_store
from messaging.store.models import Device, DevicePosition, Message


@pytest.fixture(autouse=True)
def store(store_settings: Settings) -> None:
    done("users", "add", "boop")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def done(*words: str) -> str:
    outcome = run(*words)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_contacts_are_added_listed_changed_and_removed() -> None:
    told = done("users", "contacts", "add", "boop", "Alice", "alice@example.org", "--emergency")
    assert told == "boop can now write to @alice, alice@example.org\n"
    done("users", "contacts", "change", "boop", "alice", "--no-emergency")
    [row] = json.loads(done("users", "contacts", "list", "boop", "--json"))
    assert row == {
        "owner": "boop",
        "name": "alice",
        "address": "alice@example.org",
        "is_emergency": False,
        "may_write": "always",
        "write_until": None,
        "must_be_proved": False,
        "sees_positions": True,
        "gets_receipts": True,
        "further_addresses": [],
    }
    assert "alice@example.org" in done("users", "contacts", "list")
    done("users", "contacts", "remove", "boop", "alice")
    assert json.loads(done("users", "contacts", "list", "--json")) == []


def test_a_contact_has_permissions_and_further_addresses() -> None:
    contacts = ("users", "contacts")
    done(*contacts, "add", "boop", "al", "al@example.org", "--write", "2999-01-02", "--proved")
    [row] = json.loads(done(*contacts, "list", "--json"))
    assert (row["may_write"], row["must_be_proved"]) == ("until", True)
    assert row["write_until"].startswith("2999-01-02")
    assert "until 2999-01-02" in done(*contacts, "list")
    done(*contacts, "change", "boop", "al", "--write", "never", "--no-positions")
    done(*contacts, "add-address", "boop", "al", "+1 555 123 0000")
    [row] = json.loads(done(*contacts, "list", "--json"))
    assert (row["may_write"], row["write_until"]) == ("never", None)
    assert (row["sees_positions"], row["further_addresses"]) == (False, ["+15551230000"])
    done(*contacts, "remove-address", "boop", "al", "+15551230000")
    [row] = json.loads(done(*contacts, "list", "--json"))
    assert row["further_addresses"] == []
    again = run(*contacts, "remove-address", "boop", "al", "+15551230000")
    assert isinstance(again.exception, InvalidInput)


def test_authors_are_blocked_for_one_user_or_all() -> None:
    blocks = ("users", "blocks")
    done(*blocks, "add", "Spam@Example.org", "--user", "boop")
    done(*blocks, "add", "@Example.org")
    rows = json.loads(done(*blocks, "list", "--json"))
    found = {(row["owner"], row["address"]) for row in rows}
    assert found == {("boop", "spam@example.org"), (None, "@example.org")}
    for words in (("@example.org",), ("nonsense",), ("@",)):
        assert isinstance(run(*blocks, "add", *words).exception, InvalidInput)
    done(*blocks, "remove", "@example.org")
    assert len(json.loads(done(*blocks, "list", "--json"))) == 1


def test_new_users_take_messages_of_known_authors(monkeypatch: pytest.MonkeyPatch) -> None:
    def modes() -> dict[str, str]:
        return {row["name"]: row["senders"] for row in json.loads(done("users", "list", "--json"))}

    monkeypatch.setenv("SATBRIDGE_SENDERS", "open")
    done("users", "add", "ann")
    done("users", "add", "bob", "--senders", "closed")
    assert modes() == {"ann": "open", "bob": "closed", "boop": "known"}
    done("users", "change", "ann", "--senders", "known")
    assert modes()["ann"] == "known"


def test_what_cannot_be_a_contact_is_refused() -> None:
    outcome = run("users", "contacts", "add", "boop", "alice", "12345")
    assert isinstance(outcome.exception, InvalidInput)


def test_a_device_says_how_it_writes_and_whether_it_tells_its_place() -> None:
    done("devices", "add", "1001", "--owner=boop", "--network=hive", "--codec=text")
    done("devices", "change", "1001", "--no-position")
    [row] = json.loads(done("devices", "list", "--json"))
    assert (row["codec"], row["adds_position"]) == ("text", False)
    done("devices", "change", "1001", "--codec=", "--position")
    [row] = json.loads(done("devices", "list", "--json"))
    assert (row["codec"], row["adds_position"]) == ("", True)
    assert "codec" in done("devices", "list")


def test_a_device_has_an_alphabet_of_its_own() -> None:
    options = ("--owner=boop", "--network=hive", "--alphabet=ascii", "--json")
    assert json.loads(done("devices", "add", "1001", *options))["alphabet"] == "ascii"
    assert "ascii" in done("devices", "list")
    row = json.loads(done("devices", "change", "1001", "--alphabet=", "--json"))
    assert row["alphabet"] == ""


def test_a_time_zone_and_a_language_are_listed() -> None:
    done("users", "add", "ann", "--time-zone", "Europe/Berlin", "--language", "de")
    rows = json.loads(done("users", "list", "--json"))
    found = {row["name"]: (row["time_zone"], row["language"]) for row in rows}
    assert found == {"ann": ("Europe/Berlin", "de"), "boop": ("UTC", "en")}
    assert "Europe/Berlin" in done("users", "list")
    done("users", "change", "boop", "--time-zone", "asia/tokyo", "--language", "ja")
    new = ("--owner=boop", "--network=hive", "--time-zone=UTC")
    row = json.loads(done("devices", "add", "1001", *new, "--json"))
    assert (row["time_zone"], row["language"]) == ("UTC", None)
    done("devices", "change", "1001", "--time-zone=", "--language=en")
    [row] = json.loads(done("devices", "list", "--json"))
    assert (row["time_zone"], row["language"]) == (None, "en")
    outcome = run("users", "change", "boop", "--time-zone", "Tokio")
    assert isinstance(outcome.exception, InvalidInput)
    assert "Asia/Tokyo" in str(outcome.exception)


IMEI = "300234010753370"


def devices() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(done("devices", "list", "--json"))
    return rows


def test_a_wrong_serial_is_refused_unless_the_device_is_odd() -> None:
    words = ("devices", "add", "abc", "--owner=boop", "--network=rockblock")
    assert "'abc' is no serial of this network" in str(run(*words).exception)
    assert devices() == []
    done(*words, "--any-serial")
    assert [row["serial"] for row in devices()] == ["abc"]


def test_a_doubtful_serial_is_taken_with_a_warning() -> None:
    outcome = run("devices", "add", "300234010753371", "--owner=boop", "--network=rockblock")
    assert outcome.exit_code == 0
    assert "is it mistyped?" in outcome.stderr


@pytest.mark.parametrize("network", ["rockblock", "cloudloop", "directip", "sbdmail"])
def test_a_new_device_that_people_type_on_has_the_codec_text(network: str) -> None:
    serial = "DgXeoxwVPMyrdOBJeEGlqKRJLbajQkzZ" if network == "cloudloop" else IMEI
    done("devices", "add", serial, "--owner=boop", f"--network={network}")
    assert [row["codec"] for row in devices()] == ["text"]


@pytest.mark.parametrize(
    ("words", "codec"),
    [
        (("1001", "--network=hive"), ""),
        ((IMEI, "--network=rockblock", "--codec=protobuf"), "protobuf"),
        ((IMEI, "--network=rockblock", "--codec="), ""),
    ],
)
def test_other_networks_and_an_own_wish_decide_themselves(
    words: tuple[str, ...], codec: str
) -> None:
    done("devices", "add", *words, "--owner=boop")
    assert [row["codec"] for row in devices()] == [codec]


def test_the_codec_that_the_operator_set_for_the_account_is_that_of_new_devices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SATBRIDGE_ROCKBLOCK_CODEC", "protobuf")
    done("devices", "add", IMEI, "--owner=boop", "--network=rockblock")
    assert [row["codec"] for row in devices()] == [""]


def test_a_device_moves_to_another_network_and_gets_another_serial() -> None:
    done("devices", "add", "abc", "--owner=boop", "--network=rockblock", "--any-serial")
    refused = run("devices", "change", "abc", "--new-network=directip")
    assert "is no serial of this network" in str(refused.exception)
    refused = run("devices", "change", "abc", "--new-network=rockblok")
    assert "there is no satellite network 'rockblok'" in str(refused.exception)
    done("devices", "change", "abc", "--new-network=directip", "--new-serial=300234-010753370")
    assert [(row["network"], row["serial"]) for row in devices()] == [("directip", IMEI)]


def test_a_change_of_something_else_does_not_check_the_serial() -> None:
    done("devices", "add", "abc", "--owner=boop", "--network=rockblock", "--any-serial")
    done("devices", "change", "abc", "--nickname=boat")


def test_check_names_an_unknown_network_and_the_repair(store_settings: Settings) -> None:
    done("devices", "add", IMEI, "--owner=boop", "--network=rockblock")
    open_store(store_settings)
    Device.objects.update(network="rockblok")
    rows = [row for row in json.loads(run("check", "--json").stdout) if row["part"] == "devices"]
    assert [row["ok"] for row in rows] == [False]
    assert f"rockblok {IMEI}" in rows[0]["said"]
    assert "devices change SERIAL --new-network NETWORK" in rows[0]["said"]
    done("devices", "change", IMEI, "--new-network=rockblock")
    rows = [row for row in json.loads(run("check", "--json").stdout) if row["part"] == "devices"]
    assert [row["ok"] for row in rows] == [None]
    assert "not configured: rockblock; mail for them waits (451)" in rows[0]["said"]


def test_check_says_that_no_author_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATBRIDGE_MAIL_AUTHENTICATION", "false")
    rows = [row for row in json.loads(run("check", "--json").stdout) if row["part"] == "authors"]
    assert [row["ok"] for row in rows] == [None]
    assert rows[0]["said"].endswith("every author is unproved")


def test_the_claim_of_a_wrong_clock_has_a_column_of_its_own() -> None:
    done("devices", "add", "1001", "--owner=boop", "--network=hive")
    at, claim = datetime(2026, 1, 2, 3, 4, tzinfo=UTC), datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    for key, claimed_at in (("right", None), ("wrong", claim)):
        Device.objects.get().positions.create(id=message_id(key), at=at, claimed_at=claimed_at)
    printed = done("devices", "positions").splitlines()
    title, right, wrong = (line.rstrip() for line in printed)
    assert title.endswith("its clock says")
    assert right.endswith("boop")
    assert wrong.endswith("2030-01-02 03:04:00")
    DevicePosition.objects.filter(claimed_at__isnull=False).delete()
    assert "its clock says" not in done("devices", "positions")


def test_a_mailbox_is_entered_listed_and_confirmed_by_its_code(
    store_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = run("users", "add", "ann", "--mail", "ann@home.example")
    assert "SATBRIDGE_RELAY_URL is not set" in str(refused.exception)
    monkeypatch.setenv("SATBRIDGE_RELAY_URL", "smtp://127.0.0.1:25")
    added = run("users", "add", "ann", "--mail", "ann@home.example")
    assert "a code was sent to ann@home.example" in added.output
    assert "NONE (ann@home.example is not confirmed)" in done("users", "list")
    open_store(store_settings)
    text = Message.objects.get(mail_kind="code").text
    code = text.partition("satbridge users confirm ann ")[2][:10]
    done("users", "confirm", "ann", code)
    rows = {row["name"]: row for row in json.loads(done("users", "list", "--json"))}
    assert rows["ann"]["mail"] == "ann@home.example"
    assert rows["ann"]["is_mail_confirmed"]
    assert not rows["boop"]["is_mail_confirmed"]
    assert isinstance(run("users", "confirm", "ann", code).exception, InvalidInput)
    done("users", "change", "ann", "--mail", "")
    assert json.loads(done("users", "list", "--json"))[0]["mail"] == ""
