"""The units that networks billed, by month, subscriber and account."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from messaging.cli.app import app
from messaging.config.settings import Settings
from messaging.model.message import Outcome, SubmittedPart, message_id
from messaging.store.budgets.edits import set_tariff
from messaging.store.budgets.reconcile import compare_bill, read_bill
from messaging.store.console import directory
from messaging.store.console.contacts import add_contact
from messaging.store.console.costs import CostKey, CostRow, CostSum, cost_sums, costs
from messaging.store.console.messages import list_messages
from messaging.store.console.save import InvalidInput
from messaging.store.console.selection import MessageFilter
from messaging.store.db.connection import open_store
from tests.support.store import records as g
from tests.support.store.budgets import add_budget
from tests.support.store.records import Clock, Gateway


def pay(gateway: Gateway, key: str, units: int | None, to: str = "boop@example.org") -> None:
    """Let a mail reach its device for so many units."""
    taken = gateway.take_one(g.mail(key, to=to))
    outcome = Outcome.sent(taken, SubmittedPart(f"id-{key}", units))
    assert gateway.ledger.process([outcome]) == [[]]


@pytest.fixture
def billed(gateway: Gateway) -> Gateway:
    """A gateway with messages of two subscribers in two months; one network reported no charge."""
    directory.add_subscriber("ann")
    directory.add_device("2001", owner="ann", network="hive", networks=["hive"])
    gateway.clock.now = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    pay(gateway, "a", 2)
    gateway.clock.now = datetime(2026, 11, 1, tzinfo=UTC)
    pay(gateway, "b", 3)
    pay(gateway, "c", 4)
    pay(gateway, "d", 5, to="ann@example.org")
    pay(gateway, "e", None)
    return gateway


def test_the_sums_are_by_month_subscriber_and_account(billed: Gateway) -> None:
    assert costs() == [
        CostRow("2026-11", "ann", "hive", 1, 5),
        CostRow("2026-11", "boop", "hive", 2, 7),
        CostRow("2026-10", "boop", "hive", 1, 2),
    ]
    assert costs(user="ann") == [CostRow("2026-11", "ann", "hive", 1, 5)]
    assert costs(since=datetime(2026, 11, 1, tzinfo=UTC), user="boop") == [
        CostRow("2026-11", "boop", "hive", 2, 7)
    ]
    with pytest.raises(InvalidInput):
        costs(user="nobody")


def test_each_message_has_its_units(billed: Gateway) -> None:
    units = {row.id: row.units for row in list_messages(MessageFilter())}
    keys = ("a", "b", "e")
    assert [units[message_id(key)] for key in keys] == [2, 3, None]


def test_the_ledger_counts_what_was_billed(billed: Gateway) -> None:
    assert billed.ledger.status()["billed_units"] == {"hive": 14}


def test_the_command_prints_them(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(sqlite_settings)
    gateway = Gateway.starting(sqlite_settings, Clock())
    pay(gateway, "a", 2)
    url = sqlite_settings.database_url.get_secret_value()
    monkeypatch.setenv("SATBRIDGE_DATABASE_URL", url)
    done = CliRunner().invoke(app, ["costs", "--json"])
    assert json.loads(done.stdout) == [
        {"month": "2026-01", "user": "boop", "account": "hive", "deliveries": 1, "units": 2}
    ]
    assert "2026-01" in CliRunner().invoke(app, ["costs"]).stdout
    assert CliRunner().invoke(app, ["costs", "--user=nobody"]).exit_code != 0


def test_the_tariffs_price_the_units_of_a_month(billed: Gateway) -> None:
    set_tariff("hive", "0.5 EUR", free_units=3)
    # Of the 12 units of the month 9 are paid.
    assert cost_sums(CostKey.SUBSCRIBER, "2026-11") == [
        CostSum("2026-11", "ann", 1, 5, "1.875", "EUR"),
        CostSum("2026-11", "boop", 2, 7, "2.625", "EUR"),
    ]
    assert cost_sums(CostKey.ACCOUNT) == [
        CostSum("2026-11", "hive", 3, 12, "4.5", "EUR"),
        CostSum("2026-10", "hive", 1, 2, "0", "EUR"),
    ]
    assert [(one.name, one.units) for one in cost_sums(CostKey.DEVICE, user="ann")] == [
        ("hive/2001", 5)
    ]


def test_costs_of_contacts_have_their_names(billed: Gateway) -> None:
    add_contact("boop", "friend", "friend@example.com")
    assert cost_sums(CostKey.CONTACT, "2026-11") == [
        CostSum("2026-11", None, 1, 5, "0", ""),
        CostSum("2026-11", "boop/friend", 2, 7, "0", ""),
    ]


def test_what_no_network_reports_is_estimated(gateway: Gateway) -> None:
    add_budget(10)
    pay(gateway, "a", None)
    [row] = cost_sums(CostKey.ACCOUNT)
    assert (row.name, row.units) == ("hive", 1)


def test_a_bill_is_compared_with_what_was_sent(billed: Gateway) -> None:
    bill = "sms id,credits\nid-a,2\nid-b,3\nid-c,2\nid-c,1\nid-z,1\n"
    units = read_bill(bill.splitlines(), "sms id", "credits")
    found = [
        (one.network_id, one.billed, one.stored) for one in compare_bill(units, "hive", "2026-11")
    ]
    assert found == [
        ("id-c", "3", 4),
        ("id-z", "1", None),
        ("id-d", None, 5),
        ("id-e", None, None),
    ]
    assert len(compare_bill(units, "hive")) == 2


@pytest.mark.parametrize(
    "text", ["", "id,credits\n1,2\n", "id,units\n1,two\n", "id,units\n1,NaN\n"]
)
def test_a_bill_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_bill(text.splitlines(), "id", "units")
