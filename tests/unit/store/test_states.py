"""Whole lives of messages: whatever the networks do, each ends in a state that can be looked up."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.errors import GatewayError, Rejected, Unavailable, Uncertain
from messaging.model import message as values
from messaging.store.models import Delivery, Message
from messaging.store.states import State
from tests.support.examples import examples
from tests.support.store import records as g
from tests.support.store.records import Gateway

FINAL = {State.SENT, State.FAILED, State.EXPIRED}


@pytest.mark.parametrize("seed", range(2))
def test_every_message_ends_and_none_is_sent_after_its_end(gateway: Gateway, seed: int) -> None:
    dice = random.Random(seed)
    sent: list[int] = []
    offered = [g.mail(f"{n}") for n in range(5)]
    hands = [d for result in gateway.router.process(offered) for d in _taken(result)]
    for _ in range(80):
        for delivery in hands:
            assert delivery.id not in sent
            _attempt(gateway, delivery, dice, sent)
        gateway.clock.turn(dice.choice([121, 3600, 4 * 3600, 8 * 3600]))
        assert gateway.router.process(offered) == [[]] * 5
        hands = gateway.owed()
    states = list(Delivery.objects.values_list("state", flat=True))
    assert len(states) == 5
    assert set(states) <= FINAL
    assert states.count(State.SENT) == len(sent)
    assert not Delivery.objects.exclude(state=State.SENT).filter(reason="").exists()


def _attempt(
    gateway: Gateway, delivery: values.Delivery, dice: random.Random, sent: list[int]
) -> None:
    match dice.randrange(40):
        case 0:
            gateway.settle(delivery, Rejected("never"))
        case 1:
            gateway.settle(delivery)
            sent.append(delivery.id)
        case n if n < 15:
            gateway.settle(delivery, Unavailable("later"))
        case n if n < 25:
            gateway.settle(delivery, Uncertain("nobody knows"))
        case n if n < 30:
            gateway.router.take_back([delivery])
        case _:
            pass  # the sender died with it


def _taken(result: object) -> list[values.Delivery]:
    assert isinstance(result, list)
    return result


ERRORS = st.sampled_from([None, Unavailable("later"), Uncertain("?"), Rejected("never"), "lost"])


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(ERRORS, max_size=8))
def test_the_history_of_one_delivery_adds_up(
    sqlite_gateway: Gateway, story: list[GatewayError | str | None]
) -> None:
    gateway = sqlite_gateway
    Message.objects.all().delete()
    hands = [gateway.take_one()]
    lost = unknown = attempts = 0
    for error in story:
        if not hands:
            break
        [delivery] = hands
        attempts += 1
        assert delivery.attempt == attempts
        assert delivery.uncertain == (lost + unknown > 0)
        if isinstance(error, str):
            lost += 1
        else:
            gateway.settle(delivery, error)
            unknown += isinstance(error, Uncertain)
        gateway.clock.turn(3721)
        hands = gateway.owed()
    row = Delivery.objects.get()
    assert row.uncertain == lost + unknown
    assert row.attempts == attempts + len(hands)
