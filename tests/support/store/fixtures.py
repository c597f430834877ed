"""The stores that the tests of this folder run against: a SQLite file, and a real PostgreSQL server; gateways there."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.connection import close_connection, migrate_store, open_store, store_errors
from tests.support.postgres_server import postgres_server_in
from tests.support.store.records import FRIENDS_NUMBER, Clock, Gateway
from tests.support.store.write_guard import write_guard as write_guard

TABLES = (
    "users_budgetbooking",
    "users_budgetperiod",
    "users_budget",
    "users_tariff",
    "users_handedpart",
    "users_deliveryattempt",
    "users_sighting",
    "users_contactaddress",
    "users_correspondent",
    "users_blockedauthor",
    "users_burstcount",
    "users_ownermailbox",
    "users_heldnote",
    "users_contact",
    "users_delivery",
    "users_message",
    "users_device",
    "users_subscriber",
    "users_optout",
    "users_task",
    "users_keptchange",
    "users_removedmessage",
    "users_storekey",
    "django_admin_log",
    "django_session",
    "users_cache",
    "mfa_authenticator",
    "account_emailconfirmation",
    "account_emailaddress",
    "auth_user_user_permissions",
    "auth_user",
)


def settings_for(url: str, folder: Path, **given: Any) -> Settings:
    """The settings of a gateway for example.org on this store."""
    defaults: dict[str, Any] = {
        "mail_domain": "example.org",
        "max_waiting_per_subscriber": 5,
        "max_hourly_per_pair": 0,
        "burst_hourly_per_author": 0,
        "burst_hourly_per_device": 0,
        "burst_hourly_per_domain": 0,
        "burst_hourly_per_client": 0,
        "burst_hourly_in_total": 0,
        "max_hourly_notices": 0,
        "device_failure_notices": False,
        "max_hourly_per_device": 0,
        "max_daily_per_device": 0,
        "max_daily_units_per_device": 0,
    }
    return read(Settings, database_url=url, state_dir=folder, **{**defaults, **given})


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'folder' / 'store.sqlite3'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder, postgres_server_in(Path(folder)) as server:
        yield server
        close_connection()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Any) -> str:
    return str(postgres_server.get_uri())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Iterator[Settings]:
    """The settings of an open, migrated, empty store."""
    yield from opened(settings_for(url, tmp_path))


@pytest.fixture
def sqlite_settings(sqlite_url: str, tmp_path: Path) -> Iterator[Settings]:
    """The same, on SQLite only: for what has nothing to do with the store."""
    yield from opened(settings_for(sqlite_url, tmp_path))


@pytest.fixture
def postgres_settings(postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """The same, on PostgreSQL only."""
    yield from opened(settings_for(postgres_url, tmp_path))


def opened(settings: Settings) -> Iterator[Settings]:
    open_store(settings)
    with store_errors():
        if "users_optout" not in connection.introspection.table_names():
            migrate_store()
    yield settings
    open_store(settings)
    with store_errors(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")
    close_connection()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gateway(settings: Settings, clock: Clock) -> Gateway:
    """A router, a ledger and the claims of one gateway with the subscriber boop and a device, on either store."""
    return Gateway.starting(settings, clock)


@pytest.fixture
def sqlite_gateway(sqlite_settings: Settings, clock: Clock) -> Gateway:
    return Gateway.starting(sqlite_settings, clock)


@pytest.fixture
def postgres_gateway(postgres_settings: Settings, clock: Clock) -> Gateway:
    return Gateway.starting(postgres_settings, clock)


@pytest.fixture
def typing(gateway: Gateway) -> Gateway:
    """A gateway whose only device writes plain text, and whose owner has two contacts."""
    from messaging.store.models import Contact, Device, Subscriber

    Device.objects.update(codec="text")
    owner = Subscriber.objects.get()
    Contact.objects.create(owner=owner, name="alice", address="Alice@example.net")
    Contact.objects.create(owner=owner, name="bob", address=FRIENDS_NUMBER)
    return gateway
