"""Finds messages by an id, by a Message-ID, or by a part of their texts. The first is answered by an index.

No index has the Message-IDs: the acceptance of each mail would write to it. Every function runs inside `store_errors`
of its caller.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from messaging.store.console.save import InvalidInput
from messaging.store.db.encryption import current_cipher
from messaging.store.models import Message

MIN_ID_CHARACTERS: Final = 6
MAX_SCANNED: Final = 100_000
"""How many messages a search by text or Message-ID reads in the database, the newest first."""
MAX_DECRYPTED: Final = 10_000
"""How many messages a search by text reads where this process must compare the texts itself."""
MAX_HITS: Final = 1_000
"""How many messages a search of the admin finds, the newest first."""
TEXT_FIELDS: Final = ("subject", "text", "whole_text")
_ROWS_READ: Final = 500
_HEX: Final = re.compile("[0-9a-f]{1,32}")
_OURS: Final = re.compile(r"<?([0-9a-f]{32})\.[0-9]{1,18}@[^\s<>@]{1,255}>?", re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"<[^\s<>]+>")


@dataclass(frozen=True, slots=True)
class SearchHits:
    """The ids of the messages that a search found, the newest first.

    Only messages since `searched_since` were searched; None if all of them were, or if there are enough hits.
    """

    ids: tuple[str, ...] = ()
    searched_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How many messages a search reads in the database, and how many it compares in this process."""

    max_scanned: int = MAX_SCANNED
    max_decrypted: int = MAX_DECRYPTED


LIMITS: Final = SearchLimits()


def has_id(prefix: str) -> Q:
    """Return the condition that an id begins so, which an index of the ids answers."""
    text = prefix.strip().lower()
    if not _HEX.fullmatch(text):
        return Q(id__startswith=prefix)
    if connection.vendor == "sqlite":
        # LIKE uses no index there. On PostgreSQL it does, and a range depends on the collation.
        return Q(id__gte=text, id__lt=text + "g")
    return Q(id__startswith=text)


def filter_by_id(prefix: str) -> "QuerySet[Message]":
    """Return the messages whose id begins so. Raises InvalidInput for too short a beginning."""
    if len(prefix.strip()) < MIN_ID_CHARACTERS:
        raise InvalidInput(f"give at least {MIN_ID_CHARACTERS} characters of the id")
    return Message.objects.filter(has_id(prefix))


def find_by_message_id(
    chosen: "QuerySet[Message]", header: str, limits: SearchLimits = LIMITS
) -> SearchHits:
    """Return the newest messages that came with this Message-ID, with or without <>, or the one that left with it."""
    text = header.strip()
    if ours := _OURS.fullmatch(text):
        left = chosen.filter(id=ours[1].lower())
        if ids := tuple(left.values_list("id", flat=True)):
            return SearchHits(ids)
    bare = text.removeprefix("<").removesuffix(">")
    newest, bound = _limit_scan(chosen, limits)
    came = newest.filter(reference__in=(bare, f"<{bare}>"))
    ids = tuple(came.values_list("id", flat=True)[:MAX_HITS])
    # The copies of a mail come within a short time.
    return SearchHits(ids, None if ids else bound)


def find_by_key(term: str) -> SearchHits:
    """Return the messages that an id, its beginning or a Message-ID in <> names; none for every other term."""
    text = term.strip()
    everything = Message.objects.order_by()
    if _MESSAGE_ID.fullmatch(text) or _OURS.fullmatch(text):
        return find_by_message_id(everything, text)
    if len(text) >= MIN_ID_CHARACTERS and _HEX.fullmatch(text.lower()):
        found = everything.filter(has_id(text))
        return SearchHits(tuple(found.values_list("id", flat=True)[:MAX_HITS]))
    return SearchHits()


def find_by_text(
    chosen: "QuerySet[Message]",
    parts: Sequence[str],
    limit: int,
    fields: Sequence[str] = TEXT_FIELDS,
    limits: SearchLimits = LIMITS,
) -> SearchHits:
    """Return the newest messages that have each part in one of the fields, in any case; at most `limit`.

    The database compares. With a key of the store it cannot read the texts, and SQLite knows the case of ASCII only:
    then this process compares, and reads fewer messages.
    """
    is_secret = current_cipher() is not None and not set(fields).isdisjoint(TEXT_FIELDS)
    is_ascii = all(part.isascii() for part in parts)
    if is_secret or (connection.vendor == "sqlite" and not is_ascii):
        return _compare_here(chosen, parts, limit, fields, limits)
    found, bound = _limit_scan(chosen, limits)
    for part in parts:
        condition = Q()
        for field in fields:
            condition |= Q(**{f"{field}__icontains": part})
        found = found.filter(condition)
    ids = tuple(found.values_list("id", flat=True)[:limit])
    return SearchHits(ids, None if len(ids) == limit else bound)


def _limit_scan(
    chosen: "QuerySet[Message]", limits: SearchLimits
) -> "tuple[QuerySet[Message], datetime | None]":
    """Return the newest messages, as many as one search reads; and the time since which, None if that is all."""
    newest = _newest_first(chosen)
    most = limits.max_scanned
    bound = newest.values_list("created_at", flat=True)[most : most + 1].first()
    return newest if bound is None else newest.filter(created_at__gt=bound), bound


def _newest_first(chosen: "QuerySet[Message]") -> "QuerySet[Message]":
    return chosen.prefetch_related(None).order_by("-created_at", "-id")


def _compare_here(
    chosen: "QuerySet[Message]",
    parts: Sequence[str],
    limit: int,
    fields: Sequence[str],
    limits: SearchLimits,
) -> SearchHits:
    wanted = [part.casefold() for part in parts]
    ids: list[str] = []
    newest = _newest_first(chosen).values_list("id", "created_at", *fields)
    rows: Any = newest[: limits.max_decrypted + 1]
    since: datetime | None = None
    for number, (id, created_at, *values) in enumerate(rows.iterator(chunk_size=_ROWS_READ)):
        if number == limits.max_decrypted:
            return SearchHits(tuple(ids), since)
        since = created_at
        texts = [value.casefold() for value in values if value]
        if all(any(part in text for text in texts) for part in wanted):
            ids.append(id)
            if len(ids) == limit:
                break
    return SearchHits(tuple(ids))
