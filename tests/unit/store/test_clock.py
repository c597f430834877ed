"""The clock of this machine is compared with that of the database server."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.store.db.health import clock_difference
from tests.support.store.records import Gateway


def test_a_file_has_no_clock_and_a_server_on_this_machine_has_the_same(gateway: Gateway) -> None:
    difference = clock_difference(gateway.settings)
    if gateway.settings.uses_sqlite:
        assert difference is None
    else:
        assert difference == pytest.approx(0, abs=2)


def test_a_machine_whose_clock_is_behind_sees_how_far(gateway: Gateway) -> None:
    difference = clock_difference(gateway.settings, lambda: timezone.now() - timedelta(hours=1))
    assert difference is None or difference == pytest.approx(3600, abs=2)
