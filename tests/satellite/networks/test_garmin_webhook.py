"""Garmin's webhooks over real sockets: both ways of proving themselves, and all that a post may bring."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import Rejected, Unavailable
from messaging.message import Address, Beacon, Message, Network, Undeliverable
from messaging.satellite.networks.garmin import GarminAccount
from messaging.satellite.networks.garmin_events import NOBODY
from messaging.simulator.garmin import GarminSimulator
from messaging.simulator.garmin_portal import Portal
from messaging.webhook import NotAuthentic, Webhook
from tests.satellite.garmin_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    IMEI,
    OAUTH,
    SOME_DEVICES,
    TOKEN,
    GarminServer,
    garmin_account,
    garmin_at,
    gateway_for,
)
from tests.sms.twilio_gateway import Router

BOB = "bob@example.net"
EVENT = {"Events": [{"imei": IMEI, "messageCode": 3, "freeText": "hi", "addresses": [BOB]}]}
SENT = {"X-Outbound-Auth-Token": TOKEN}


@dataclass
class Stage:
    garmin: GarminServer
    router: Router
    url: str

    def messages(self) -> list[Message]:
        return [one for one in self.router.all() if isinstance(one, Message)]


@contextmanager
def staged(portal: Portal | None = None, **settings: Any) -> Iterator[Stage]:
    account, router = garmin_account(**settings), Router()
    simulator = GarminSimulator(SOME_DEVICES, portal=portal or Portal(token=TOKEN))
    with garmin_at(simulator) as garmin, gateway_for(account, router) as url:
        garmin.portal(url=url)
        yield Stage(garmin, router, url)


def post(url: str, content: Any = EVENT, **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return client.post(url, content=body, headers=headers)


@pytest.mark.parametrize("version", ["2.0", "3.0", "4.0"])
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_text_with_a_place_is_taken_in_every_version(version: Any, encrypted: bool) -> None:
    with staged(Portal(token=TOKEN, version=version, encrypted=encrypted)) as stage:
        tried = stage.garmin.event(text="Anchored", to=[BOB], latitude=47.5, longitude=-3, fix=3)
        assert tried["status"] == 200
    (message,) = stage.messages()
    assert (message.sender, message.recipient.value) == (Address(Network.SATELLITE, IMEI), BOB)
    assert message.position is not None
    assert [type(one) for one in stage.router.all()] == [Beacon, Message]


def test_a_bad_event_keeps_back_none_of_the_others_in_its_post() -> None:
    good = {"text": "good", "to": [BOB]}
    bad = {"changes": {"messageCode": "nonsense"}}
    with staged() as stage:
        assert stage.garmin.event(good, bad, {"text": "nobody"}, {**good, "text": "last"})["taken"]
        assert len(stage.garmin.feed()["posts"]) == 1
    assert [message.text for message in stage.messages()] == ["good", "last"]
    reasons = [one.reason for one in stage.router.all() if isinstance(one, Undeliverable)]
    assert len(reasons) == 2
    assert NOBODY in reasons


def test_a_bad_event_that_is_rejected_blocks_nobody() -> None:
    with staged() as stage:
        stage.router.fails_with = {Message: Rejected("no such device")}
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]
    assert [type(one) for one in stage.router.all()] == [Undeliverable]


def test_while_the_store_is_away_garmin_keeps_the_event_and_comes_back() -> None:
    with staged() as stage:
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
    with staged() as stage:
        for _ in range(2):
            stage.garmin.event(text="hello", to=[BOB], at_ms=1_790_000_000_000)
        stage.garmin.event(text="hello", to=[BOB], at_ms=1_790_000_000_001)
    assert len(stage.messages()) == 2


# -- the static token


def test_a_post_without_the_token_is_refused_and_never_stored() -> None:
    with staged() as stage:
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
    with staged(Portal(token=TOKEN, header="X-Mine"), token_header="x-mine") as stage:
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]
        assert post(stage.url, **SENT).status_code == 403


def test_the_token_may_be_the_password_of_the_user_token() -> None:
    with staged(Portal(token=TOKEN, static_form="basic")) as stage:
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]


# -- OAuth


@pytest.mark.parametrize("form", ["form", "json", "basic"])
def test_a_client_fetches_a_token_and_posts_with_it(form: Any) -> None:
    with staged(Portal(oauth_form=form), webhook_token=None, **OAUTH) as stage:
        stage.garmin.portal(
            oauth_url=f"{stage.url}/token",
            oauth_client_id=CLIENT_ID,
            oauth_client_secret=CLIENT_SECRET,
        )
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]
        assert stage.garmin.event(text="again", to=[BOB])["taken"]
    assert len(stage.messages()) == 2


def test_a_client_with_a_wrong_secret_gets_no_token() -> None:
    with staged(webhook_token=None, **OAUTH) as stage:
        stage.garmin.portal(
            oauth_url=f"{stage.url}/token", oauth_client_id=CLIENT_ID, oauth_client_secret="wrong"
        )
        tried = stage.garmin.event(text="hello", to=[BOB])
        answer = post(f"{stage.url}/token", b"client_id=x&client_secret=y")
    assert tried["failure"] == "the OAuth URL gave no token"
    assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")
    assert b"access_token" not in answer.content
    assert stage.router.all() == []


def test_a_request_for_a_token_that_is_too_long_is_not_read() -> None:
    asking = f"client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}".encode()
    with staged(webhook_token=None, **OAUTH) as stage:
        assert post(f"{stage.url}/token", asking).status_code == 200
        assert post(f"{stage.url}/token", asking + b"&a=1" * 2000).status_code == 401


def token(secret: str = CLIENT_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    usual = {"sub": CLIENT_ID, "exp": 4_000_000_000}
    said = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode(said, secret, algorithm)


@pytest.mark.parametrize(
    "bearer",
    [
        token(exp=1),
        token(exp=None),
        token(sub="another"),
        token(sub=None),
        token(secret="another-secret-of-32-letters-or-more"),
        token(secret=CLIENT_SECRET * 2, algorithm="HS512"),
        jwt.encode({"sub": CLIENT_ID, "exp": 4_000_000_000}, "", "none"),
        "nonsense",
        "a.b.c",
    ],
)
def test_a_bearer_that_is_not_ours_is_challenged(bearer: str) -> None:
    with staged(webhook_token=None, **OAUTH) as stage:
        answer = post(stage.url, Authorization=f"Bearer {bearer}")
        assert post(stage.url, Authorization=f"bearer {token()}").status_code == 200
    assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert len(stage.messages()) == 1


def test_both_ways_may_be_open_at_once() -> None:
    with staged(**OAUTH) as stage:
        assert post(stage.url, **SENT).status_code == 200
        assert post(stage.url, Authorization=f"Bearer {token()}").status_code == 200
        assert post(stage.url).status_code == 401


def test_a_token_ends_when_it_says() -> None:
    account = garmin_account(oauth_token_seconds=3600, **OAUTH)
    asking = Webhook("/satellite/garmin/garmin/token", "", {}, b"")
    answer = json.loads(account.acknowledge(asking).content)
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    claims = jwt.decode(answer["access_token"], CLIENT_SECRET, ["HS256"])
    assert claims["sub"] == CLIENT_ID
    short = garmin_account(oauth_token_seconds=0.001, **OAUTH)
    ended = json.loads(short.acknowledge(asking).content)["access_token"]
    with pytest.raises(NotAuthentic, match="Expired"):
        posted(short, {"authorization": f"Bearer {ended}"})


def posted(account: GarminAccount, headers: dict[str, str], body: bytes = b"{}") -> None:
    account.parse(Webhook("/satellite/garmin/garmin", "", headers, body), "https://x.example")


@given(st.text(), st.binary())
def test_no_header_and_no_body_is_too_strange_to_be_refused(header: str, body: bytes) -> None:
    account = garmin_account(**OAUTH)
    for scheme in ("", "Basic ", "Bearer "):
        with pytest.raises(NotAuthentic):
            posted(account, {"authorization": scheme + header, "x-outbound-auth-token": header})
    asking = Webhook("/satellite/garmin/garmin/token", "", {"authorization": header}, body)
    with pytest.raises(NotAuthentic):
        account.parse(asking, "https://x.example")


def test_no_secret_is_in_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with staged(**OAUTH) as stage:
        body = f"client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}-wrong".encode()
        answers = [
            post(stage.url, Authorization=f"Bearer {token(exp=1)}"),
            post(f"{stage.url}/token", body),
            post(stage.url, **{"X-Outbound-Auth-Token": f"{TOKEN}-wrong"}),
        ]
    said = caplog.text + "".join(answer.text for answer in answers)
    for secret in (TOKEN, CLIENT_SECRET):
        assert secret not in said
