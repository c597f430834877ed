"""Runs Django's own management commands."""

from collections.abc import Sequence

from django.core.management import ManagementUtility

from messaging.config.settings import Settings
from messaging.store.db.connection import open_store


def run_django_command(settings: Settings, arguments: Sequence[str]) -> None:
    """Run a command, such as `["createsuperuser"]`, on the store of the settings."""
    open_store(settings)
    ManagementUtility(["satbridge manage", *arguments]).execute()
