"""The judge of the fault harness compares recipients and texts: a gateway with one of these faults must not pass."""

from collections.abc import Callable

import pytest

from chaos.arrivals import Arrival, by_token, overtaken
from chaos.judge import ScenarioResult, StoredMessage, judge
from chaos.record import Direction, Offer, Record
from messaging.sending.split import split

Mutant = Callable[[Offer], list[Arrival]]
RUN = "0123abcd"
MESSAGES = 30


def parts_of(offer: Offer) -> list[Arrival]:
    """Return the message as a device shows it, in parts of 150 characters."""
    assert offer.text
    assert offer.recipient
    return [Arrival(offer.recipient, part) for part in split(offer.text, len, 150, 9)]


def result_of(gateway: Mutant, *, uncertain: bool = False) -> ScenarioResult:
    """Return the result of a run in which the gateway sends each message so."""
    record = Record(RUN)
    for number in range(MESSAGES):
        offer = record.offer(Direction.MAIL, str(1000 + number % 3))
        offer.compose()
        record.yes(offer)
    stored = {offer.token: StoredMessage(("sent",), uncertain) for offer in record.offers}
    found = by_token(arrival for offer in record.offers for arrival in gateway(offer))
    return judge(record, stored, found, two_ids=0, gap_seconds=0, settle_seconds=0)


def wrong_device(offer: Offer) -> list[Arrival]:
    return [Arrival("1000", arrival.text) for arrival in parts_of(offer)]


def cut_text(offer: Offer) -> list[Arrival]:
    return [Arrival(arrival.recipient, arrival.text[:40]) for arrival in parts_of(offer)]


def first_part(offer: Offer) -> list[Arrival]:
    return parts_of(offer)[:1]


def reversed_parts(offer: Offer) -> list[Arrival]:
    return parts_of(offer)[::-1]


def neighbours_text(offer: Offer) -> list[Arrival]:
    return [Arrival(a.recipient, a.text + " and more") for a in parts_of(offer)]


def doubled(offer: Offer) -> list[Arrival]:
    return parts_of(offer) * 2


def doubled_first_part(offer: Offer) -> list[Arrival]:
    return [parts_of(offer)[0], *parts_of(offer)]


def test_long_texts_that_arrive_in_parts_are_no_problem() -> None:
    result = result_of(parts_of)
    assert any(len(parts_of(offer)) > 2 for offer in long_offers())
    assert (result.yes, result.lost, result.wrong, result.twice) == (MESSAGES, 0, 0, 0)
    assert result.problems == ()


def long_offers() -> list[Offer]:
    record = Record(RUN)
    offers = [record.offer(Direction.MAIL, "1000") for _ in range(8)]
    for offer in offers:
        offer.compose()
    return offers


@pytest.mark.parametrize(
    ("mutant", "problem"),
    [
        (wrong_device, "at the wrong recipient 1000"),
        (cut_text, "with another text"),
        (first_part, "with the parts [1] of"),
        (reversed_parts, "with its parts in the order"),
        (neighbours_text, "with another text"),
    ],
)
def test_a_gateway_that_changes_messages_does_not_pass(mutant: Mutant, problem: str) -> None:
    result = result_of(mutant)
    assert result.wrong > 0
    assert any(problem in one for one in result.problems)


@pytest.mark.parametrize("mutant", [doubled, doubled_first_part])
def test_a_gateway_that_sends_everything_twice_does_not_pass_although_it_marks_all(
    mutant: Mutant,
) -> None:
    result = result_of(mutant, uncertain=True)
    assert (result.twice, result.marked) == (MESSAGES, MESSAGES)
    assert f"too many came twice: {MESSAGES} of {MESSAGES}" in result.problems


def test_marks_without_a_repeat_are_counted() -> None:
    assert result_of(parts_of, uncertain=True).doubts == MESSAGES


def test_a_message_that_overtakes_an_older_one_is_seen() -> None:
    record = Record(RUN)
    older, newer = (record.offer(Direction.MAIL, "1000") for _ in range(2))
    older.began_at, older.yes_at, newer.began_at, newer.yes_at = 1.0, 2.0, 3.0, 4.0
    found = {offer.token: parts for offer in (newer, older) if (parts := [Arrival("1000", "")])}
    assert overtaken(record.offers, found) == [older.token]
    in_order = dict(reversed(found.items()))
    assert overtaken(record.offers, in_order) == []
    newer.began_at = 1.5  # offered before the older one got its yes
    assert overtaken(record.offers, found) == []
