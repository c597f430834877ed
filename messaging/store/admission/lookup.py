"""Looks up the contacts, correspondents and blocks of a batch, and notes the correspondents."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection

from messaging.store.admission.rules import (
    AdmissionContext,
    AuthorKey,
    ContactRights,
    block_candidates,
)
from messaging.store.admission.terms import MayWrite
from messaging.store.db.sql import Select, execute_values, storable_time

MEMORY: Final = timedelta(days=90)
"""For how long an address may answer that a device wrote to."""

_CONTACT, _WRITTEN, _BLOCKED, _HELD, _WAITING = "contact", "written", "blocked", "held", "waiting"
_RIGHTS: Final = (
    "c.may_write, c.write_until, c.id, c.must_be_proved, c.is_emergency, c.sees_positions"
    " FROM users_contact c"
)
_NO_RIGHTS: Final = "FALSE, FALSE, FALSE"
_KNOWN: Final = Select(
    f"SELECT '{_CONTACT}', c.owner_id, LOWER(c.address), {_RIGHTS} WHERE {{}} AND {{}}"  # noqa: S608
    f" UNION ALL SELECT '{_CONTACT}', c.owner_id, LOWER(a.address), {_RIGHTS}"
    " JOIN users_contactaddress a ON a.contact_id = c.id WHERE {} AND {}"
    f" UNION ALL SELECT '{_WRITTEN}', w.owner_id, w.address, '', w.written_at, 0, {_NO_RIGHTS}"
    " FROM users_correspondent w WHERE {} AND {}"
    f" UNION ALL SELECT '{_BLOCKED}', COALESCE(b.owner_id, 0), b.address, '', NULL, 0, {_NO_RIGHTS}"
    " FROM users_blockedauthor b WHERE ({} OR b.owner_id IS NULL) AND {}"
    f" UNION ALL SELECT '{_HELD}', subscriber_id, LOWER(sender), '', NULL, COUNT(*), {_NO_RIGHTS}"
    " FROM users_delivery WHERE held_until IS NOT NULL AND rest_characters = 0 AND {}"
    " GROUP BY subscriber_id, LOWER(sender)"
    f" UNION ALL SELECT '{_WAITING}', subscriber_id, via, '', NULL, COUNT(*), {_NO_RIGHTS}"
    " FROM users_delivery WHERE due_at IS NOT NULL AND {} GROUP BY subscriber_id, via",
    *("c.owner_id", "LOWER(c.address)"),
    *("c.owner_id", "LOWER(a.address)"),
    *("w.owner_id", "w.address"),
    *("b.owner_id", "b.address"),
    *("subscriber_id", "subscriber_id"),
)
_COUNT_HELD: Final = Select(
    "SELECT subscriber_id, COUNT(*) FROM users_delivery"
    " WHERE held_until IS NOT NULL AND rest_characters = 0 AND {} GROUP BY subscriber_id",
    "subscriber_id",
)
_NOTE: Final = "INSERT INTO users_correspondent (owner_id, address, written_at) VALUES "
_NOTE_AGAIN: Final = (
    " ON CONFLICT (owner_id, address) DO UPDATE SET written_at = excluded.written_at"
)


def look_up_admission(
    owners: Collection[int],
    addresses: Collection[str],
    holding: Collection[int],
    now: datetime,
    counting: Collection[int] = (),
) -> AdmissionContext:
    """Return what these subscribers said about these addresses: one query, or none without anything to look up.

    Counts the held deliveries of the subscribers `holding`, who may hold a message of the batch, and the waiting ones
    of those `counting`.
    """
    # Without an address nothing of the batch is held.
    said = (owners, addresses) if owners and addresses else ((), ())
    holding = holding if all(said) else ()
    if not all(said) and not counting:
        return AdmissionContext()
    contacts: dict[AuthorKey, list[ContactRights]] = defaultdict(list)
    correspondents: set[AuthorKey] = set()
    blocked: set[AuthorKey] = set()
    held: dict[AuthorKey, int] = {}
    waiting: dict[tuple[int, str], int] = {}
    lists = (*said * 3, said[0], block_candidates(said[1]), holding, counting)
    for kind, owner, address, may_write, moment, number, *flags in _KNOWN(*lists):
        key = (owner, address)
        if kind == _BLOCKED:
            blocked.add(key)
        elif kind == _HELD:
            held[key] = number
        elif kind == _WAITING:
            waiting[key] = number
        elif kind == _CONTACT:
            rights = ContactRights(MayWrite(may_write), _moment(moment), number, *map(bool, flags))
            contacts[key].append(rights)
        elif (written_at := _moment(moment)) and written_at >= now - MEMORY:
            correspondents.add(key)
    return AdmissionContext(contacts, correspondents, blocked, held, waiting)


def count_held(owners: Collection[int]) -> Counter[int]:
    """Return how many deliveries of each of these subscribers are held: one query, none without any."""
    return Counter(dict(_COUNT_HELD(owners)))


def note_correspondents(written: Iterable[AuthorKey], now: datetime) -> None:
    """Note that devices of these subscribers wrote to these addresses: one statement, none without any."""
    # In one order everywhere: two batches that share rows wait for each other instead of locking up.
    rows = [(owner, address, storable_time(now)) for owner, address in sorted(set(written))]
    if rows:
        with connection.cursor() as cursor:
            execute_values(cursor, _NOTE, "(%s, %s, %s)", rows, _NOTE_AGAIN)


def _moment(value: Any) -> datetime | None:
    """Return the time of a row; SQLite stores UTC without an offset, as a text in a joint query."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
