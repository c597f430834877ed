"""The judge excuses what a store that went back in time must lose, and nothing else."""

import pytest

from chaos.arrivals import Arrival
from chaos.judge import Judge, Rollback, StoredMessage
from chaos.record import Direction, Offer

TOKEN = "0123abcd-mail-00000"
ROLLBACK = Rollback(began=10.0, ended=13.0)


def problems(offer: Offer, times: int, stored: StoredMessage | None) -> tuple[str, ...]:
    judge = Judge(rollback=ROLLBACK)
    judge.add(offer, [Arrival("1000", TOKEN)] * times, stored)
    return judge.result(two_ids=0, gap_seconds=0, settle_seconds=0).problems


def offer_at(began_at: float, yes_at: float) -> Offer:
    return Offer(TOKEN, Direction.MAIL, "1000", TOKEN, began_at=began_at, yes_at=yes_at)


@pytest.mark.parametrize(
    ("yes_at", "found"),
    [
        (9.9, (f"lost: {TOKEN}", f"not final: {TOKEN}")),
        (11.0, ()),
        (13.1, (f"lost: {TOKEN}", f"not final: {TOKEN}")),
    ],
)
def test_only_a_yes_within_the_rollback_may_be_lost(yes_at: float, found: tuple[str, ...]) -> None:
    assert problems(offer_at(9.0, yes_at), 0, None) == found


@pytest.mark.parametrize(
    ("began_at", "found"), [(1.0, ()), (13.5, (f"twice and not marked: {TOKEN}",))]
)
def test_only_a_message_from_before_its_end_may_come_twice_without_a_mark(
    began_at: float, found: tuple[str, ...]
) -> None:
    sent = StoredMessage(("sent",), False)
    assert [p for p in problems(offer_at(began_at, 14.0), 2, sent) if "too many" not in p] == [
        *found
    ]


def test_another_text_is_never_excused() -> None:
    judge = Judge(rollback=ROLLBACK)
    offer = offer_at(9.0, 11.0)
    judge.add(offer, [Arrival("1000", f"{TOKEN} x")], StoredMessage(("sent",), False))
    result = judge.result(two_ids=0, gap_seconds=0, settle_seconds=0)
    assert result.problems == (f"arrived with another text: {TOKEN}",)


def test_what_is_excused_is_counted() -> None:
    judge = Judge(rollback=ROLLBACK)
    judge.add(offer_at(9.0, 11.0), [], None)
    result = judge.result(two_ids=0, gap_seconds=0, settle_seconds=0)
    assert (result.yes, result.final, result.lost) == (1, 0, 1)
