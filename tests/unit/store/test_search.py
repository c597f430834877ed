"""Messages are found by a part of their text, by the beginning of an id and by a Message-ID."""

from dataclasses import replace

import pytest
from django.db import connection

from messaging.model.message import message_id
from messaging.store.console import directory
from messaging.store.console.messages import list_messages, search_messages
from messaging.store.console.save import InvalidInput
from messaging.store.console.search import SearchLimits, find_by_key, find_by_text, has_id
from messaging.store.console.selection import MessageFilter, find_message, of_subscriber
from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery, Message
from tests.support.store import records as g
from tests.support.store.records import Gateway

AUTHOR_ID = "<20260101.4711@mail.example.com>"


@pytest.fixture
def filled(gateway: Gateway) -> Gateway:
    """A mail with a Message-ID, one with capitals that are not ASCII, and a text of a device; a minute apart."""
    directory.add_subscriber("ann")
    directory.add_device("2001", owner="ann", network="hive", networks=["hive"])
    gateway.take_one(replace(g.mail("first", text="Anchored at Camaret"), reference=AUTHOR_ID))
    gateway.clock.turn(60)
    gateway.take_one(g.mail("second", to="ann@example.org", text="ÉTÉ à Łódź, 100%_"))
    gateway.clock.turn(60)
    gateway.take_one(g.uplink(g.email("mum@example.com"), "third"))
    return gateway


def keys(wanted: MessageFilter) -> list[str]:
    names = {message_id(key): key for key in ("first", "second", "third")}
    return [names[row.id] for row in list_messages(wanted)]


FOUND: tuple[tuple[MessageFilter, list[str]], ...] = (
    (MessageFilter(text="camaret"), ["first"]),
    (MessageFilter(text="ANCHORED AT"), ["first"]),
    (MessageFilter(text="hi"), ["second", "first"]),
    (MessageFilter(text="hi", limit=1), ["second"]),
    (MessageFilter(text="hi", user="boop"), ["first"]),
    (MessageFilter(text="été à łÓDŹ"), ["second"]),
    (MessageFilter(text="100%_"), ["second"]),
    (MessageFilter(text="1__%"), []),
    (MessageFilter(text="all well", via="hive"), ["third"]),
    (MessageFilter(id=message_id("third")[:6]), ["third"]),
    (MessageFilter(id=message_id("third").upper()), ["third"]),
    (MessageFilter(id=message_id("third")[:6], user="ann"), []),
    (MessageFilter(author_id=AUTHOR_ID), ["first"]),
    (MessageFilter(author_id=AUTHOR_ID.strip("<>")), ["first"]),
    (MessageFilter(author_id=AUTHOR_ID[:-2]), []),
)


def test_messages_are_found(filled: Gateway) -> None:
    for wanted, expected in FOUND:
        assert keys(wanted) == expected, wanted


def test_a_mail_is_found_by_the_message_id_that_it_left_with(filled: Gateway) -> None:
    [delivery] = Delivery.objects.filter(message_id=message_id("third"))
    header = f"<{message_id('third')}.{delivery.id}@example.org>"
    assert keys(MessageFilter(author_id=header)) == ["third"]


def test_a_long_message_id_is_stored_and_found_as_a_whole(gateway: Gateway) -> None:
    long = [f"<{'😀' * 900}{end}@example.com>" for end in "ab"]
    for key, header in zip(("one", "two"), long, strict=True):
        gateway.take_one(replace(g.mail(key), reference=header))
    found = [list_messages(MessageFilter(author_id=header)) for header in long]
    assert [[row.id for row in rows] for rows in found] == [
        [message_id("one")],
        [message_id("two")],
    ]


def test_the_beginning_of_an_id_must_be_long_enough(filled: Gateway) -> None:
    with pytest.raises(InvalidInput, match="at least 6"):
        list_messages(MessageFilter(id="abc"))


def test_a_search_by_text_or_message_id_is_bounded_and_says_so(
    filled: Gateway,
) -> None:
    limits = SearchLimits(max_scanned=2)
    assert search_messages(MessageFilter(text="camaret")).searched_since is None
    bounded = search_messages(MessageFilter(text="camaret"), limits)
    assert bounded.rows == []
    assert bounded.searched_since == Message.objects.get(id=message_id("first")).created_at
    by_header = search_messages(MessageFilter(author_id=AUTHOR_ID), limits)
    assert (by_header.rows, by_header.searched_since) == ([], bounded.searched_since)
    narrow = search_messages(MessageFilter(text="camaret", user="boop"), limits)
    assert [row.id for row in narrow.rows] == [message_id("first")]
    assert narrow.searched_since is None


def test_each_word_may_be_in_another_field(filled: Gateway) -> None:
    fields = ("sender", "subject", "text")
    found = find_by_text(Message.objects.all(), ["FRIEND@", "camaret"], 10, fields)
    assert found.ids == (message_id("first"),)
    assert find_by_text(Message.objects.all(), ["mum@", "camaret"], 10, fields).ids == ()


def test_a_term_names_messages_only_as_an_id_or_a_message_id(filled: Gateway) -> None:
    assert find_by_key(message_id("first")[:8]).ids == (message_id("first"),)
    assert find_by_key(AUTHOR_ID).ids == (message_id("first"),)
    for term in ("", "abc", "decade", "camaret", "mum@example.com", "<mum@example.com>"):
        assert find_by_key(term).ids == ()


def test_a_message_is_still_found_by_fewer_digits(filled: Gateway) -> None:
    assert find_message(message_id("third")[:5]).id == message_id("third")
    with pytest.raises(InvalidInput, match="there is no message"):
        find_message("xyz%")


def test_ids_and_subscribers_are_found_by_an_index(filled: Gateway) -> None:
    everything = Message.objects.order_by()
    plans = []
    for condition in (has_id("abcdef"), of_subscriber("ann")):
        with store_errors(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("ANALYZE users_message")
                cursor.execute("SET enable_seqscan = off")
            plans.append(everything.filter(condition).explain())
    by_id, by_subscriber = plans
    if connection.vendor == "sqlite":
        assert "sqlite_autoindex_users_message_1 (id>? AND id<?)" in by_id
        assert "message_of_subscriber" in by_subscriber
    else:  # so few rows of a subscriber are read by any index
        assert "_like" in by_id
