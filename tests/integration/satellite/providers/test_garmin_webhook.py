"""Garmin's webhooks over real sockets: both ways of proving themselves, and all that a post may bring."""

from base64 import b64encode
from typing import Any

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import Address, DeadLetter, DeviceReport, Message, Network
from messaging.satellite.providers.garmin.webhook import NO_RECIPIENT
from messaging.simulator.garmin.portal import Portal
from tests.support.satellite.garmin_server import (
    CLIENT_ID,
    IMEI,
    TOKEN,
)
from tests.support.satellite.providers.garmin_stage import BOB, SENT, post, stage_for


@pytest.mark.parametrize("version", ["2.0", "3.0", "4.0"])
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_text_with_a_place_is_taken_in_every_version(version: Any, encrypted: bool) -> None:
    with stage_for(Portal(token=TOKEN, version=version, encrypted=encrypted)) as stage:
        tried = stage.garmin.event(text="Anchored", to=[BOB], latitude=47.5, longitude=-3, fix=3)
        assert tried["status"] == 200
    (message,) = stage.messages()
    assert (message.sender, message.recipient.value) == (Address(Network.SATELLITE, IMEI), BOB)
    assert message.position is not None
    assert [type(one) for one in stage.router.all()] == [DeviceReport, Message]


def test_a_bad_event_keeps_back_none_of_the_others_in_its_post() -> None:
    good = {"text": "good", "to": [BOB]}
    bad = {"changes": {"messageCode": "nonsense"}}
    with stage_for() as stage:
        assert stage.garmin.event(good, bad, {"text": "nobody"}, {**good, "text": "last"})["taken"]
        assert len(stage.garmin.feed()["posts"]) == 1
    assert [message.text for message in stage.messages()] == ["good", "last"]
    reasons = [one.reason for one in stage.router.all() if isinstance(one, DeadLetter)]
    assert len(reasons) == 2
    assert NO_RECIPIENT in reasons


def test_a_bad_event_that_is_rejected_blocks_no_other() -> None:
    with stage_for() as stage:
        stage.router.fails_with = {Message: Rejected("no such device")}
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]
    assert [type(one) for one in stage.router.all()] == [DeadLetter]


def test_while_the_store_is_away_garmin_keeps_the_event_and_comes_back() -> None:
    with stage_for() as stage:
        stage.router.fails_with = {Message: Unavailable("the store is away")}
        assert stage.garmin.event(text="hello", to=[BOB])["status"] == 503
        assert stage.garmin.feed()["waiting"] == 1
        stage.router.fails_with = {}
        stage.garmin.switch("POST", "clock", {"advance_seconds": 3})
        for _ in range(200):
            if not stage.garmin.feed()["waiting"]:
                break
    assert [message.text for message in stage.messages()] == ["hello"]


def test_what_is_posted_again_is_the_same_message() -> None:
    with stage_for() as stage:
        for _ in range(2):
            stage.garmin.event(text="hello", to=[BOB], at_ms=1_790_000_000_000)
        stage.garmin.event(text="hello", to=[BOB], at_ms=1_790_000_000_001)
    assert len(stage.messages()) == 2


def test_a_post_without_the_token_is_refused_and_never_stored() -> None:
    with stage_for() as stage:
        wrong: list[dict[str, str]] = [
            {},
            {"X-Outbound-Auth-Token": "wrong"},
            {"X-Outbound-Auth-Token": ""},
            {"Authorization": f"Bearer {TOKEN}"},
            {"Authorization": "Basic %%%"},
            {"Authorization": f"Basic {b64encode(f'other:{TOKEN}'.encode()).decode()}"},
        ]
        statuses = [post(stage.url, **headers).status_code for headers in wrong]
        assert post(stage.url + "/token", CLIENT_ID.encode()).status_code == 403
    assert statuses == [403] * len(wrong)
    assert stage.router.all() == []


def test_the_header_of_the_token_is_a_setting() -> None:
    with stage_for(Portal(token=TOKEN, header="X-Mine"), token_header="x-mine") as stage:
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]
        assert post(stage.url, **SENT).status_code == 403


def test_the_token_may_be_the_password_of_the_user_token() -> None:
    with stage_for(Portal(token=TOKEN, static_form="basic")) as stage:
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]
