"""Opens the store for a command."""

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.opening import open_ready_store


def cli_store() -> Settings:
    """Open the store of the settings and return the settings. Raises ConfigurationError."""
    settings = read(Settings)
    open_ready_store(settings)
    return settings
