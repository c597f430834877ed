"""The judge of the fault harness sees what it must see: losses, unmarked repeats, messages without an end."""

import pytest

from chaos.arrivals import Arrival, by_token
from chaos.judge import ScenarioResult, StoredMessage, judge
from chaos.record import Direction, Record

DEVICE = "1000"


def judged(
    record: Record, told: dict[str, StoredMessage], came: dict[str, int], two_ids: int = 0
) -> ScenarioResult:
    found = [
        Arrival(DEVICE, offer.text or "")
        for offer in record.offers
        for _ in range(came.get(offer.token, 0))
    ]
    return judge(
        record,
        told,
        by_token(found),
        two_ids=two_ids,
        gap_seconds=0,
        settle_seconds=0,
        max_twice=1,
    )


def one(way: Direction = Direction.MAIL, *, yes: bool = True) -> tuple[Record, str]:
    record = Record("0123abcd")
    offer = record.offer(way, DEVICE)
    offer.compose()
    if yes:
        record.yes(offer)
    return record, offer.token


def test_what_arrived_once_is_no_problem() -> None:
    record, token = one()
    verdict = judged(record, {token: StoredMessage(("sent",), False)}, {token: 1})
    assert (verdict.yes, verdict.final, verdict.lost, verdict.problems) == (1, 1, 0, ())


@pytest.mark.parametrize("told", [{}, {"0123abcd-mail-00000": StoredMessage(("sent",), False)}])
def test_what_did_not_arrive_is_lost_whatever_the_store_says(
    told: dict[str, StoredMessage],
) -> None:
    record, token = one()
    verdict = judged(record, told, {})
    assert verdict.lost == 1
    assert f"lost: {token}" in verdict.problems


def test_what_got_no_yes_may_be_lost() -> None:
    record, _ = one(yes=False)
    text = record.offer(Direction.TEXT, DEVICE)
    text.compose()
    record.yes(text)
    arrived = {"0123abcd-text-00001": 1}
    verdict = judged(record, {"0123abcd-text-00001": StoredMessage(("sent",), False)}, arrived)
    assert (verdict.lost, verdict.problems) == (0, ())


@pytest.mark.parametrize(
    ("way", "uncertain", "problem"),
    [
        (Direction.MAIL, True, ""),
        (Direction.MAIL, False, "twice and not marked"),
        (Direction.NOTE, True, "twice although Twilio can be asked"),
    ],
)
def test_twice_is_allowed_only_when_marked_and_the_network_could_not_be_asked(
    way: Direction, uncertain: bool, problem: str
) -> None:
    record, token = one(way)
    verdict = judged(record, {token: StoredMessage(("sent",), uncertain)}, {token: 2})
    assert verdict.twice == 1
    assert [p.partition(":")[0] for p in verdict.problems] == ([problem] if problem else [])


def test_a_message_without_an_end_and_a_changed_message_id_are_seen() -> None:
    record, token = one()
    verdict = judged(record, {token: StoredMessage(("waiting",), False)}, {token: 1}, two_ids=1)
    assert {p.partition(":")[0] for p in verdict.problems} == {
        "not final",
        "twice under another Message-ID",
    }


def test_the_gap_is_that_of_the_way_in_that_waited_longest() -> None:
    record = Record("0123abcd")
    for way, moment in ((Direction.MAIL, 1.0), (Direction.MAIL, 2.0), (Direction.TEXT, 1.0)):
        record.offer(way).yes_at = moment
    assert record.longest_gap_seconds(0.0, 4.0) == 3.0
