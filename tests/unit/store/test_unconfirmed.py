"""Which things that a network was handed are still to be asked about."""

from datetime import timedelta

import pytest

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.model.message import ReceiptState, SubmittedPart
from messaging.store.receipts.unconfirmed import Unconfirmed
from tests.support.store.records import Clock, Gateway
from tests.support.store.submitted import hand_over, hear, receipt


@pytest.fixture
def unheard(settings: Settings, clock: Clock) -> Unconfirmed:
    return Unconfirmed(settings, "hive", hours=2, count=2, now=lambda: clock.now)


def test_what_was_handed_over_is_asked_about_until_its_end_is_known(
    gateway: Gateway, unheard: Unconfirmed
) -> None:
    assert unheard.next() == []
    hand_over(gateway, SubmittedPart("n1"))
    assert unheard.next() == ["n1"]
    hear(gateway, receipt(state=ReceiptState.ON_ITS_WAY))
    assert unheard.next() == ["n1"]
    hear(gateway, receipt())
    assert unheard.next() == []


def test_what_is_too_old_or_somebody_elses_is_not_asked_about(
    gateway: Gateway, settings: Settings, clock: Clock, unheard: Unconfirmed
) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    assert Unconfirmed(settings, "other", hours=2, now=lambda: clock.now).next() == []
    clock.now += timedelta(hours=3)
    assert unheard.next() == []


def test_news_of_what_no_delivery_knows_is_not_asked_about(
    gateway: Gateway, unheard: Unconfirmed
) -> None:
    hear(gateway, receipt("stranger", billed_units=3, state=ReceiptState.ON_ITS_WAY))
    assert unheard.next() == []


def test_many_are_asked_about_by_turns(gateway: Gateway, unheard: Unconfirmed) -> None:
    hand_over(gateway, SubmittedPart("n1"), SubmittedPart("n2"), SubmittedPart("n3"))
    assert unheard.next() == ["n1", "n2"]
    assert unheard.next() == ["n3"]
    assert unheard.next() == ["n1", "n2"]


def test_a_store_that_is_away_is_unavailable(settings: Settings) -> None:
    away = settings.model_copy(
        update={"database_url": Settings(database_url=_NOWHERE).database_url}
    )
    with pytest.raises(Unavailable):
        Unconfirmed(away, "hive", hours=2).next()


_NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
