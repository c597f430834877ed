"""The simulated Bandwidth, driven as a client of the real one would: by plain HTTP, and by a receiver of callbacks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messaging.simulator.bandwidth.api import Account, Answer
from messaging.simulator.bandwidth.errors import DESCRIPTIONS
from messaging.simulator.bandwidth.push import CallbackHabits
from messaging.simulator.bandwidth.server import BandwidthSimulator
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.serving import Serving
from tests.support.eventually import wait_until

ACCOUNT = Account(account_id="9900000", application_id="app-1", username="u", password="p")
OURS, PHONE = "+15550001111", "+15550002222"
PATH = "/api/v2/users/9900000/messages"
SEND = {"applicationId": "app-1", "from": OURS, "to": [PHONE], "text": "hello", "tag": "ours-1"}


@dataclass
class Receiver:
    """A gateway's webhook that asks for credentials, answers as it is told and keeps what it got."""

    answers: list[int] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    asks: bool = True

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        body = await request.body()
        if self.asks and "authorization" not in request.headers:
            return Response("", 401, {"WWW-Authenticate": 'Basic realm="here"'})
        self.bodies.append(json.loads(body))
        return Response("", self.answers.pop(0) if self.answers else 200)

    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body]


@pytest.fixture
def simulator() -> BandwidthSimulator:
    habits = CallbackHabits(username="cb", password="secret", max_tries=3, retry_seconds=0.05)
    return BandwidthSimulator(ACCOUNT, callbacks=habits)


@pytest.fixture
def api(simulator: BandwidthSimulator) -> Iterator[httpx.Client]:
    with (
        Serving(simulator.app) as server,
        httpx.Client(base_url=server.url, auth=("u", "p"), timeout=30, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def receiver(simulator: BandwidthSimulator) -> Iterator[Receiver]:
    receiver = Receiver()
    with Serving(receiver.app()) as server:
        simulator.callback_url = f"{server.url}/sms/bandwidth"
        yield receiver


def inbound(api: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = api.post("/sim/inbound", json={"from": PHONE, "to": OURS, "text": "hi", **changes})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_text_is_taken_with_202_and_its_segments(api: httpx.Client) -> None:
    answer = api.post(PATH, json={**SEND, "text": "⚓" * 71})
    assert answer.status_code == 202
    taken = answer.json()
    assert (taken["segmentCount"], taken["direction"], taken["tag"]) == (2, "out", "ours-1")
    (shown,) = api.get("/sim/messages").json()
    assert (shown["id"], shown["text"]) == (taken["id"], "⚓" * 71)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"applicationId": "another"}, "applicationId"),
        ({"from": "12345"}, "from"),
        ({"to": PHONE}, "to"),
        ({"to": []}, "to"),
        ({"to": ["nobody"]}, "to"),
        ({"text": ""}, "text"),
        ({"text": "x" * 2049}, "text.length"),
        ({"text": 7}, "text"),
        ({"tag": "x" * 1025}, "tag"),
    ],
)
def test_what_is_not_valid_is_named(api: httpx.Client, changes: dict[str, Any], field: str) -> None:
    answer = api.post(PATH, json={**SEND, **changes})
    assert answer.status_code == 400
    assert answer.json()["type"] == "request-validation"
    assert [error["fieldName"] for error in answer.json()["fieldErrors"]] == [field]


def test_strangers_other_accounts_and_other_types_are_refused(api: httpx.Client) -> None:
    assert api.post(PATH, json=SEND, auth=("u", "wrong")).status_code == 401
    assert api.post(PATH.replace("99", "11"), json=SEND).status_code == 403
    assert api.post(PATH, data={"a": "b"}).status_code == 415
    assert api.post(PATH, content="[", headers={"Content-Type": "application/json"}).is_error


def test_a_number_of_another_customer_is_refused() -> None:
    account = ACCOUNT.model_copy(update={"numbers": frozenset([OURS])})
    with Serving(BandwidthSimulator(account).app) as server:
        url, send = server.url + PATH, {**SEND, "from": "+15550009999"}
        answer = httpx.post(url, json=send, auth=("u", "p"), trust_env=False)
    assert answer.json()["fieldErrors"][0]["fieldName"] == "from"


def test_news_of_a_text_is_posted_with_the_credentials_that_were_asked_for(
    api: httpx.Client, receiver: Receiver
) -> None:
    taken = api.post(PATH, json=SEND).json()
    wait_until(lambda: len(receiver.bodies) == 1)
    (event,) = receiver.events()
    assert (event["type"], event["to"]) == ("message-delivered", PHONE)
    assert (event["message"]["id"], event["message"]["tag"]) == (taken["id"], "ours-1")
    assert event["message"]["text"] == ""
    assert "authorization" not in receiver.headers[0]
    assert receiver.headers[1]["authorization"].startswith("Basic ")
    assert receiver.headers[1]["user-agent"] == "BandwidthAPI/v2"


