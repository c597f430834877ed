"""Routers decide by settings that change while they run, and keep their counters."""

from collections.abc import Iterator

import pytest

from messaging.errors import Busy
from messaging.model.message import Network, SubmittedPart
from messaging.store.live_settings import change_live_settings
from messaging.store.models import Message
from tests.support.store import records as g
from tests.support.store.device_texts import typed
from tests.support.store.records import Gateway
from tests.support.store.submitted import hand_over, hear, receipt

NO_LIMIT = {"max_hourly_per_pair": 0}


@pytest.fixture(autouse=True)
def no_changes() -> Iterator[None]:
    yield
    change_live_settings({})


def are_busy(gateway: Gateway, *keys: str) -> list[bool]:
    return [isinstance(one, Busy) for one in gateway.router.process([g.mail(k) for k in keys])]


def test_a_limit_applies_from_the_next_batch_and_goes_back_to_that_of_the_start(
    gateway: Gateway,
) -> None:
    assert are_busy(gateway, "1") == [False]
    change_live_settings({"max_hourly_per_pair": 1})
    assert are_busy(gateway, "3", "4") == [False, True]
    assert are_busy(gateway, "5") == [True]
    change_live_settings({"max_hourly_per_pair": 2})
    assert are_busy(gateway, "6", "7", "8") == [False, False, True]
    change_live_settings({})
    assert are_busy(gateway, "9") == [False]
    assert gateway.router.status()["too_fast"] == 3


def test_operators_and_emergency_words_change(gateway: Gateway) -> None:
    def alarms() -> int:
        number = gateway.router.status()["emergencies"]
        assert isinstance(number, int)
        return number

    gateway.router.process([typed("BALISE", "1")])
    assert alarms() == 0
    change_live_settings({"emergency_words": "BALISE", "operator_addresses": "op@example.net"})
    gateway.router.process([typed("BALISE", "2")])
    assert alarms() == 1
    told = Message.objects.filter(recipient="op@example.net", recipient_network=Network.EMAIL)
    assert told.count() == 1


def test_what_settled_before_a_change_stays_counted(gateway: Gateway) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    hear(gateway, receipt("n1"))
    change_live_settings(NO_LIMIT)
    gateway.router.process([g.mail("1")])
    assert gateway.router.status()["settled"] == {"hive": {"delivered": 1}}


def test_another_setting_is_refused() -> None:
    with pytest.raises(KeyError, match="lease_seconds"):
        change_live_settings({"lease_seconds": 3})
