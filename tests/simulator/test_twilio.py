"""The simulated Twilio, driven as a client of the real one would: by plain HTTP, and by a receiver of webhooks."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from messaging.simulator.faults import Faults
from messaging.simulator.segments import segments
from messaging.simulator.serving import Serving
from messaging.simulator.twilio import InboundText, TwilioSimulator
from messaging.simulator.twilio_api import Answer
from messaging.simulator.twilio_codes import TEXTS, is_found_out_later
from messaging.simulator.twilio_webhooks import Rules, signature
from tests.closed_port import closed_port
from tests.eventually import wait_until

SID, TOKEN = "AC" + "2" * 32, "a-token"
OURS, PHONE = "+15550001111", "+15550002222"
BASE = f"/2010-04-01/Accounts/{SID}"
Form = dict[str, str]


@dataclass
class Receiver:
    """A gateway's webhook that answers as it is told and keeps what it got."""

    answers: list[int] = field(default_factory=list)
    delay_seconds: float = 0
    forms: list[Form] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.receive, methods=["GET", "POST"])])

    async def receive(self, request: Request) -> Response:
        self.methods.append(request.method)
        self.headers.append(dict(request.headers))
        body = (await request.body()).decode()
        self.forms.append(dict(parse_qsl(body, keep_blank_values=True)))
        await asyncio.sleep(self.delay_seconds)
        status = self.answers.pop(0) if self.answers else 200
        if status == 302:
            return RedirectResponse("/elsewhere", 302)
        if status == 299:
            return JSONResponse("")
        return Response("<Response/>" if status == 200 else "", status, media_type="text/xml")


