"""Tells Django about the app."""

import sqlite3
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class UsersConfig(AppConfig):
    """Subscribers, their devices, and the history of their messages."""

    name = "messaging.store"
    label = "users"
    verbose_name = "Satbridge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Prepare every connection that will be opened."""
        connection_created.connect(_lift_parameter_limit, dispatch_uid="satbridge-parameters")


def _lift_parameter_limit(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Let one statement carry a whole batch: Django assumes the 999 parameters of an ancient SQLite."""
    if connection.vendor == "sqlite":
        limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = limit
