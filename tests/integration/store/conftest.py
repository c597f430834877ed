"""The stores of this folder: a SQLite file, PostgreSQL for tests that are marked so, and a way for mail into it."""

from collections.abc import Iterator

import pytest

from tests.support.mail.authentication import FRIEND, world
from tests.support.mail.dns_server import DnsServer
from tests.support.store.door import Door
from tests.support.store.fixtures import *  # noqa: F403
from tests.support.store.records import Gateway


@pytest.fixture
def door(sqlite_gateway: Gateway) -> Iterator[Door]:
    """A gateway whose subscriber knows the friend and no other author."""
    from messaging.store.console.contacts import add_contact
    from messaging.store.models import Subscriber

    Subscriber.objects.update(senders="known")
    add_contact("boop", "alice", FRIEND)
    with DnsServer(world()) as dns:
        yield Door(sqlite_gateway, dns)
