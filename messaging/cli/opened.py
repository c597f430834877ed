"""Opens the store for a command."""

from messaging.configuration import read
from messaging.settings import Settings
from messaging.users.opening import open_ready_store


def opened_store() -> Settings:
    """Open the store of the settings and return the settings. Raises ConfigurationError."""
    settings = read(Settings)
    open_ready_store(settings)
    return settings
