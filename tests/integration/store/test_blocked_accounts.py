"""An account that can send nothing costs its messages no attempt and the log one line."""

from datetime import timedelta

import pytest

from messaging.cli.operation.status import blocked_lines
from messaging.errors import AccountBlocked, Unavailable
from messaging.model.message import Delivery, Outcome
from messaging.store import models
from messaging.store.queue.blocked_accounts import LOG_SECONDS, BlockedAccounts
from messaging.store.queue.queries import read
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway

REASON = "our account is out of credit"


def blocked(*, is_doubtful: bool = False) -> AccountBlocked:
    return AccountBlocked(REASON, "buy credit", 600, is_doubtful=is_doubtful)


def next_attempt(gateway: Gateway) -> Delivery:
    gateway.clock.turn(2000)
    [delivery] = gateway.owed()
    return delivery


def test_the_message_outlives_more_attempts_than_a_network_gets(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = gateway.take_one()
    for _ in range(gateway.settings.satellite_max_attempts + 5):
        gateway.settle(delivery, blocked())
        delivery = next_attempt(gateway)
    row = models.Delivery.objects.get()
    assert (row.state, row.reason) == (State.WAITING, REASON)
    assert row.attempts == delivery.attempt
    gateway.settle(delivery, Unavailable("busy"))
    assert models.Delivery.objects.get().state == State.WAITING
    lines = [one for one in caplog.records if "is blocked until" in one.getMessage()]
    assert [one.levelname for one in lines] == ["ERROR"]
    assert "buy credit" in lines[0].getMessage()
    status = gateway.ledger.status()
    assert status["blocked_attempts"] == {"hive": gateway.settings.satellite_max_attempts + 5}
    gateway.settle(next_attempt(gateway))
    assert gateway.ledger.status()["blocked"] == {}
    assert "hive sends again after 45 refused attempts" in caplog.text


def test_the_message_is_due_again_soon(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one(), blocked())
    row = models.Delivery.objects.get()
    assert row.due_at == gateway.clock.now + timedelta(seconds=600)
    assert row.attempts_forgiven == row.attempts == 1


def test_a_doubtful_refusal_is_the_recipients_once_others_were_sent(gateway: Gateway) -> None:
    first = gateway.take_one()
    gateway.settle(first, blocked(is_doubtful=True))
    again = next_attempt(gateway)
    # No other message has left since: it is still the account.
    gateway.settle(again, blocked(is_doubtful=True))
    assert models.Delivery.objects.get(pk=first.id).state == State.WAITING
    gateway.clock.turn(2000)
    [third] = gateway.owed()
    gateway.settle(gateway.take_one(g.mail("two")))
    gateway.settle(third, blocked(is_doubtful=True))
    row = models.Delivery.objects.get(pk=first.id)
    assert (row.state, row.reason) == (State.FAILED, REASON)


def test_the_log_sums_the_attempts_up(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    accounts = BlockedAccounts(lambda: now[0])
    delivery = gateway.take_one()
    [row] = read([delivery.id])
    refused = Outcome.failed(delivery, blocked())
    assert accounts.judge(row, refused) == refused
    for moment in (0.0, 1.0, 2.0, LOG_SECONDS + 1):
        now[0] = moment
        accounts.note([("hive", refused)], gateway.clock.now)
    lines = [one.getMessage() for one in caplog.records]
    assert ["(1 attempts" in lines[0], "(3 attempts" in lines[1], len(lines)] == [True, True, 2]
    [line] = blocked_lines([{"blocked": accounts.snapshot()}, {"blocked": {}}, {}])
    assert line.startswith("BLOCKED: hive has been blocked for")
    assert line.endswith("(4 attempts): our account is out of credit; buy credit")
    now[0] += 10_000
    assert accounts.snapshot() == {}
