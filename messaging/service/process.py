"""Sets up a process of the gateway, before it imports what needs Django."""

from collections.abc import Sequence

from messaging.config.settings import Settings
from messaging.service.log_setup import set_up_logging
from messaging.store.db.connection import open_store
from messaging.store.db.django_settings import APPS, STORE_APPS


def set_up_process(settings: Settings, apps: Sequence[str] = APPS) -> None:
    """Set up logging, and Django with the store of the settings. Connects to nothing. Raises ConfigurationError."""
    set_up_logging(settings.log_level, settings.log_format)
    open_store(settings, apps)


def set_up_worker(settings: Settings) -> None:
    """Set up the process of an instance of the pipeline, which needs the models only."""
    set_up_process(settings, STORE_APPS)
