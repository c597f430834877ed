"""Sets up a process of the gateway, before it imports what needs Django."""

from collections.abc import Sequence

from messaging.config.settings import Settings
from messaging.logs.addresses import AddressHasher
from messaging.service.log_setup import set_up_logging
from messaging.store.db.connection import open_store
from messaging.store.db.django_settings import APPS, STORE_APPS, secret_key


def set_up_log(settings: Settings) -> None:
    """Set up the logging of this process. Raises ConfigurationError when addresses shall be hashed without a key."""
    set_up_logging(settings.log_level, settings.log_format, address_hasher(settings))


def address_hasher(settings: Settings) -> AddressHasher | None:
    """Return the hasher of the addresses in log lines, None when they are logged in full. Raises ConfigurationError."""
    if settings.log_addresses == "full":
        return None
    return AddressHasher(secret_key(settings))


def set_up_process(settings: Settings, apps: Sequence[str] = APPS) -> None:
    """Set up logging, and Django with the store of the settings. Connects to nothing. Raises ConfigurationError."""
    set_up_log(settings)
    open_store(settings, apps)


def set_up_worker(settings: Settings) -> None:
    """Set up the process of an instance of the pipeline, which needs the models only."""
    set_up_process(settings, STORE_APPS)
