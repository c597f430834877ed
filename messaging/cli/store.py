"""Opens the store for a command."""

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.health import open_ready_store


def open_settings_store() -> Settings:
    """Read the settings, open their store and return them. Raises ConfigurationError."""
    settings = read(Settings)
    open_ready_store(settings)
    return settings
