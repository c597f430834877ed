import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.model.message import (
    Address,
    AuthorLevel,
    Authorship,
    Delivery,
    Message,
    Network,
    Outcome,
    Receipt,
    ReceiptState,
    RecipientCheck,
    Result,
    SubmittedPart,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AUTHOR = Address(Network.EMAIL, "a@friend.example")
DEVICE = Address(Network.SATELLITE, "1001")
MESSAGE = Message(
    id="1",
    sender=AUTHOR,
    recipient=DEVICE,
    text="hello",
    via="hive",
    authorship=Authorship(AuthorLevel.LIKELY, "a reason", True, "X-Spam", True),
    client_network="192.0.2.0/24",
)
VALUES: list[Any] = [
    AUTHOR,
    MESSAGE,
    MESSAGE.authorship,
    RecipientCheck(recipient=DEVICE, is_report=True),
    Delivery(id=5, message=MESSAGE, attempt=2, lease_until=NOW, codec="text", is_urgent=True),
    Outcome(
        delivery_id=5,
        message_id="1",
        attempt=2,
        result=Result.SENT,
        submitted=(SubmittedPart("x", 3),),
        retry_after_seconds=1.5,
    ),
    SubmittedPart("x", 3),
    Receipt(via="hive", network_id="x", state=ReceiptState.FAILED, at=NOW, billed_units=0),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_values_are_the_same_in_another_process(value: Any, protocol: int) -> None:
    arrived = pickle.loads(pickle.dumps(value, protocol))

    assert arrived == value
    assert type(arrived) is type(value)
    assert hash(arrived) == hash(value)
    assert [type(getattr(arrived, one.name)) for one in fields(value)] == [
        type(getattr(value, one.name)) for one in fields(value)
    ]
    assert copy.copy(value) == value


@pytest.mark.parametrize("value", VALUES, ids=lambda one: type(one).__name__)
def test_values_that_arrive_stay_frozen(value: Any) -> None:
    arrived = pickle.loads(pickle.dumps(value))

    with pytest.raises(FrozenInstanceError):
        setattr(arrived, fields(value)[0].name, "other")


@pytest.mark.parametrize("value", VALUES, ids=lambda one: type(one).__name__)
def test_the_state_has_the_fields_in_their_order(value: Any) -> None:
    """So a process of an older version reads it, and the other way round."""
    state = value.__getstate__()
    other = object.__new__(type(value))
    other.__setstate__(list(state))

    assert list(state) == [getattr(value, one.name) for one in fields(value)]
    assert other == value


def test_a_changed_copy_of_a_value_that_arrived_differs() -> None:
    arrived = pickle.loads(pickle.dumps(MESSAGE))

    assert replace(arrived, text="other").text == "other"
    assert arrived.level is AuthorLevel.LIKELY
