"""The simulated SPOT feeds, driven as strangers would: by plain HTTP, and by their commands."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from messaging.simulator.shared.faults import Faults
from messaging.simulator.spot.server import PAGE_SIZE, SpotFeed, SpotSimulator
from tests.support.acceptance.running_gateway import Process
from tests.support.satellite.spot_server import FEED, OTHER_FEED, PASSWORD, SpotServer, spot_at


@pytest.fixture
def spot() -> Iterator[SpotServer]:
    feeds = [SpotFeed(FEED), SpotFeed(OTHER_FEED, PASSWORD)]
    with spot_at(SpotSimulator(feeds, least_seconds=0, between_seconds=0)) as server:
        yield server


def messages(answer: httpx.Response) -> Any:
    return answer.json()["response"]["feedMessageResponse"]["messages"]["message"]


def code(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return str(answer.json()["response"]["errors"]["error"]["code"])


def test_one_message_alone_is_no_list(spot: SpotServer) -> None:
    spot.send("one")
    assert messages(spot.page())["messageContent"] == "one"
    spot.send("two")
    assert len(messages(spot.page())) == 2


def test_a_page_has_the_newest_first_and_the_next_begins_where_it_is_told(
    spot: SpotServer,
) -> None:
    for number in range(PAGE_SIZE + 3):
        spot.send(f"{number}", ago_seconds=1000 - number)
    first, second = messages(spot.page()), messages(spot.page(start=PAGE_SIZE + 1))
    assert [item["messageContent"] for item in first][:2] == ["52", "51"]
    assert [item["messageContent"] for item in second] == ["2", "1", "0"]
    about = spot.page().json()["response"]["feedMessageResponse"]
    assert (about["count"], about["totalCount"]) == (PAGE_SIZE, PAGE_SIZE + 3)
    assert messages(spot.page(name="latest.json"))["messageContent"] == "52"


def test_only_some_types_have_a_content(spot: SpotServer) -> None:
    spot.send("hello", type="TRACK")
    assert "messageContent" not in messages(spot.page())


def test_an_empty_an_unknown_and_a_locked_feed_answer_with_errors(spot: SpotServer) -> None:
    assert code(spot.page()) == "E-0195"
    assert code(spot.page(feed="unknown")) == "E-0160"
    assert code(spot.page(feed=OTHER_FEED)) == "E-0160"
    assert code(spot.page(feed=OTHER_FEED, feedPassword=PASSWORD)) == "E-0195"


def test_what_is_older_than_a_week_is_gone(spot: SpotServer) -> None:
    spot.send("hello")
    spot.switch("POST", "clock", {"advance_seconds": 8 * 24 * 3600})
    assert code(spot.page()) == "E-0195"


def test_who_asks_too_soon_is_blocked() -> None:
    with spot_at(SpotSimulator([SpotFeed(FEED), SpotFeed(OTHER_FEED)])) as spot:
        assert spot.page().status_code == 200
        spot.switch("POST", "clock", {"advance_seconds": 2})
        assert spot.page(feed=OTHER_FEED).status_code == 200
        spot.switch("POST", "clock", {"advance_seconds": 140})
        assert spot.page().status_code == 403
        spot.switch("POST", "clock", {"advance_seconds": 160})
        assert spot.page().status_code == 403
        spot.switch("POST", "clock", {"advance_seconds": 601})
        assert spot.page().status_code == 200
        assert spot.page(feed=OTHER_FEED).status_code == 403
        assert spot.switch("GET", "calls")["too soon"] == 3


def test_faults_meet_the_feeds_and_not_the_switches(spot: SpotServer) -> None:
    spot.switch("PUT", "faults", {"error_rate": 1})
    assert spot.page().status_code == 503
    assert Faults(**spot.switch("GET", "faults")).error_rate == 1


def test_the_same_message_may_be_listed_twice(spot: SpotServer) -> None:
    spot.send("hello")
    spot.switch("PUT", "faults", {"duplicate_rate": 1})
    first, second = messages(spot.page())
    assert first == second


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "messages", {}),
        ("POST", "messages", {"feed": "unknown"}),
        ("POST", "messages", {"feed": FEED, "surprise": 1}),
        ("POST", "clock", {}),
        ("PUT", "faults", {"error_rate": 2}),
    ],
)
def test_a_switch_that_is_used_wrongly_says_so(
    spot: SpotServer, method: str, path: str, content: Any
) -> None:
    assert spot.switch(method, path, content, status=400)["error"]


def test_it_stands_alone_by_its_commands() -> None:
    process = Process("simulate", "spot", "--feed=abc:secret", "--port=0", "--least-seconds=0")
    try:
        base = process.line_with(" at http").rpartition(" ")[2]
        at = base.partition("/spot-main-web")[0]
        sends = ["All is well", "--feed=abc", "--place=47.5,-3.25", "--type=CUSTOM"]
        done = Process("simulate", "tracker", *sends, f"--at={at}")
        assert done.process.wait(60) == 0, done.output
        done.stop()
        with httpx.Client(trust_env=False) as client:
            answer = client.get(f"{base}/abc/message.json", params={"feedPassword": "secret"})
    finally:
        assert process.stop() == 0
    found = messages(answer)
    assert (found["messageType"], found["messageContent"]) == ("CUSTOM", "All is well")
    assert (found["latitude"], found["longitude"]) == (47.5, -3.25)
