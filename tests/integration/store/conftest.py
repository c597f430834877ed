"""The stores of this folder: a SQLite file, and PostgreSQL for tests that are marked so."""

from tests.support.store.fixtures import *  # noqa: F403
