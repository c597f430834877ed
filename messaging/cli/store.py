"""Opens the store for a command."""

from messaging.cli.output import print_error
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.db.health import open_ready_store
from messaging.store.db.room import has_no_store, store_place


def open_settings_store(*, creates: bool = False, only_reads: bool = False) -> Settings:
    """Read the settings, open their store and return them. Raises ConfigurationError.

    Only with `creates` a SQLite file is made. Standard error says that it was made, or brought up to date. With
    `only_reads` it need not be writable.
    """
    settings = read(Settings)
    is_new = has_no_store(settings)
    if is_new and not creates:
        raise ConfigurationError(no_store(settings))
    place = store_place(settings)
    if is_new:
        print_error(f"makes a new database, {place}")
    if open_ready_store(settings, only_reads=only_reads) and not is_new:
        print_error(f"brought the database up to date: {place}")
    return settings


def no_store(settings: Settings) -> str:
    """Return the sentence about a store that does not exist."""
    return (
        f"SATBRIDGE_DATABASE_URL: there is no database at {store_place(settings)}; `satbridge users add` or"
        " `satbridge up` makes one. Is this the right folder, with its settings?"
    )
