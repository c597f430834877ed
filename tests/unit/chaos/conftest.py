"""The stores of this folder: a SQLite file for each test that asks for one."""

from tests.support.store.fixtures import *  # noqa: F403
