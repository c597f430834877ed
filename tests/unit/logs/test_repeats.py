"""Repeats of a log line are summed up; nothing else is left out."""

import io
import logging
from collections.abc import Iterator

import pytest

from messaging.logs.formats import TextFormat
from messaging.logs.records import details
from messaging.logs.repeats import FIRST_RECORDS, MAX_KINDS, Repeats, SummingHandler
from tests.support.eventually import wait_until


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    log = logging.Logger("test.repeats", logging.DEBUG)
    yield log
    for handler in log.handlers:
        handler.close()


def write_to(log: logging.Logger, repeats: Repeats) -> io.StringIO:
    stream = io.StringIO()
    handler = SummingHandler(stream, repeats)
    handler.setFormatter(TextFormat())
    log.addHandler(handler)
    return stream


def test_one_line_of_a_kind_and_then_its_number(log: logging.Logger) -> None:
    clock = Clock()
    stream = write_to(log, Repeats(60, clock))
    for number in range(300):
        log.warning("connection from %s refused", number, extra=details(kind="refused connections"))
    assert stream.getvalue().count("\n") == 1
    clock.seconds = 61
    log.info("something else")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert "connection from 0 refused" in lines[0]
    assert "299 more like this within 61 s: refused connections repeats=299" in lines[1]
    assert "something else" in lines[2]


def test_a_summary_comes_without_a_further_record(log: logging.Logger) -> None:
    stream = write_to(log, Repeats(0.05))
    log.warning("refused", extra=details(kind="a"))
    log.warning("refused", extra=details(kind="a"))
    wait_until(lambda: "1 more like this" in stream.getvalue())


def test_warnings_without_a_kind_are_summed_up_by_their_text(log: logging.Logger) -> None:
    stream = write_to(log, Repeats(60, Clock()))
    for number in range(FIRST_RECORDS + 7):
        log.error("request %d failed", number)
    assert stream.getvalue().count("\n") == FIRST_RECORDS
    log.handlers[0].close()
    assert "7 more like this within 0 s: request %d failed" in stream.getvalue()


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_outcomes_are_never_left_out(log: logging.Logger, level: int) -> None:
    stream = write_to(log, Repeats(60, Clock()))
    for number in range(500):
        log.log(level, "sent", extra=details(message_id=str(number)))
    assert stream.getvalue().count("\n") == 500


def test_texts_that_never_repeat_are_bounded(log: logging.Logger) -> None:
    stream = write_to(log, Repeats(60, Clock()))
    for number in range(MAX_KINDS + 100):
        log.warning(f"a text of its own: {number}")
    assert stream.getvalue().count("\n") == MAX_KINDS + FIRST_RECORDS
