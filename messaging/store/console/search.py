"""Finds messages by an id, by a Message-ID, or by a part of their texts. The first two are answered by an index.

Every function runs inside `store_errors` of its caller.
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
from messaging.store.models import INDEXED_CHARACTERS, REFERENCE_START, Message

MIN_ID_CHARACTERS: Final = 6
MAX_SCANNED: Final = 100_000
"""How many messages a search by text reads in the database, the newest first."""
MAX_DECRYPTED: Final = 10_000
"""How many messages a search by text reads where this process must compare the texts itself."""
MAX_HITS: Final = 1_000
"""How many messages a search of the admin finds, the newest first."""
TEXT_FIELDS: Final = ("subject", "text")
_ROWS_READ: Final = 500
_HEX: Final = re.compile("[0-9a-f]{1,32}")
_OURS: Final = re.compile(r"<?([0-9a-f]{32})\.[0-9]{1,18}@[^\s<>@]{1,255}>?", re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"<?[^\s<>@]{1,500}@[^\s<>@]{1,500}>?")


@dataclass(frozen=True, slots=True)
class TextHits:
    """The ids of the messages with a text, the newest first.

    Only messages since `searched_since` were searched; None if all of them were, or if there are enough hits.
    """

    ids: tuple[str, ...]
    searched_since: datetime | None = None


def has_id(prefix: str) -> Q:
    """Return the condition that an id begins so, which the index of the ids answers."""
    text = prefix.strip().lower()
    if not _HEX.fullmatch(text):
        return Q(id__startswith=prefix)
    # LIKE uses no index on SQLite, a range does; on PostgreSQL the collation may compare in another way.
    return Q(id__gte=text, id__lt=text + "g", id__startswith=text)


def filter_by_key(id_prefix: str | None, author_id: str | None) -> "QuerySet[Message]":
    """Return the messages whose id begins so and that have this Message-ID; None matches all.

    Raises InvalidInput for too short a beginning.
    """
    chosen = Message.objects.all()
    if id_prefix is not None:
        if len(id_prefix.strip()) < MIN_ID_CHARACTERS:
            raise InvalidInput(f"give at least {MIN_ID_CHARACTERS} characters of the id")
        chosen = chosen.filter(has_id(id_prefix))
    return chosen if author_id is None else with_message_id(chosen, author_id)


def with_message_id(chosen: "QuerySet[Message]", header: str) -> "QuerySet[Message]":
    """Return those of the messages that came with this Message-ID, with or without <>, or left with it."""
    text = header.strip()
    bare = text.removeprefix("<").removesuffix(">")
    condition = Q()
    for form in (bare, f"<{bare}>"):
        condition |= Q(reference_start=form[:INDEXED_CHARACTERS], reference=form)
    if ours := _OURS.fullmatch(text):
        condition |= Q(id=ours[1].lower())
    return chosen.alias(reference_start=REFERENCE_START).filter(condition)


def find_by_key(term: str) -> list[str]:
    """Return the ids of the messages that an id, its beginning or a Message-ID names; none for every other term."""
    text = term.strip()
    everything = Message.objects.order_by()
    if _MESSAGE_ID.fullmatch(text):
        found = with_message_id(everything, text)
    elif len(text) >= MIN_ID_CHARACTERS and _HEX.fullmatch(text.lower()):
        found = everything.filter(has_id(text))
    else:
        return []
    return list(found.values_list("id", flat=True)[:MAX_HITS])


def find_by_text(
    chosen: "QuerySet[Message]",
    parts: Sequence[str],
    limit: int,
    fields: Sequence[str] = TEXT_FIELDS,
) -> TextHits:
    """Return the newest messages that have each part in one of the fields, in any case; at most `limit`.

    The database compares. With a key of the store it cannot read the texts, and SQLite knows the case of ASCII only:
    then this process compares, and reads fewer messages.
    """
    newest = chosen.prefetch_related(None).order_by("-created_at", "-id")
    is_secret = current_cipher() is not None and not set(fields).isdisjoint(TEXT_FIELDS)
    is_ascii = all(part.isascii() for part in parts)
    if is_secret or (connection.vendor == "sqlite" and not is_ascii):
        return _compare_here(newest, parts, limit, fields)
    bound = newest.values_list("created_at", flat=True)[MAX_SCANNED : MAX_SCANNED + 1].first()
    found = newest if bound is None else newest.filter(created_at__gt=bound)
    for part in parts:
        condition = Q()
        for field in fields:
            condition |= Q(**{f"{field}__icontains": part})
        found = found.filter(condition)
    ids = tuple(found.values_list("id", flat=True)[:limit])
    return TextHits(ids, None if len(ids) == limit else bound)


def _compare_here(
    newest: "QuerySet[Message]", parts: Sequence[str], limit: int, fields: Sequence[str]
) -> TextHits:
    wanted = [part.casefold() for part in parts]
    ids: list[str] = []
    rows: Any = newest.values_list("id", "created_at", *fields)[: MAX_DECRYPTED + 1]
    since: datetime | None = None
    for number, (id, created_at, *values) in enumerate(rows.iterator(chunk_size=_ROWS_READ)):
        if number == MAX_DECRYPTED:
            return TextHits(tuple(ids), since)
        since = created_at
        texts = [value.casefold() for value in values if value]
        if all(any(part in text for text in texts) for part in wanted):
            ids.append(id)
            if len(ids) == limit:
                break
    return TextHits(tuple(ids))
