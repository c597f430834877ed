"""What the simulated Portal Connect posts."""

import base64

import pytest

from tests.support.satellite.garmin_server import IMEI, OTHER_IMEI, TOKEN, GarminServer
from tests.support.simulator.garmin.receiver import Receiver

COMMON = {
    "imei",
    "messageCode",
    "freeText",
    "timeStamp",
    "pingbackReceived",
    "pingbackResponded",
    "addresses",
    "point",
    "status",
    "payload",
}

THIRD = COMMON | {"transportMode"}

FOURTH = THIRD | {"mediaId", "mediaType", "mediaBytes", "transcription"}


@pytest.mark.parametrize(("version", "names"), [("2.0", COMMON), ("3.0", THIRD), ("4.0", FOURTH)])
def test_each_version_has_its_properties(
    garmin: GarminServer, receiver: Receiver, version: str, names: set[str]
) -> None:
    garmin.portal(version=version)
    garmin.event(text="hello", to=["bob@example.net"])
    (body,) = receiver.bodies
    (event,) = body["Events"]
    assert (body["Version"], event.keys()) == (version, names)
    assert event["payload"] is None
    assert event["addresses"] == [{"address": "bob@example.net"}]
    assert set(event["point"].values()) == {0}


def test_with_encryption_what_has_no_value_is_not_there(
    garmin: GarminServer, receiver: Receiver
) -> None:
    garmin.portal(encrypted=True)
    garmin.event(text="hello")
    (event,) = receiver.events()
    assert not {"payload", "mediaId", "pingbackReceived"} & event.keys()
    assert None not in event.values()


@pytest.mark.parametrize(("version", "dated"), [("2.0", False), ("3.0", False), ("4.0", True)])
def test_bytes_come_with_a_few_properties_only(
    garmin: GarminServer, receiver: Receiver, version: str, dated: bool
) -> None:
    garmin.portal(version=version)
    garmin.event(code=66, payload="AAEC")
    (event,) = receiver.events()
    few = {"imei", "messageCode", "payload", "status"}
    assert event.keys() == (few | {"timeStamp"} if dated else few)


def test_several_events_are_one_post(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.event({"text": "one"}, {"imei": OTHER_IMEI, "text": "two"})
    assert len(receiver.bodies) == 1
    assert [event["imei"] for event in receiver.events()] == [IMEI, OTHER_IMEI]


def test_pictures_and_pingbacks_can_be_had(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.event({"media_type": "image/avif", "media_bytes": "AAEC"}, {"code": 65})
    picture, pingback = receiver.events()
    assert (picture["mediaType"], picture["mediaBytes"]) == ("image/avif", "AAEC")
    assert pingback["pingbackResponded"] >= pingback["pingbackReceived"]


def test_the_static_token_is_in_its_header(garmin: GarminServer, receiver: Receiver) -> None:
    garmin.event(text="hello")
    garmin.portal(static_form="basic")
    garmin.event(text="hello")
    first, second = receiver.headers
    assert first["x-outbound-auth-token"] == TOKEN
    told = base64.b64decode(second["authorization"].removeprefix("Basic ")).decode()
    assert told == f"token:{TOKEN}"


def test_an_oauth_token_is_kept_until_it_ends(garmin: GarminServer, receiver: Receiver) -> None:
    url = garmin.switch("GET", "portal")["url"].replace("/hook", "/token")
    garmin.portal(oauth_url=url, oauth_client_id="id", oauth_client_secret="secret")
    garmin.event(text="one")
    garmin.event(text="two")
    garmin.switch("POST", "clock", {"advance_seconds": 61})
    garmin.event(text="three")
    told = [headers["authorization"] for headers in receiver.headers]
    assert told == ["Bearer t1", "Bearer t1", "Bearer t2"]