def test_every_code_can_be_provoked(api: httpx.Client, receiver: Receiver) -> None:
    for code in DESCRIPTIONS:
        receiver.bodies.clear()
        assert api.post(PATH, json={**SEND, "to": [f"+1500550{code}"]}).status_code == 202
        wait_until(lambda: len(receiver.bodies) == 1)
        (event,) = receiver.events()
        assert (event["type"], event["errorCode"]) == ("message-failed", code)
        assert event["description"] == DESCRIPTIONS[code]


def test_a_text_from_a_phone_comes_as_an_array(api: httpx.Client, receiver: Receiver) -> None:
    answer = inbound(api, media=["https://example.net/a.jpg"])
    assert answer["taken"]
    (event,) = receiver.events()
    assert (event["type"], event["to"]) == ("message-received", OURS)
    message = event["message"]
    assert (message["from"], message["to"], message["text"]) == (PHONE, [OURS], "hi")
    assert message["direction"] == "in"
    assert message["media"] == ["https://example.net/a.jpg"]


def test_a_text_to_a_group_is_one_event_for_each_number(
    api: httpx.Client, receiver: Receiver
) -> None:
    inbound(api, to=[OURS, "+15550001112"])
    assert [event["to"] for event in receiver.events()] == [OURS, "+15550001112"]
    assert len({event["message"]["id"] for event in receiver.events()}) == 1


def test_one_event_may_come_bare_and_with_credentials_at_once(receiver: Receiver) -> None:
    habits = CallbackHabits(username="cb", password="secret", bare=True, asks_first=False)
    with Serving(receiver.app()) as hook:
        simulator = BandwidthSimulator(ACCOUNT, callbacks=habits, callback_url=hook.url)
        with Serving(simulator.app) as server:
            body = {"from": PHONE, "to": OURS, "text": "hi"}
            answer = httpx.post(f"{server.url}/sim/inbound", json=body, trust_env=False)
    assert answer.json()["taken"]
    (event,) = receiver.bodies
    assert event["type"] == "message-received"
    assert len(receiver.headers) == 1


def test_what_is_not_taken_comes_again(api: httpx.Client, receiver: Receiver) -> None:
    receiver.answers = [503, 500]
    assert not inbound(api)["taken"]
    wait_until(lambda: len(receiver.bodies) == 3)
    assert len({event["message"]["id"] for event in receiver.events()}) == 1


def test_a_phone_that_said_stop_gets_nothing_until_it_says_start(
    api: httpx.Client, receiver: Receiver
) -> None:
    inbound(api, text="Stop")
    assert api.get("/sim/opt-outs").json() == [[PHONE, OURS]]
    api.post(PATH, json=SEND)
    wait_until(lambda: len(receiver.bodies) == 2)
    assert receiver.events()[1]["errorCode"] == 4775
    inbound(api, text="START")
    assert api.get("/sim/opt-outs").json() == []


def test_records_are_listed_without_text_and_filtered(api: httpx.Client) -> None:
    sent = [api.post(PATH, json={**SEND, "text": "x" * n}).json()["id"] for n in (1, 2, 3)]
    api.post(PATH, json={**SEND, "to": ["+15550003333"]})
    pair = {"sourceTn": OURS, "destinationTn": PHONE, "messageDirection": "OUTBOUND"}
    listed = api.get(PATH, params={**pair, "limit": "2"}).json()
    assert listed["totalCount"] == 3
    assert [row["messageId"] for row in listed["messages"]] == [sent[2], sent[1]]
    assert [row["messageLength"] for row in listed["messages"]] == [3, 2]
    assert "text" not in listed["messages"][0]
    token = listed["pageInfo"]["nextPageToken"]
    rest = api.get(PATH, params={**pair, "limit": "2", "pageToken": token}).json()
    assert [row["messageId"] for row in rest["messages"]] == [sent[0]]
    assert (
        api.get(PATH, params={"fromDateTime": "2999-01-01T00:00:00.000Z"}).json()["messages"] == []
    )
    assert api.get(PATH, params={"fromDateTime": "yesterday"}).status_code == 400


def test_planned_answers_rates_and_faults_have_bandwidths_words(
    api: httpx.Client, simulator: BandwidthSimulator
) -> None:
    simulator.answer_next(Answer(status=500, taken=True), Answer(status=400, field="to"))
    assert [api.post(PATH, json=SEND).status_code for _ in range(3)] == [500, 400, 202]
    assert len(simulator.outgoing_texts()) == 2
    simulator.faults = Faults(requests_per_second=0.001, retry_after_seconds=9)
    api.post(PATH, json=SEND)
    limited = api.post(PATH, json=SEND)
    assert limited.json()["type"] == "max-message-queue-size-exceeded"
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "9")


def test_news_may_come_twice(
    api: httpx.Client, simulator: BandwidthSimulator, receiver: Receiver
) -> None:
    simulator.faults = Faults(duplicate_rate=1)
    api.post(PATH, json=SEND)
    wait_until(lambda: len(receiver.bodies) == 2)
    assert receiver.bodies[0] == receiver.bodies[1]
