"""A change of state that the table does not list is refused by every writer of deliveries."""

from dataclasses import replace

import pytest
from django.db import transaction

from messaging.model.message import Outcome
from messaging.store.db.connection import store_errors
from messaging.store.models import Delivery
from messaging.store.queue import queries
from messaging.store.queue.delivery_state import COLUMNS, NEW_COLUMNS, UPDATED_COLUMNS
from messaging.store.states import (
    DEAD,
    TRANSITIONS,
    TRANSITIONS_BY_HAND,
    IllegalTransition,
    State,
    check,
)
from tests.support.store.records import Gateway

PAIRS = [(before, after) for before in State for after in State]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_change_is_allowed_exactly_if_the_table_lists_it(before: State, after: State) -> None:
    for by_hand, listed in ((False, TRANSITIONS), (True, TRANSITIONS_BY_HAND)):
        if (before, after) in listed:
            check(before, after, by_hand=by_hand)
        else:
            with pytest.raises(IllegalTransition, match=f"from {before} to {after}"):
                check(before, after, by_hand=by_hand)


@pytest.mark.parametrize("before", [State.DELIVERED, *DEAD])
def test_a_final_delivery_is_not_written_as_sent(gateway: Gateway, before: State) -> None:
    gateway.take_one()
    Delivery.objects.update(state=before, due_at=None, reason="it was so")
    with store_errors(), transaction.atomic():
        [row] = queries.read([Delivery.objects.get().id])
        with pytest.raises(IllegalTransition):
            queries.update([(row, row), (row, replace(row, state=State.SENT, reason=""))])
    assert (Delivery.objects.get().state, Delivery.objects.get().reason) == (before, "it was so")


def test_no_row_is_written_by_a_statement_for_many_that_is_not_allowed(gateway: Gateway) -> None:
    gateway.settle(gateway.take_one())
    with store_errors(), pytest.raises(IllegalTransition):
        queries.update_all(
            Delivery.objects.all(), [State.WAITING, State.SENT], State.CANCELLED, by_hand=True
        )
    assert Delivery.objects.get().state == State.SENT


def test_a_row_that_changed_since_it_was_read_is_left_alone(gateway: Gateway) -> None:
    gateway.take_one()
    with store_errors(), transaction.atomic():
        [row] = queries.read([Delivery.objects.get().id])
        Delivery.objects.update(attempts=2)
        queries.update([(row, replace(row, state=State.SENT, due_at=None))])
    assert Delivery.objects.get().state == State.WAITING


def test_the_columns_are_those_of_the_table(gateway: Gateway) -> None:
    assert set(COLUMNS) == {field.attname for field in Delivery._meta.concrete_fields}
    assert set(NEW_COLUMNS) | set(UPDATED_COLUMNS) < set(COLUMNS)


def test_a_row_is_read_alike_by_constant_sql_and_by_the_orm(gateway: Gateway) -> None:
    delivery = gateway.take_one()
    assert gateway.ledger.process([Outcome.sent(delivery)]) == [[]]
    with store_errors(), transaction.atomic():
        [row] = queries.read([delivery.id])
        assert queries.read_rows(Delivery.objects.all()) == [row]
    stored = Delivery.objects.get()
    assert {name: getattr(row, name) for name in COLUMNS} == {
        name: getattr(stored, name) for name in COLUMNS
    }
    assert (row.created_at.tzinfo, type(row.leased)) == (stored.created_at.tzinfo, bool)
