"""A client of Garmin's fetches tokens from us and posts with them."""

import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.model.webhook import NotAuthentic, Webhook
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.simulator.garmin.portal import Portal
from tests.support.satellite.garmin_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    OAUTH,
    TOKEN,
    garmin_account,
)
from tests.support.satellite.providers.garmin_stage import BOB, SENT, post, stage_for


@pytest.mark.parametrize("form", ["form", "json", "basic"])
def test_a_client_fetches_a_token_and_posts_with_it(form: Any) -> None:
    with stage_for(Portal(oauth_form=form), webhook_token=None, **OAUTH) as stage:
        stage.garmin.portal(
            oauth_url=f"{stage.url}/token",
            oauth_client_id=CLIENT_ID,
            oauth_client_secret=CLIENT_SECRET,
        )
        assert stage.garmin.event(text="hello", to=[BOB])["taken"]
        assert stage.garmin.event(text="again", to=[BOB])["taken"]
    assert len(stage.messages()) == 2


def test_a_client_with_a_wrong_secret_gets_no_token() -> None:
    with stage_for(webhook_token=None, **OAUTH) as stage:
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
    with stage_for(webhook_token=None, **OAUTH) as stage:
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
    with stage_for(webhook_token=None, **OAUTH) as stage:
        answer = post(stage.url, Authorization=f"Bearer {bearer}")
        assert post(stage.url, Authorization=f"bearer {token()}").status_code == 200
    assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
    assert len(stage.messages()) == 1


def test_both_ways_may_be_open_at_once() -> None:
    with stage_for(**OAUTH) as stage:
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
    with stage_for(**OAUTH) as stage:
        body = f"client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}-wrong".encode()
        answers = [
            post(stage.url, Authorization=f"Bearer {token(exp=1)}"),
            post(f"{stage.url}/token", body),
            post(stage.url, **{"X-Outbound-Auth-Token": f"{TOKEN}-wrong"}),
        ]
    said = caplog.text + "".join(answer.text for answer in answers)
    for secret in (TOKEN, CLIENT_SECRET):
        assert secret not in said
