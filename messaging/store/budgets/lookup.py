"""Looks up the budgets that concern the deliveries of a batch, in a number of queries that does not grow with it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from messaging.costs.amounts import MILLION, Amount, to_millionths
from messaging.costs.periods import Period, start_of
from messaging.costs.reservation import Access
from messaging.model.authentication import AuthorLevel
from messaging.store.db.sql import Select
from messaging.store.models import Scope

_EXISTS: Final = "SELECT 1 FROM users_budget LIMIT 1"
_COLUMNS: Final = (
    "SELECT b.id, b.scope, b.account, b.subscriber_id, b.device_id, b.contact_id, b.max_amount,"
    " b.currency, b.period, b.reserve_percent, b.trip_began_at, COALESCE(s.time_zone, 'UTC'),"
    " s.name, d.network, d.serial, c.name, s.id"
    " FROM users_budget b LEFT JOIN users_device d ON d.id = b.device_id"
    " LEFT JOIN users_contact c ON c.id = b.contact_id"
    " LEFT JOIN users_subscriber s ON s.id = COALESCE(b.subscriber_id, d.owner_id, c.owner_id)"
    " WHERE "
)
_BUDGETS: Final = Select(
    _COLUMNS + "b.scope = 'gateway' OR (b.scope = 'account' AND {}) OR {} OR {}"  # noqa: S608
    " OR b.contact_id IN (SELECT id FROM users_contact WHERE {})",
    *("b.account", "b.subscriber_id", "b.device_id", "owner_id"),
)
_BUDGET: Final = Select(_COLUMNS + "{}", "b.id")
_TARIFFS: Final = Select("SELECT account, price, currency FROM users_tariff WHERE {}", "account")
_CONTACTS: Final = Select(
    "SELECT c.id, c.owner_id, LOWER(c.address), c.is_emergency, c.must_be_proved"
    " FROM users_contact c"
    " WHERE {} AND {} UNION ALL"
    " SELECT c.id, c.owner_id, LOWER(a.address), c.is_emergency, c.must_be_proved"
    " FROM users_contact c"
    " JOIN users_contactaddress a ON a.contact_id = c.id WHERE {} AND {}",
    *("c.owner_id", "LOWER(c.address)", "c.owner_id", "LOWER(a.address)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The units of a delivery, and the account, subscriber and device that it counts for.

    `peers` are the addresses, in lower case, of the other side: the author of a message to a device, else the
    recipient. `level` says how sure it is that the author of a message to a device is one of them. An urgent one passes
    every limit, and so does what an operator sends `over_budget`.
    """

    via: str
    units: int
    subscriber_id: int | None
    device_id: int | None
    peers: tuple[str, ...]
    level: AuthorLevel = AuthorLevel.PROVED
    is_urgent: bool = False
    over_budget: bool = False


@dataclass(frozen=True, slots=True)
class BudgetInfo:
    """A budget: its target, its limit and period, the time zone of its period, its name, and its owner."""

    id: int
    scope: str
    account: str
    subscriber_id: int | None
    device_id: int | None
    contact_id: int | None
    limit: Amount
    period: Period
    reserve_percent: int
    trip_began_at: datetime
    time_zone: str
    name: str
    owner_id: int | None

    def start(self, now: datetime) -> datetime:
        """Return when its current period began."""
        return start_of(self.period, now, self.time_zone, self.trip_began_at)


