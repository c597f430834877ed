"""How far a provider's list was read, and which of its texts are stored."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from messaging.config.settings import Settings
from messaging.errors import Unavailable
from messaging.model.message import Address, Network, OptOutChange, ReceiptState, SubmittedPart
from messaging.store.fetch_history import OVERLAP, FetchHistory
from messaging.store.models import FetchMark, Message, OptOut, RemovedMessage
from tests.support.store.records import Clock, Gateway
from tests.support.store.submitted import hand_over, hear, receipt

PHONE, NUMBER = "+15550002222", "+15550001111"


@pytest.fixture
def history(settings: Settings, clock: Clock) -> FetchHistory:
    return FetchHistory(settings, "hive", "hive AC1", now=lambda: clock.now)


def opt_out(key: str, *, allowed: bool) -> OptOutChange:
    return OptOutChange(
        id=key.rjust(32, "0"),
        sender=Address(Network.SMS, PHONE),
        recipient=Address(Network.SMS, NUMBER),
        allowed=allowed,
        via="twilio",
    )


def test_the_first_call_marks_now_and_nothing_before_is_ever_listed(
    gateway: Gateway, history: FetchHistory, clock: Clock
) -> None:
    first = clock.now.replace(microsecond=0)
    assert history.since() == first
    clock.now += timedelta(minutes=5)
    history.advance(clock.now)
    assert history.since() == first


def test_a_list_is_read_again_for_an_hour_and_the_mark_never_goes_back(
    gateway: Gateway, history: FetchHistory, clock: Clock
) -> None:
    history.since()
    clock.now += timedelta(days=2)
    history.advance(clock.now)
    assert history.since() == clock.now - OVERLAP
    history.advance(clock.now - timedelta(hours=3))
    assert history.since() == clock.now - OVERLAP


def test_another_account_under_the_same_name_begins_anew(
    gateway: Gateway, settings: Settings, history: FetchHistory, clock: Clock
) -> None:
    history.since()
    clock.now += timedelta(days=2)
    other = FetchHistory(settings, "hive", "hive AC2", now=lambda: clock.now)
    assert other.since() == clock.now.replace(microsecond=0)
    assert FetchMark.objects.count() == 2


def test_ids_of_messages_and_removed_messages_are_known(
    gateway: Gateway, history: FetchHistory
) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    RemovedMessage.objects.create(id="r" * 32)
    stored = str(Message.objects.get().id)
    assert history.known({stored, "r" * 32, "x" * 32}) == {stored, "r" * 32}


def test_an_opt_out_is_known_and_an_old_one_changes_nothing(
    gateway: Gateway, history: FetchHistory
) -> None:
    stop, start = opt_out("1", allowed=False), opt_out("2", allowed=True)
    assert gateway.router.process([stop]) == [[]]
    assert gateway.router.process([start, stop]) == [[], []]
    assert history.known({stop.id, start.id}) == {stop.id, start.id}
    assert not OptOut.objects.exists()


def test_numbers_of_subscribers_are_own(gateway: Gateway, history: FetchHistory) -> None:
    numbers = {NUMBER, f"whatsapp:{NUMBER}", "+15559999999", "whatsapp:+1", ""}
    assert history.own(numbers) == {NUMBER, f"whatsapp:{NUMBER}"}


def test_parts_without_a_final_receipt_are_unsettled(
    gateway: Gateway, history: FetchHistory
) -> None:
    hand_over(gateway, SubmittedPart("n1"))
    assert history.unsettled({"n1", "n2"}) == {"n1"}
    hear(gateway, receipt(state=ReceiptState.ON_ITS_WAY))
    assert history.unsettled({"n1"}) == {"n1"}
    hear(gateway, receipt())
    assert history.unsettled({"n1"}) == set()


def test_a_store_that_is_away_is_unavailable(settings: Settings) -> None:
    nowhere = SecretStr("postgres://nobody@127.0.0.1:1/none")
    away = settings.model_copy(update={"database_url": nowhere})
    with pytest.raises(Unavailable):
        FetchHistory(away, "hive", "hive AC1").since()
