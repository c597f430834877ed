"""Locks rows that are read to be changed, where the store can."""

from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import QuerySet

M = TypeVar("M", bound=models.Model)


def lock_rows(rows: "QuerySet[M]") -> "QuerySet[M]":
    """Return the rows locked, in the same order for all transactions. SQLite has one writer and needs no lock."""
    ordered = rows.order_by("id")
    return ordered.select_for_update() if connection.features.has_select_for_update else ordered


def lock_all(rows: "QuerySet[Any]") -> None:
    """Lock any number of rows by one statement, in the same order for all transactions, where the store can.

    A transaction that writes them by several statements calls it first: a row that another transaction changes between
    two of them would else be locked out of order.
    """
    if connection.features.has_select_for_update:
        chosen = rows.order_by("id").select_for_update(of=("self",)).values("id")
        statement, parameters = chosen.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM ({statement}) AS chosen", parameters)  # noqa: S608
