"""The Django app of the store."""

import sqlite3
from contextlib import closing

from django.apps import AppConfig
from django.db.backends.sqlite3.base import DatabaseWrapper


class UsersConfig(AppConfig):
    """Subscribers, their devices, and the history of messages. The label names the tables: it stays."""

    name = "messaging.store"
    label = "users"
    verbose_name = "Satbridge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Begin the audit, and take the number of parameters that this SQLite allows for one statement.

        One statement carries a whole batch. Django assumes the 999 of an old SQLite.
        """
        from messaging.store.audit.changes import connect  # models exist from now on

        connect()
        with closing(sqlite3.connect(":memory:")) as database:
            limit = database.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        # Later versions of Django ask SQLite themselves: their stubs have a property.
        DatabaseWrapper.features_class.max_query_params = limit  # type: ignore[assignment, method-assign]
