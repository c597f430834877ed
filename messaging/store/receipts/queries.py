"""The statements about parts that run for every batch of outcomes, as constant SQL for SQLite and PostgreSQL."""

from collections.abc import Collection
from typing import Any, Final

from django.db import connection

from messaging.store.db.sql import ONE_OF, list_parameter

_KNOWN: Final = {
    vendor: f"SELECT id FROM users_handedpart WHERE {one_of.format('via')} AND {one_of.format('network_id')}"  # noqa: S608
    for vendor, one_of in ONE_OF.items()
}
_WITH_NEWS: Final = {
    vendor: f"SELECT delivery_id FROM users_handedpart WHERE {one_of.format('delivery_id')} AND state <> %s"  # noqa: S608
    for vendor, one_of in ONE_OF.items()
}


def ids_of_known_parts(accounts: Collection[str], network_ids: Collection[str]) -> list[int]:
    """Return the ids of the parts of these accounts that have one of these network ids: one query."""
    return _fetch(_KNOWN, list_parameter(accounts), list_parameter(network_ids))


def deliveries_with_news(delivery_ids: Collection[int], no_news: str) -> set[int]:
    """Return those of the deliveries that have a part in another state than `no_news`: one query."""
    return set(_fetch(_WITH_NEWS, list_parameter(delivery_ids), no_news))


def _fetch(statement: dict[str, str], *parameters: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor], parameters)
        return [row[0] for row in cursor.fetchall()]
