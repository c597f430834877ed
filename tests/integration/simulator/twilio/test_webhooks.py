"""How the simulated Twilio brings a text to a webhook, and when it comes back."""

import time

import pytest

from messaging.simulator.shared.faults import Faults
from messaging.simulator.twilio.push import Rules, signature
from tests.support.closed_port import closed_port
from tests.support.simulator.twilio.stage import OURS, PHONE, TOKEN, Client, Receiver


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


def test_an_inbound_text_without_a_webhook_is_a_clear_error(client: Client) -> None:
    answer = client.http.post("/sim/inbound", json={"from": PHONE, "to": OURS})
    assert answer.status_code == 409


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
