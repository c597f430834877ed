"""The simulated Twilio's API, used as a client of the real one would: by plain HTTP."""

import pytest

from messaging.simulator.shared.segments import segments
from messaging.simulator.twilio.errors import TEXTS, is_found_out_later
from messaging.simulator.twilio.server import TwilioSimulator
from tests.support.simulator.twilio.stage import (
    BASE,
    OURS,
    PHONE,
    SID,
    TOKEN,
    Client,
    Form,
    Stage,
    client_of,
)


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
    assert [t.sid for t in client.simulator.outgoing_texts()] == [text["sid"]]


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
    assert client.simulator.outgoing_texts() == []


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
