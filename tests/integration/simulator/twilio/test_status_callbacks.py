"""The simulated Twilio tells what became of a text."""

import pytest

from messaging.simulator.shared.faults import Faults
from messaging.simulator.twilio.push import signature
from tests.support.eventually import wait_until
from tests.support.simulator.twilio.stage import PHONE, TOKEN, Client, Receiver


@pytest.mark.parametrize(
    ("to", "faults", "statuses"),
    [
        (PHONE, Faults(), ["sent", "delivered"]),
        ("+15005530003", Faults(), ["sent", "undelivered"]),
        (PHONE, Faults(duplicate_rate=1), ["sent", "sent", "delivered", "delivered"]),
    ],
    ids=["delivered", "undelivered", "duplicate"],
)
def test_status_callbacks_follow(
    client: Client, receiver: Receiver, hook: str, to: str, faults: Faults, statuses: list[str]
) -> None:
    client.simulator.faults = faults
    assert client.create(To=to, StatusCallback=hook).status_code == 201
    wait_for(receiver, len(statuses))
    assert [form["MessageStatus"] for form in receiver.forms] == statuses
    assert receiver.forms[-1].get("ErrorCode") == ("30003" if to != PHONE else None)
    expected = signature(TOKEN, hook, list(receiver.forms[0].items()))
    assert receiver.headers[0]["x-twilio-signature"] == expected


def wait_for(receiver: Receiver, forms: int) -> None:
    wait_until(lambda: len(receiver.forms) >= forms)


def test_status_callbacks_may_overtake_each_other(
    client: Client, receiver: Receiver, hook: str
) -> None:
    client.simulator.faults = Faults(reorder=True)
    orders = set()
    for number in range(1, 11):
        client.create(StatusCallback=hook)
        wait_for(receiver, 2 * number)
        orders.add(tuple(form["MessageStatus"] for form in receiver.forms[-2:]))
    assert orders == {("sent", "delivered"), ("delivered", "sent")}
    assert client.get("/sim/messages")[0]["status"] == "delivered"
