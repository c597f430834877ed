"""What the simulated Portal Connect does when no server takes its posts: the ladder, pauses, the suspension."""

import time

from messaging.simulator.garmin.push import CYCLES, HALF_DAY_SECONDS, WAITS_SECONDS
from tests.support.eventually import wait_until
from tests.support.satellite.garmin_server import GarminServer
from tests.support.simulator.garmin.receiver import Receiver


def test_only_200_is_a_success(garmin: GarminServer, receiver: Receiver) -> None:
    receiver.status = 204
    assert garmin.event(text="hello")["taken"] is False
    assert garmin.feed()["waiting"] == 1


def test_what_waits_comes_after_2_and_4_and_8_seconds_in_its_order(
    garmin: GarminServer, receiver: Receiver
) -> None:
    now = time.time()
    garmin.simulator.clock.real = lambda: now
    receiver.status = 503
    garmin.event(text="one")
    garmin.event(text="two")
    assert len(receiver.bodies) == 1
    for posts, seconds in enumerate(WAITS_SECONDS, 2):
        garmin.switch("POST", "clock", {"advance_seconds": seconds - 0.5})
        time.sleep(0.05)
        assert len(receiver.bodies) == posts - 1
        garmin.switch("POST", "clock", {"advance_seconds": 0.5})
        wait_for_posts(garmin, posts)
    receiver.status = 200
    garmin.switch("POST", "clock", {"advance_seconds": WAITS_SECONDS[-1]})
    wait_until(lambda: garmin.feed()["waiting"] == 0)
    assert [event["freeText"] for event in receiver.bodies[-1]["Events"]] == ["one", "two"]
    assert garmin.feed()["failures"] == 0


def wait_for_posts(garmin: GarminServer, posts: int) -> None:
    """Return when so many have been made, and the next is waited for (or there is none)."""
    wait_until(lambda: len(garmin.feed()["posts"]) == posts)
    wait_until(lambda: garmin.feed()["state"] != "posting")


def fail_for_half_a_day(garmin: GarminServer) -> None:
    """From a wait to the end of it: the post after twelve hours without a success."""
    posts = len(garmin.feed()["posts"])
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    wait_for_posts(garmin, posts + 1)
    assert garmin.feed()["state"] in ("paused", "suspended")


def resume_after_the_pause(garmin: GarminServer) -> None:
    posts = len(garmin.feed()["posts"])
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    wait_for_posts(garmin, posts + 1)


def test_after_half_a_day_it_pauses_and_any_success_resets_that(
    garmin: GarminServer, receiver: Receiver
) -> None:
    receiver.status = 500
    garmin.event(text="one")
    fail_for_half_a_day(garmin)
    assert garmin.feed()["cycles"] == 1
    assert garmin.event(text="two")["failure"] == "behind events that are not accepted yet"
    receiver.status = 200
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    wait_until(lambda: garmin.feed()["waiting"] == 0)
    told = garmin.feed()
    assert (told["state"], told["cycles"], told["mails"], told["taken"]) == ("idle", 0, 0, 2)


def test_after_five_days_it_is_suspended_and_old_events_are_gone(
    garmin: GarminServer, receiver: Receiver
) -> None:
    receiver.status = 500
    garmin.event(text="old")
    fail_for_half_a_day(garmin)
    for cycle in range(2, CYCLES + 1):
        garmin.event(text="newer")
        resume_after_the_pause(garmin)
        fail_for_half_a_day(garmin)
        assert garmin.feed()["cycles"] == cycle
    told = garmin.feed()
    assert (told["state"], told["mails"]) == ("suspended", 9)
    receiver.status = 200
    assert garmin.event(text="new")["taken"] is False
    garmin.switch("POST", "clock", {"advance_seconds": HALF_DAY_SECONDS})
    assert garmin.feed()["state"] == "suspended"
    garmin.switch("POST", "feed/resume")
    wait_until(lambda: garmin.feed()["waiting"] == 0)
    texts = [event["freeText"] for event in receiver.bodies[-1]["Events"]]
    assert texts == ["newer"] * 4 + ["new"]
    assert garmin.feed()["discarded"] == 1


def test_a_post_may_come_twice(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.switch("PUT", "faults", {"duplicate_rate": 1})
    garmin.event(text="hello")
    assert len(receiver.bodies) == 2
    assert receiver.bodies[0] == receiver.bodies[1]
