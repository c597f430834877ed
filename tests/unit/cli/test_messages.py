"""The commands about messages: list, explain, try again and call off, one or all that match."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from messaging.cli.app import app
from messaging.cli.message_output import print_found
from messaging.config.settings import Settings
from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.model.message import SubmittedPart, message_id
from messaging.store.console import directory
from messaging.store.console.messages import MessageList
from messaging.store.db.connection import open_store
from tests.support.store import records as g
from tests.support.store.records import Clock, Gateway


@pytest.fixture
def gateway(store_settings: Settings) -> Gateway:
    """A gateway with one message that failed, one of unknown outcome and one that waits."""
    open_store(store_settings)
    gateway = Gateway.starting(store_settings, Clock())
    gateway.settle(gateway.take_one(g.mail("failed")), Rejected("no such device"))
    gateway.settle(gateway.take_one(g.mail("unsure")), Uncertain("no answer in time"))
    gateway.settle(gateway.take_one(g.uplink(g.email("mum@example.com"))), Unavailable("busy"))
    return gateway


def run(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["messages", *words], input=answer)


def states() -> dict[str, str]:
    rows = json.loads(run("list", "--json").stdout)
    return {row["id"]: row["state"] for row in rows}


def test_an_unknown_outcome_is_marked(gateway: Gateway) -> None:
    listed = run("list")
    assert listed.exit_code == 0, listed.output
    lines = {line[:12]: line for line in listed.stdout.splitlines()}
    assert message_id("unsure")[:12] in lines, listed.output
    assert "waiting ?" in lines[message_id("unsure")[:12]]
    assert "?" not in lines[message_id("failed")[:12]]
    assert "uncertain: 1 attempt has an unknown outcome" in run("show", message_id("unsure")).stdout


def test_one_message_is_tried_again_without_a_question(gateway: Gateway) -> None:
    assert "1 deliveries are due now" in run("retry", message_id("failed")).stdout
    assert states()[message_id("failed")] == "waiting"


def test_many_are_counted_first_and_left_alone_on_a_no(gateway: Gateway) -> None:
    answer = run("cancel", "--via", "hive", answer="n\n")
    assert answer.exit_code == 1
    assert "1 deliveries will be cancelled" in answer.stdout
    assert "cancelled" not in states().values()


def test_nobody_to_answer_is_a_no(gateway: Gateway) -> None:
    assert run("retry", "--state", "failed").exit_code == 1
    assert states()[message_id("failed")] == "failed"


@pytest.mark.parametrize("how", [["--yes"], ["--json"]])
def test_many_are_called_off_and_tried_again(gateway: Gateway, how: list[str]) -> None:
    assert run("cancel", "--user", "boop", "--older-than", "1h", *how).exit_code == 0
    assert set(states().values()) == {"failed", "cancelled"}
    assert run("retry", "--state", "cancelled", "--via", "smtp", *how).exit_code == 0
    assert states()[message_id("up")] == "waiting"
    assert states()[message_id("unsure")] == "cancelled"


@pytest.mark.parametrize("words", [["retry"], ["cancel"], ["cancel", "abc", "--via", "smtp"]])
def test_it_must_be_clear_what_is_meant(gateway: Gateway, words: list[str]) -> None:
    answer = run(*words)
    assert answer.exit_code == 2
    assert "give either the id" in answer.output


@pytest.mark.parametrize("age", ["", "3", "3 weeks", "-1h"])
def test_an_age_that_is_none_is_said(gateway: Gateway, age: str) -> None:
    assert run("list", f"--older-than={age}").exit_code == 2


def test_the_list_can_be_limited_to_what_is_old(gateway: Gateway) -> None:
    assert json.loads(run("list", "--older-than", "9999d", "--json").stdout) == []
    assert len(json.loads(run("list", "--older-than", "1h", "--json").stdout)) == 3


def test_a_state_that_there_is_not_is_answered_with_all_that_can_be_asked_for(
    gateway: Gateway,
) -> None:
    names = "held, waiting, sent, delivered, failed, expired, cancelled, refused"
    assert run("list", "--state", "undeliverable").exit_code == 0
    assert str(run("list", "--state", "x").exception).endswith(f"there are {names}, undeliverable")
    assert str(run("cancel", "--state", "undeliverable").exception).endswith(f"there are {names}")


def test_a_dead_letter_is_read_and_sent_on_once(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATBRIDGE_RELAY_URL", "smtp://127.0.0.1:2525")
    gateway.router.process([g.stranded(raw=b"hello\x1b[31m \xff")])
    id = message_id("broken")
    shown = run("show", id).stdout
    assert "device: hive 1001" in shown
    assert "reason: not a message of ours" in shown
    assert "hello\\x1b[31m \\xff" in shown
    assert "still undeliverable" in run("retry", id).stdout
    count = run("retry", "--state", "undeliverable", answer="n\n")
    assert "1 messages will be sent on where they can be routed now" in count.stdout
    assert (
        "0 deliveries are due now; 1 were" in run("retry", "--state=undeliverable", "--yes").stdout
    )
    assert run("deliver", id, "--to", "nowhere").exit_code != 0
    first = run("deliver", id[:8], "--to", "mum@example.net")
    assert f"message {id[:12]} is sent on:" in first.stdout
    assert "to mum@example.net by smtp: waiting" in first.stdout
    again = run("deliver", id, "--to", "dad@example.net")
    assert "was sent on before, and is not sent twice:" in again.stdout
    assert "to mum@example.net" in again.stdout
    assert json.loads(run("deliver", id, "--to", "mum@example.net", "--json").stdout) == {
        "message_id": id,
        "is_new": False,
        "deliveries": [
            {"id": 4, "via": "smtp", "recipient": "mum@example.net", "state": "waiting"}
        ],
        "reason": "",
    }
    assert "before, it had no recipient: not a message of ours" in run("show", id).stdout


def test_what_a_network_was_handed_is_told_in_words(gateway: Gateway) -> None:
    from tests.support.store.submitted import ARRIVED, LOST, hear, receipt, report

    taken = gateway.take_one(g.mail("given"))
    report(gateway, taken, *(SubmittedPart(number) for number in ("17", "18", "19")))
    hear(gateway, receipt("18", LOST, reason="no such device"), receipt("19", ARRIVED))
    said = run("show", message_id("given")).stdout
    assert "  submitted as 17: the network has not reported yet whether it arrived\n" in said
    assert "  submitted as 18: failed: no such device\n" in said
    assert "  submitted as 19: delivered\n" in said


def test_messages_are_searched(gateway: Gateway) -> None:
    def ids(*words: str) -> list[str]:
        return [row["id"] for row in json.loads(run("list", "--json", *words).stdout)]

    assert ids("--text", "ALL WELL") == [message_id("up")]
    assert ids("--id", message_id("failed")[:6]) == [message_id("failed")]
    assert ids("--message-id", "<nothing@example.com>") == []
    assert "at least 6 characters" in str(run("list", "--id", "abc").exception)
    assert "searched back" not in run("list", "--text", "all well").output


def test_a_search_within_bounds_says_how_far_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    print_found(MessageList(rows=[], searched_since=datetime(2026, 1, 2, 3, 4, tzinfo=UTC)), True)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == []
    assert "messages were searched back to 2026-01-02 03:04 UTC only" in printed.err


def test_a_text_is_sent_and_can_be_followed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATBRIDGE_RELAY_URL", "smtp://127.0.0.1:2525")
    first = run("send", "mum@example.net", "come home")
    assert first.exit_code == 0, first.output
    [row] = json.loads(run("list", "--text", "come home", "--json").stdout)
    assert first.stdout.splitlines() == [
        f"message {row['id']} is accepted:",
        "  to mum@example.net by smtp: waiting",
        f"follow it with: satbridge messages show {row['id'][:12]}",
    ]
    piped = CliRunner().invoke(
        app, ["messages", "send", "mum@example.net", "-", "--json"], input="from a pipe\n"
    )
    done = json.loads(piped.stdout)
    assert [one["state"] for one in done["deliveries"]] == ["waiting"]
    assert "from a pipe" in run("show", done["message_id"]).stdout
    refused = run("send", "nowhere", "hello").exception
    assert "is neither a mailbox" in str(refused)


def test_held_messages_are_listed_released_and_refused(gateway: Gateway) -> None:
    directory.change_subscriber("boop", senders="known")
    gateway.router.process([g.mail(key) for key in ("one", "two", "three")])
    held = json.loads(run("list", "--state", "held", "--json").stdout)
    assert {row["id"] for row in held} == {message_id(key) for key in ("one", "two", "three")}
    shown = run("show", message_id("one")).stdout
    assert "author: unproved" in shown
    assert "the author is no contact" in shown
    assert run("release", message_id("one")).stdout == "1 deliveries released\n"
    assert run("release", message_id("one")).stdout == "0 deliveries released\n"
    answer = run("refuse", "--from", "Friend@example.com", answer="n\n")
    assert answer.exit_code == 1
    assert "2 deliveries will be refused" in answer.stdout
    done = run("refuse", "--from", "Friend@example.com", "--user", "boop", "--json")
    assert json.loads(done.stdout) == {"refused": 2}
    assert run("release").exit_code == 2
    found = states()
    assert [found[message_id(key)] for key in ("one", "two", "three")] == [
        "waiting",
        "refused",
        "refused",
    ]
    assert json.loads(run("retry", "--user", "boop", "--json").stdout)["left_alone"] >= 2
    audited = CliRunner().invoke(app, ["audit", "--json"]).stdout
    assert audited.count('"release"') == 1
    assert audited.count('"refuse"') == 2
