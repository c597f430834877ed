"""The Django app of the store."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from messaging.store.db.connection import raise_parameter_limit


class UsersConfig(AppConfig):
    """Subscribers, their devices, and the history of messages. The label names the tables: it stays."""

    name = "messaging.store"
    label = "users"
    verbose_name = "Satbridge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Set up every connection that is opened."""
        connection_created.connect(raise_parameter_limit, dispatch_uid="satbridge-parameters")
