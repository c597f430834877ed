"""Which page of a feed is asked for, and which feeds there are."""

from datetime import datetime, timedelta

import pytest

from messaging.satellite.account import Packet
from messaging.satellite.providers.spot.feed import PAGE_SIZE, Feed, feeds_of
from tests.support.satellite.providers.spot_items import AT, READING


def full(first: int, sent_at: datetime = AT) -> list[Packet]:
    """A page whose messages have the numbers from `first` down."""
    return [
        Packet(str(n), "0-1", None, b"", (), sent_at=sent_at - timedelta(seconds=first - n))
        for n in range(first, first - PAGE_SIZE, -1)
    ]


def starts(feed: Feed, *pages: list[Packet]) -> list[int]:
    """Ask for the pages that the feed wants; returns where each began."""
    known: set[str] = set()
    asked = []
    for found in pages:
        asked.append(feed.start)
        new = {packet.id for packet in found} - known
        known |= new
        feed.advance(feed.start, found, new, READING.since)
    return asked


def test_the_newest_page_comes_after_every_older_one() -> None:
    pages = [full(300), full(250), full(301), full(201), full(301), full(151)[:20], full(301)]
    assert starts(Feed("x"), *pages) == [1, 51, 1, 101, 1, 151, 1]


def test_once_caught_up_only_the_newest_page_is_asked_for() -> None:
    assert starts(Feed("x"), full(300), full(250)[:3], full(301), full(302)) == [1, 51, 1, 1]


def test_what_is_too_old_is_not_caught_up_with() -> None:
    old = full(300, sent_at=READING.since)
    assert starts(Feed("x"), old, old) == [1, 1]


def test_the_feeds_are_read_with_their_passwords() -> None:
    assert feeds_of("abc, def:pa:ss ,") == [("abc", ""), ("def", "pa:ss")]
    assert Feed("def", "pa:ss").query(1) == {"feedPassword": "pa:ss"}
    assert Feed("abc").query(51) == {"start": "51"}


@pytest.mark.parametrize("text", ["", ",", "a b", "a/b", "../x", ":password"])
def test_what_is_no_feed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        feeds_of(text)