@dataclass
class Client:
    """Plain HTTP to the simulator, with the account's credentials."""

    http: httpx.Client
    simulator: TwilioSimulator

    def create(self, **changes: str) -> httpx.Response:
        form = {"From": OURS, "To": PHONE, "Body": "hello", **changes}
        return self.http.post(f"{BASE}/Messages.json", data={k: v for k, v in form.items() if v})

    def get(self, path: str, **params: str) -> Any:
        return self.http.get(path, params=params or None).json()

    def inbound(self, url: str, **changes: Any) -> dict[str, Any]:
        body = {"from": PHONE, "to": OURS, "body": "hello", "webhook_url": url, **changes}
        answer = self.http.post("/sim/inbound", json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


class Stage:
    """One server for all tests of this file; what stands behind it changes."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def api() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with Serving(stage) as served:
        yield stage, served.url


@pytest.fixture(scope="module")
def web() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with Serving(stage) as served:
        yield stage, served.url


def client_of(stage: Stage, url: str, simulator: TwilioSimulator) -> Client:
    stage.app = simulator.app
    return Client(
        httpx.Client(base_url=url, auth=(SID, TOKEN), timeout=30, trust_env=False), simulator
    )


@pytest.fixture
def client(api: tuple[Stage, str]) -> Iterator[Client]:
    client = client_of(*api, TwilioSimulator(SID, TOKEN))
    with client.http:
        yield client


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hook(web: tuple[Stage, str], receiver: Receiver) -> str:
    stage, url = web
    stage.app = receiver.app()
    return f"{url}/sms/twilio?a=1"


def test_a_text_is_created_shown_and_delivered(client: Client) -> None:
    created = client.create(Body="grüße")
    assert created.status_code == 201
    text = created.json()
    assert text["sid"].startswith("SM")
    assert len(text["sid"]) == 34
    assert (text["status"], text["direction"], text["date_sent"]) == (
        "queued",
        "outbound-api",
        None,
    )
    assert (text["from"], text["to"], text["body"]) == (OURS, PHONE, "grüße")
    assert (text["num_segments"], text["num_media"], text["error_code"]) == ("1", "0", None)
    later = client.get(f"{BASE}/Messages/{text['sid']}.json")
    assert later["status"] == "delivered"
    assert later["date_sent"]
    assert [t.sid for t in client.simulator.sent()] == [text["sid"]]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ç" * 70, 1),
        ("👋" * 36, 2),
        ("", 1),
    ],
)
def test_segments_are_counted_in_the_alphabet_of_the_text(body: str, count: int) -> None:
    assert segments(body) == count


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21619),
        ({"Body": "x" * 1601}, 21617),
        ({"To": "5550002222"}, 21211),
        ({"From": "nobody"}, 21212),
        ({"To": OURS}, 21266),
        ({"From": "+15005550001"}, 21212),
        ({"From": "+15005550007"}, 21606),
        ({"From": "+15005550008"}, 21611),
        ({"To": "+15005550001"}, 21211),
        ({"To": "+15005550002"}, 21612),
        ({"To": "+15005550003"}, 21408),
        ({"To": "+15005550004"}, 21610),
        ({"To": "+15005550009"}, 21614),
    ],
)
def test_a_wrong_request_is_refused_as_twilio_does(
    client: Client, changes: Form, code: int
) -> None:
    answer = client.create(**changes)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "more_info", "status"}
    assert (answer.json()["code"], answer.json()["status"]) == (code, 400)
    assert client.simulator.sent() == []


def test_every_code_has_a_number_that_provokes_it(client: Client) -> None:
    for code in TEXTS:
        answer = client.create(To=f"+150055{code}").json()
        if is_found_out_later(code):
            answer = client.get(f"{BASE}/Messages/{answer['sid']}.json")
            assert (answer["status"], answer["error_code"]) == ("undelivered", code)
        else:
            assert answer["code"] == code


def test_only_owned_numbers_may_send(api: tuple[Stage, str]) -> None:
    client = client_of(*api, TwilioSimulator(SID, TOKEN, numbers=[OURS]))
    with client.http:
        assert client.create().status_code == 201
        assert client.create(From="+15550009999").json()["code"] == 21606


@pytest.mark.parametrize(
    ("path", "auth", "status"),
    [
        (f"{BASE}/Messages.json", (SID, "wrong"), 401),
        (f"{BASE}.json", ("AC0", TOKEN), 401),
        (f"{BASE}/Messages/SM0.json", ("", ""), 401),
        ("/2010-04-01/Accounts/AC0.json", (SID, TOKEN), 404),
        (f"{BASE}/Messages/SM0.json", (SID, TOKEN), 404),
        (f"{BASE}/Messages.json?DateSent=tomorrow", (SID, TOKEN), 400),
        (f"{BASE}.json", (SID, TOKEN), 200),
    ],
)
def test_credentials_and_paths_are_checked(
    client: Client, path: str, auth: tuple[str, str], status: int
) -> None:
    assert client.http.get(path, auth=auth).status_code == status


def test_the_list_is_filtered_and_paged_newest_first(client: Client) -> None:
    for number in range(5):
        client.create(Body=str(number))
    client.create(To="+15550003333")
    url, bodies = f"{BASE}/Messages.json?PageSize=2&To=%2B15550002222", []
    while url:
        page = client.get(url)
        bodies += [text["body"] for text in page["messages"]]
        url = page["next_page_uri"]
    assert bodies == ["4", "3", "2", "1", "0"]
    assert client.get(f"{BASE}/Messages.json", From="+15550009999")["messages"] == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("DateSent>", "2001-01-01", 1),
        ("DateSent>", "2999-01-01T00:00:00Z", 0),
        ("DateSent<", "2999-01-01", 1),
        ("DateSent", "2001-01-01", 0),
    ],
)
def test_the_list_is_filtered_by_the_day_of_sending(
    client: Client, name: str, value: str, found: int
) -> None:
    client.create()
    assert len(client.get(f"{BASE}/Messages.json", **{name: value})["messages"]) == found


def test_a_webhook_is_signed_and_has_empty_and_unknown_fields(
    client: Client, receiver: Receiver, hook: str
) -> None:
    result = client.inbound(
        f"{hook}#rc=3", body="grüße 👋", media=["image/png"], extra={"Neu": " x "}
    )
    assert result["taken"]
    (form,) = receiver.forms
    assert (form["From"], form["To"], form["Body"]) == (PHONE, OURS, "grüße 👋")
    assert (form["FromCity"], form["Neu"]) == ("", " x ")
    assert (form["NumMedia"], form["MediaContentType0"]) == ("1", "image/png")
    assert form["MessageSid"] == form["SmsSid"] == form["SmsMessageSid"]
    assert form["MessageSid"].startswith("MM")
    expected = signature(TOKEN, hook, list(form.items()))
    assert receiver.headers[0]["x-twilio-signature"] == expected
    assert receiver.headers[0]["i-twilio-idempotency-token"]


def test_the_signature_of_a_webhook_can_be_wrong_or_missing(
    client: Client, receiver: Receiver, hook: str
) -> None:
    client.inbound(hook, headers={"X-Twilio-Signature": "wrong"})
    client.inbound(hook, headers={"X-Twilio-Signature": ""})
    assert receiver.headers[0]["x-twilio-signature"] == "wrong"
    assert "x-twilio-signature" not in receiver.headers[1]


@pytest.mark.parametrize(
    ("fragment", "answers", "tries", "taken"),
    [
        ("", [503, 200], 1, False),
        ("#rc=3&rp=all", [503, 404, 200], 3, True),
        ("#rc=2&rp=5xx", [503, 503, 503, 200], 3, False),
        ("#rc=2&rp=5xx", [404, 200], 1, False),
        ("#rc=2&rp=4xx,5xx", [404, 503, 200], 3, True),
        ("#rc=99&rp=all", [500] * 9, 6, False),
        ("#rc=0&rp=all", [500, 200], 1, False),
    ],
)
def test_twilio_comes_back_only_as_the_fragment_says(
    client: Client,
    receiver: Receiver,
    hook: str,
    fragment: str,
    answers: list[int],
    tries: int,
    taken: bool,
) -> None:
    receiver.answers = answers
    result = client.inbound(hook + fragment)
    assert (len(result["tries"]), result["taken"]) == (tries, taken)
    assert len({headers["i-twilio-idempotency-token"] for headers in receiver.headers}) == 1
    assert len({form["MessageSid"] for form in receiver.forms}) == 1


def test_a_refused_connection_is_tried_once_more_then_the_fallback(
    client: Client, receiver: Receiver, hook: str
) -> None:
    client.simulator.fallback_url = hook
    with closed_port() as url:
        result = client.inbound(url)
    assert [one["failure"] for one in result["tries"]] == ["ct", "ct", ""]
    assert len(receiver.forms) == 1


def test_a_slow_answer_is_given_up_and_tried_again_when_asked_for(
    client: Client, receiver: Receiver, hook: str
) -> None:
    receiver.delay_seconds = 2
    result = client.inbound(f"{hook}#rt=100&rc=1&rp=rt")
    assert [one["failure"] for one in result["tries"]] == ["rt", "rt"]


def test_all_tries_share_the_total_time(client: Client, receiver: Receiver, hook: str) -> None:
    receiver.delay_seconds = 2
    begun = time.monotonic()
    result = client.inbound(f"{hook}#rt=200&tt=300&rc=5&rp=all")
    # Five retries would take over a second; a busy machine may leave no time for the second try.
    assert 1 <= len(result["tries"]) <= 2
    assert time.monotonic() - begun < 10


def test_a_redirect_loses_the_form(client: Client, receiver: Receiver, hook: str) -> None:
    receiver.answers = [302]
    client.inbound(hook)
    assert receiver.methods == ["POST", "GET"]
    assert receiver.forms[1] == {}


def test_a_json_reply_is_pointed_out(client: Client, receiver: Receiver, hook: str) -> None:
    receiver.answers = [299]
    assert client.inbound(hook)["tries"][0]["warning"].startswith("12300")
    assert client.inbound(hook)["tries"][0]["warning"] == ""


def test_a_text_can_be_handed_over_twice(client: Client, receiver: Receiver, hook: str) -> None:
    client.simulator.faults = Faults(duplicate_rate=1)
    client.inbound(hook)
    client.inbound(hook, sid=receiver.forms[0]["MessageSid"])
    assert len(receiver.forms) == 4
    assert len({form["MessageSid"] for form in receiver.forms}) == 1


def test_stop_blocks_this_pair_until_start(client: Client, receiver: Receiver, hook: str) -> None:
    client.inbound(hook, body=" stop ")
    assert client.create().json()["code"] == 21610
    assert client.create(To="+15550003333").status_code == 201
    assert client.get("/sim/opt-outs") == [[PHONE, OURS]]
    client.inbound(hook, body="START")
    assert client.create().status_code == 201
    assert [form.get("OptOutType") for form in receiver.forms] == [None, None]


@pytest.mark.parametrize(
    ("body", "kind"), [("stop", "STOP"), ("yes", "START"), ("help", "HELP"), ("hello", None)]
)
def test_advanced_opt_out_says_what_it_is(
    receiver: Receiver, hook: str, body: str, kind: str | None
) -> None:
    simulator = TwilioSimulator(SID, TOKEN, webhook_url=hook, advanced_opt_out=True)
    asyncio.run(
        simulator.receive(InboundText.model_validate({"from": PHONE, "to": OURS, "body": body}))
    )
    assert receiver.forms[0].get("OptOutType") == kind


def test_an_inbound_text_without_a_webhook_is_a_clear_error(client: Client) -> None:
    answer = client.http.post("/sim/inbound", json={"from": PHONE, "to": OURS})
    assert answer.status_code == 409


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
    assert len(client.simulator.sent()) == taken


def test_errors_and_nonsense_come_in_twilios_shape(client: Client) -> None:
    client.http.put("/sim/faults", json={"error_rate": 1, "error_status": 502})
    answer = client.create()
    assert (answer.status_code, answer.json()["code"]) == (502, 20500)
    client.http.put("/sim/faults", json={"garbage_rate": 1})
    assert client.create().status_code == 200
    assert client.get("/sim/faults")["garbage_rate"] == 1
    assert len(client.simulator.sent()) == 1


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


def test_whoever_watches_is_told_of_each_text_and_can_clear_them(api: tuple[Stage, str]) -> None:
    seen: list[str] = []
    simulator = TwilioSimulator(SID, TOKEN, on_sent=lambda text: seen.append(text.body))
    client = client_of(*api, simulator)
    with client.http:
        client.create(Body="watched")
        assert [text["body"] for text in client.get("/sim/messages")] == ["watched"]
        assert client.http.delete("/sim/messages").status_code == 200
        assert client.get("/sim/messages") == []
    assert seen == ["watched"]


@pytest.mark.parametrize(
    ("fragment", "rules"),
    [
        ("", Rules()),
        ("rc=3&rp=all", Rules(retries=3, when=frozenset(("4xx", "5xx", "ct", "rt")))),
        ("ct=1&rt=99999&tt=abc&rc=-1&rp=nonsense", Rules(0.1, 15, 15, 1, frozenset())),
        ("e=dublin&sni=n", Rules()),
    ],
)
def test_connection_overrides_are_read(fragment: str, rules: Rules) -> None:
    assert Rules.of(fragment) == rules


def test_a_repeated_field_is_signed_with_its_distinct_values_in_order() -> None:
    fields = [("a", "2"), ("a", "1"), ("a", "1"), ("b", "")]
    assert signature("12345", "https://x/", fields) == "DksWf3RSCHztMW1J7bTjWYxRfos="
