"""The judge of the fault harness sees what it must see: losses, unmarked repeats, messages without an end."""

from collections import Counter

import pytest

from chaos.record import Record, Way
from chaos.verdict import Story, Verdict, judge


def judged(record: Record, told: dict[str, Story], came: Counter[str], two_ids: int = 0) -> Verdict:
    return judge(record, told, came, two_ids=two_ids, gap_seconds=0, settle_seconds=0)


def one(way: Way = Way.MAIL, *, yes: bool = True) -> tuple[Record, str]:
    record = Record("0123abcd")
    offer = record.offer(way)
    if yes:
        record.yes(offer)
    return record, offer.token


def test_what_arrived_once_is_no_problem() -> None:
    record, token = one()
    verdict = judged(record, {token: Story(("sent",), False)}, Counter({token: 1}))
    assert (verdict.yes, verdict.final, verdict.lost, verdict.problems) == (1, 1, 0, ())


@pytest.mark.parametrize("told", [{}, {"0123abcd-mail-00000": Story(("sent",), False)}])
def test_what_did_not_arrive_is_lost_whatever_the_store_says(told: dict[str, Story]) -> None:
    record, token = one()
    verdict = judged(record, told, Counter())
    assert verdict.lost == 1
    assert f"lost: {token}" in verdict.problems


def test_what_got_no_yes_may_be_lost() -> None:
    record, _ = one(yes=False)
    record.yes(record.offer(Way.TEXT))
    arrived = Counter({"0123abcd-text-00001": 1})
    verdict = judged(record, {"0123abcd-text-00001": Story(("sent",), False)}, arrived)
    assert (verdict.lost, verdict.problems) == (0, ())


@pytest.mark.parametrize(
    ("way", "uncertain", "problem"),
    [
        (Way.MAIL, True, ""),
        (Way.MAIL, False, "twice and not marked"),
        (Way.NOTE, True, "twice although Twilio can be asked"),
    ],
)
def test_twice_is_allowed_only_when_marked_and_nobody_could_be_asked(
    way: Way, uncertain: bool, problem: str
) -> None:
    record, token = one(way)
    verdict = judged(record, {token: Story(("sent",), uncertain)}, Counter({token: 2}))
    assert verdict.twice == 1
    assert [p.partition(":")[0] for p in verdict.problems] == ([problem] if problem else [])


def test_a_message_without_an_end_and_a_changed_message_id_are_seen() -> None:
    record, token = one()
    verdict = judged(record, {token: Story(("waiting",), False)}, Counter({token: 1}), two_ids=1)
    assert {p.partition(":")[0] for p in verdict.problems} == {
        "not final",
        "twice under another Message-ID",
    }


def test_the_gap_is_that_of_the_way_in_that_waited_longest() -> None:
    record = Record("0123abcd")
    for way, moment in ((Way.MAIL, 1.0), (Way.MAIL, 2.0), (Way.TEXT, 1.0)):
        record.offer(way).yes_at = moment
    assert record.longest_gap_seconds(0.0, 4.0) == 3.0
