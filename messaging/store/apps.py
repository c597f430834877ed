"""The Django app of the store."""

import sqlite3
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class UsersConfig(AppConfig):
    """Subscribers, their devices, and the history of messages. The label names the tables: it stays."""

    name = "messaging.store"
    label = "users"
    verbose_name = "Satbridge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Set up every connection that is opened."""
        connection_created.connect(_raise_parameter_limit, dispatch_uid="satbridge-parameters")


def _raise_parameter_limit(connection: BaseDatabaseWrapper, **_: Any) -> None:
    # One statement carries a whole batch, and Django assumes the 999 parameters of an old SQLite.
    if connection.vendor == "sqlite":
        limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = limit
