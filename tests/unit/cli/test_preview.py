"""The command `preview`: what a device would show of a mail."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.console import contacts, directory
from messaging.store.console.save import InvalidInput
from messaging.store.db.connection import open_store

SERIAL = "300234010753370"
MAIL = (
    "From: Ann <ann@x.example>\nSubject: Re: Survey\nIn-Reply-To: <1@x>\n\nIt\u2019s paid.\n\n"
    "On 27.11.2026 at 10:12, boop <boop@example.org> wrote:\n> Is it paid?\n"
)


@pytest.fixture(autouse=True)
def device(store_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATBRIDGE_ROCKBLOCK_USERNAME", "user")
    monkeypatch.setenv("SATBRIDGE_ROCKBLOCK_PASSWORD", "password")
    open_store(store_settings)
    directory.add_subscriber("boop")
    directory.add_device(
        SERIAL, owner="boop", network="rockblock", networks=["rockblock"], codec="text"
    )
    contacts.add_contact("boop", "ann", "ann@x.example")


def run(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["preview", *words], input=typed)


def test_prints_the_packets_and_what_is_folded(tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    file.write_text(MAIL, "utf-8")
    result = run(str(file), "--device", SERIAL)
    assert result.exit_code == 0, result.output
    assert "packet 1 of 1, 15 bytes:\n@ann It's paid." in result.stdout
    assert "of attribution" in result.stdout
    assert "left out: nothing" in result.stdout


def test_reads_standard_input() -> None:
    result = run("-", "--device", SERIAL, "--json", typed=MAIL)
    assert result.exit_code == 0, result.output
    preview = json.loads(result.stdout)
    assert [part["text"] for part in preview["parts"]] == ["@ann It's paid."]
    assert preview["sender"] == "ann@x.example"


def test_an_automatic_answer_reaches_no_device() -> None:
    result = run("-", "--device", SERIAL, typed="Subject: Automatic reply: x\n\naway")
    assert isinstance(result.exception, ConfigurationError)
    assert "reaches no device" in str(result.exception)


def test_an_unknown_device_is_named() -> None:
    result = run("-", "--device", "300000000000000", typed=MAIL)
    assert isinstance(result.exception, InvalidInput)


def test_an_invitation_is_shown_in_the_zone_and_the_language_of_the_device() -> None:
    directory.change_subscriber("boop", time_zone="Asia/Tokyo", language="de")
    directory.change_device(SERIAL, time_zone="Europe/Berlin")
    mail = (
        "From: Ann <ann@x.example>\nContent-Type: text/calendar; method=REQUEST\n\n"
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Crew change\n"
        "DTSTART:20261201T120000Z\nDTEND:20261201T130000Z\nLOCATION:Pier 3\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    result = run("-", "--device", SERIAL, "--json", typed=mail)
    assert result.exit_code == 0, result.output
    shown = "".join(part["text"] for part in json.loads(result.stdout)["parts"])
    assert "Einladung: Crew change" in shown
    assert "2026-12-01 13:00 - 14:00 CET" in shown
