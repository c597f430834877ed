"""Locks rows that are read to be changed, where the store can."""

from typing import TypeVar

from django.db import connection, models
from django.db.models import QuerySet

M = TypeVar("M", bound=models.Model)


def lock_rows(rows: "QuerySet[M]") -> "QuerySet[M]":
    """Return the rows locked, in the same order for all transactions. SQLite has one writer and needs no lock."""
    ordered = rows.order_by("id")
    return ordered.select_for_update() if connection.features.has_select_for_update else ordered
