"""The upgrade to admission: subscribers stay open, and whom devices wrote to may answer."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from messaging.store.console import directory
from messaging.store.models import Correspondent, Message, Subscriber
from tests.support.store import records as g
from tests.support.store.records import Gateway

ADMISSION = import_module("messaging.store.migrations.0024_admission")


@pytest.mark.parametrize(("days", "number"), [(0, 1), (89, 1), (91, 0)])
def test_addresses_that_devices_wrote_to_become_correspondents(
    gateway: Gateway, days: int, number: int
) -> None:
    gateway.router.process([g.uplink(g.email("Mum@example.com")), g.stranded(), g.mail()])
    Message.objects.update(created_at=timezone.now() - timedelta(days=days))
    Correspondent.objects.all().delete()
    for _ in range(2):
        ADMISSION.add_correspondents(apps, None)
    found = Correspondent.objects.values_list("owner__name", "address")
    assert list(found) == [("boop", "mum@example.com")] * number


def test_subscribers_of_older_versions_stay_open(gateway: Gateway) -> None:
    assert Subscriber.objects.get().senders == "open"
    directory.add_subscriber("ann", senders="known")
    assert directory.open_subscribers() == ["boop"]
    directory.change_subscriber("boop", is_active=False)
    assert directory.open_subscribers() == []
