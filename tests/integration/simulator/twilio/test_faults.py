"""The simulated Twilio when it fails as it was told to."""

import httpx
import pytest

from messaging.simulator.twilio.api import Answer
from tests.support.simulator.twilio.stage import Client


def test_a_burst_is_answered_with_429_and_a_wish(client: Client) -> None:
    # However long the four take, they come within a second.
    client.simulator.dice.now = lambda: 0.0
    assert client.http.put("/sim/faults", json={"requests_per_second": 2, "retry_after_seconds": 7})
    answers = [client.create() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 429, 429]
    assert answers[-1].headers["retry-after"] == "7"
    assert answers[-1].json()["code"] == 20429


@pytest.mark.parametrize(
    ("faults", "error", "taken"),
    [
        ({"refuse_rate": 1}, httpx.TransportError, 0),
        ({"hang_before_rate": 1}, httpx.ReadTimeout, 0),
        ({"hang_after_rate": 1}, httpx.ReadTimeout, 1),
    ],
)
def test_answers_are_lost_as_the_faults_say(
    client: Client, faults: dict[str, float], error: type[Exception], taken: int
) -> None:
    assert client.http.put("/sim/faults", json=faults).json()["hang_seconds"] == 60
    client.http.timeout = httpx.Timeout(1.5)
    with pytest.raises(error):
        client.create()
    assert len(client.simulator.outgoing_texts()) == taken


def test_errors_and_nonsense_come_in_twilios_shape(client: Client) -> None:
    client.http.put("/sim/faults", json={"error_rate": 1, "error_status": 502})
    answer = client.create()
    assert (answer.status_code, answer.json()["code"]) == (502, 20500)
    client.http.put("/sim/faults", json={"garbage_rate": 1})
    assert client.create().status_code == 200
    assert client.get("/sim/faults")["garbage_rate"] == 1
    assert len(client.simulator.outgoing_texts()) == 1


def test_the_next_answers_can_be_ordered(client: Client) -> None:
    orders = [{"code": 30007}, {"status": 500, "taken": True}]
    assert client.http.post("/sim/next", json=orders).status_code == 200
    assert client.create().json()["code"] == 30007
    assert client.create().status_code == 500
    assert client.create().status_code == 201
    assert client.get("/sim/counts") == {
        "send requests": 3,
        "refused": 2,
        "taken": 2,
        "webhook requests": 0,
    }


def test_problems_of_the_newer_form_can_be_ordered(client: Client) -> None:
    client.simulator.answer_next(Answer(code=21610, as_problem=True))
    assert {"type", "title", "status", "code"} <= set(client.create().json())
