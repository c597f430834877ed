"""What a declared graph says of itself, and what it refuses."""

import pytest

from messaging.streaming import DeclarationError, StreamingContext
from tests.support.streaming.doubling_operators import Doubler, Sender


def test_what_makes_no_sense_is_said_at_declaration() -> None:
    context = StreamingContext()
    numbers = context.inlet("in")
    with pytest.raises(DeclarationError, match="'in' already"):
        context.inlet("in")
    with pytest.raises(DeclarationError, match="parallelism 0"):
        numbers.set_parallelism(0)
    with pytest.raises(DeclarationError, match="union of stream 'in'"):
        numbers.union()


def test_an_instance_is_told_nothing_of_other_operators() -> None:
    context = StreamingContext()
    doubled = context.inlet("in").operate("double", Doubler, durable=True)
    doubled.call("triple", lambda records: records).operate("ledger", Sender)
    view = context.graph().view_for("double")
    assert {stage.name for stage in view.stages} == {"double", "triple", "ledger"}
    assert view.stage("double").make is not None
    assert view.stage("triple").make is not None
    assert view.stage("ledger").make is None


def test_a_graph_is_printed_with_its_edges() -> None:
    context = StreamingContext()
    numbers = context.inlet("in").filter(lambda n: n > 0, label="positive")
    numbers.key_by(str).operate("double", Doubler, parallelism=2, durable=True)
    printed = str(context.graph())
    assert "double  (operator, x2, durable)" in printed
    assert "└─► double  [by key; positive; request]" in printed
