"""A prepared query answers as the ORM does, and is composed once for each number of values."""

from collections.abc import Collection, Sequence
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Q, QuerySet, Value
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from messaging.config.settings import Settings
from messaging.store.db.connection import store_errors
from messaging.store.db.prepared import MAX_PADDED, Prepared, Row
from messaging.store.models import Device, OptOut, Subscriber
from tests.support.store.records import Clock

ODD = ("it's", "100%", "%s", "%(x)s", "?", "a\\b", 'say "x"', "süß 🛰", "a, b", "", "x' OR 1=1 --")
NAMES = ("ann", "bob", "cem", "dora")
NUMBERS = ("+15550000001", "+15550000002", "+15550000003")

on_one_store = hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def people(settings: Settings) -> None:
    """Four subscribers, of whom one is barred and one has no number; two of them have devices."""
    ann, bob, *_ = (
        Subscriber.objects.create(name=name, number=number, is_active=name != "bob")
        for name, number in zip(NAMES, (*NUMBERS, None), strict=True)
    )
    for serial, owner in (("1", ann), ("2", ann), ("3", bob)):
        Device.objects.create(network="hive", serial=serial, owner=owner, is_active=serial != "2")


@pytest.fixture
def peers(settings: Settings, clock: Clock) -> None:
    """An opt-out for each of the odd texts."""
    OptOut.objects.bulk_create(OptOut(peer=text, number="+1", since=clock()) for text in ODD)


def by_name_or_number(
    names: Collection[str], numbers: Collection[str]
) -> "QuerySet[Subscriber, Row]":
    rows = Subscriber.objects.filter(Q(name__in=names) | Q(number__in=numbers))
    return rows.order_by("id", "devices__id").values_list(
        "name", "is_active", "created_at", "devices__serial", "devices__is_active"
    )


def by_peer(peers: Collection[str]) -> "QuerySet[OptOut, Row]":
    return OptOut.objects.filter(peer__in=peers).values_list("peer")


@on_one_store
@given(names=st.sets(st.sampled_from((*NAMES, *ODD))), numbers=st.sets(st.sampled_from(NUMBERS)))
def test_a_join_gives_what_the_orm_gives(people: None, names: set[str], numbers: set[str]) -> None:
    found = Prepared(by_name_or_number)(names, numbers)
    expected = list(by_name_or_number(names, numbers))
    assert found == expected
    # True is 1, and SQLite knows only the latter.
    assert [[type(one) for one in row] for row in found] == [
        [type(one) for one in row] for row in expected
    ]


@on_one_store
@given(asked=st.sets(st.sampled_from((*ODD, *NAMES, "%", "'"))))
def test_texts_are_found_letter_by_letter(peers: None, asked: set[str]) -> None:
    assert {row[0] for row in Prepared(by_peer)(asked)} == asked & set(ODD)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 9, MAX_PADDED - 1, MAX_PADDED, MAX_PADDED + 476])
def test_any_number_of_values_is_asked_for(peers: None, size: int) -> None:
    asked = [*(f"nobody {number}" for number in range(size - 1)), ODD[-1]]
    assert Prepared(by_peer)(asked) == [(ODD[-1],)]


def test_nobody_is_asked_about_nothing(people: None) -> None:
    statements: list[str] = []

    def noted(execute: Any, sql: str, *more: Any) -> Any:
        statements.append(sql)
        return execute(sql, *more)

    with store_errors(), connection.execute_wrapper(noted):
        assert Prepared(by_name_or_number)([], ()) == []
        assert statements == []
        assert len(Prepared(by_name_or_number)([], NUMBERS[2:])) == 1
    assert len(statements) == 1


@pytest.mark.parametrize("size", [1, 3, 4])
def test_constants_before_between_and_after_keep_their_places(people: None, size: int) -> None:
    def active(names: Sequence[str], numbers: Sequence[str]) -> "QuerySet[Subscriber, Row]":
        found = Subscriber.objects.filter(name__in=names, is_active=True, number__in=numbers)
        found = found.exclude(number="%s").annotate(said=Value("it's 100%"), sign=Value("+1"))
        return found.order_by("id").values_list("name", "said", "number", "sign", "is_active")

    names, numbers = NAMES[:size], NUMBERS[::-1][:size]
    found = Prepared(active)(names, numbers)
    assert found == list(active(names, numbers))
    assert {row[0] for row in found} == ({"ann", "cem"} if size > 1 else set())


def test_a_value_that_fills_up_counts_once(people: None) -> None:
    def devices(owners: Collection[int]) -> "QuerySet[Device, Row]":
        rows = Device.objects.filter(owner__id__in=owners).order_by().values_list("owner_id")
        return rows.annotate(owned=Count("id"))

    ann, bob, cem, _ = Subscriber.objects.order_by("id").values_list("id", flat=True)
    assert set(Prepared(devices)([ann, bob, cem])) == {(ann, 2), (bob, 1)}


def test_a_query_is_composed_once_for_each_power_of_two(peers: None) -> None:
    composed: list[int] = []

    def noted(asked: Collection[str]) -> "QuerySet[OptOut, Row]":
        composed.append(len(asked))
        return by_peer(asked)

    prepared = Prepared(noted)
    for size in (1, 2, 3, 4, 1, 2, 3, 4, 9, 16):
        assert prepared(ODD[:1] * size) == [ODD[:1]]
    assert composed == [1, 2, 4, 16]


def test_a_query_that_loses_a_value_is_refused(peers: None) -> None:
    prepared = Prepared(lambda asked: by_peer(asked[:-1]))
    with pytest.raises(TypeError, match="1 of 2 values"):
        prepared(ODD[:2])


def test_a_query_that_wants_the_value_itself_is_refused(people: None) -> None:
    prepared = Prepared(lambda ids: Device.objects.filter(owner_id__in=ids).values_list("id"))
    with pytest.raises(TypeError, match="expected a number"):
        prepared([1])
