"""Makes the store ready for use: opened, brought up to date where that is wanted, and proved to take writes."""

from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.db.connection import migrate_store, open_store
from messaging.store.db.health import NOT_MIGRATED, store_problem


def open_ready_store(settings: Settings) -> None:
    """Open the store, and migrate it unless the settings leave that to others.

    Raises ConfigurationError in one sentence when it cannot be used.
    """
    open_store(settings)
    problem = store_problem()
    if problem == NOT_MIGRATED and settings.migrate:
        migrate_store()
        problem = store_problem()
    if problem:
        raise ConfigurationError(f"SATBRIDGE_DATABASE_URL: {problem}")