@dataclass(frozen=True, slots=True)
class BudgetContext:
    """The budgets, the prices by account and currency, and the contacts by subscriber and address, of a batch.

    `emergency_contacts` has also whether each must be proved.
    """

    budgets: Sequence[BudgetInfo] = ()
    prices: Mapping[tuple[str, str], int] = field(default_factory=dict)
    contacts: Mapping[tuple[int, str], Sequence[int]] = field(default_factory=dict)
    emergency_contacts: Collection[tuple[int, str, bool]] = ()

    def prices_for(self, charge: Charge) -> dict[BudgetInfo, int]:
        """Return the budgets that a charge counts for, each with its price of a unit in millionths."""
        owner = charge.subscriber_id or 0
        contacts = {one for peer in charge.peers for one in self.contacts.get((owner, peer), ())}
        found = {}
        for budget in self.budgets:
            match budget.scope:
                case Scope.ACCOUNT:
                    concerns = budget.account == charge.via
                case Scope.SUBSCRIBER:
                    concerns = budget.subscriber_id == charge.subscriber_id
                case Scope.DEVICE:
                    concerns = budget.device_id == charge.device_id
                case Scope.CONTACT:
                    concerns = budget.contact_id in contacts
                case _:
                    concerns = True
            currency = budget.limit.currency
            price = self.prices.get((charge.via, currency), 0) if currency else MILLION
            if concerns and price:
                found[budget] = price
        return found

    def access_of(self, charge: Charge) -> Access:
        """Return how much of its budgets a charge may use: no reserve for mail that only pretends to be a contact's."""
        if charge.is_urgent or charge.over_budget:
            return Access.ANY
        owner, is_proved = charge.subscriber_id or 0, charge.level is AuthorLevel.PROVED
        proofs = [
            must_be_proved
            for peer in charge.peers
            for must_be_proved in (False, True)
            if (owner, peer, must_be_proved) in self.emergency_contacts
        ]
        is_emergency = charge.level.names_author and any(is_proved or not one for one in proofs)
        return Access.RESERVE if is_emergency else Access.ORDINARY


def has_budgets() -> bool:
    """Return whether there is any budget: one query."""
    with connection.cursor() as cursor:
        cursor.execute(_EXISTS)
        return cursor.fetchone() is not None


def find_budgets(ids: Collection[int]) -> list[BudgetInfo]:
    """Return the budgets with these ids: one query, or none without any."""
    return [_budget(row) for row in _BUDGET(ids)]


def look_up_budgets(charges: Iterable[Charge]) -> BudgetContext:
    """Return the budgets of these charges: one query, and one each for prices and contacts where they matter."""
    costly = [one for one in charges if one.units > 0]
    if not costly:
        return BudgetContext()
    owners = {one.subscriber_id for one in costly if one.subscriber_id is not None}
    devices = {one.device_id for one in costly if one.device_id is not None}
    accounts = {one.via for one in costly}
    budgets = [_budget(row) for row in _BUDGETS(accounts, owners, devices, owners)]
    has_money = any(one.limit.currency for one in budgets)
    has_contacts = any(one.scope == Scope.CONTACT or one.reserve_percent for one in budgets)
    prices = _TARIFFS(accounts) if has_money else ()
    peers = {peer for one in costly for peer in one.peers}
    contacts: dict[tuple[int, str], list[int]] = defaultdict(list)
    emergency = set()
    for number, owner, address, is_emergency, must_be_proved in (
        _CONTACTS(owners, peers, owners, peers) if has_contacts else ()
    ):
        contacts[owner, address].append(number)
        if is_emergency:
            emergency.add((owner, address, bool(must_be_proved)))
    return BudgetContext(
        budgets,
        {(via, currency): _millionths(price) for via, price, currency in prices},
        contacts,
        emergency,
    )


def _budget(row: Sequence[Any]) -> BudgetInfo:
    scope, owner, network, serial, contact = row[1], *row[12:16]
    names = {
        Scope.ACCOUNT: row[2],
        Scope.SUBSCRIBER: owner,
        Scope.DEVICE: f"{network}/{serial}",
        Scope.CONTACT: f"{owner}/{contact}",
    }
    began_at = row[10] if isinstance(row[10], datetime) else datetime.fromisoformat(row[10])
    return BudgetInfo(
        id=row[0],
        scope=scope,
        account=row[2],
        subscriber_id=row[3],
        device_id=row[4],
        contact_id=row[5],
        limit=Amount(_millionths(row[6]), row[7]),
        period=Period(row[8]),
        reserve_percent=row[9],
        # SQLite stores UTC without an offset.
        trip_began_at=began_at if began_at.tzinfo else began_at.replace(tzinfo=UTC),
        time_zone=row[11] or "UTC",
        name=f"{scope}:{names[scope]}" if scope in names else scope,
        owner_id=row[16],
    )


def _millionths(value: Any) -> int:
    """Return a decimal column as millionths; SQLite stores it as a number that has these digits and perhaps others."""
    return to_millionths(Decimal(str(value)))
