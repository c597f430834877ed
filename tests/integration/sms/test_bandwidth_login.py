"""The login at Bandwidth: a token is fetched once, renewed in time, and a refusal is the operator's affair."""

import asyncio
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr
from starlette.responses import JSONResponse, PlainTextResponse, Response

from messaging.config.env import read
from messaging.errors import ConfigurationError, GatewayError, Unavailable
from messaging.model.message import Outcome, Result
from messaging.simulator.bandwidth.api import Account
from messaging.simulator.bandwidth.server import BandwidthSimulator
from messaging.simulator.shared.serving import Serving
from messaging.sms.account import OutgoingText
from messaging.sms.providers.bandwidth.account import BandwidthAccount
from messaging.sms.providers.bandwidth.auth import TokenLogin
from messaging.sms.providers.bandwidth.client import BandwidthProvider
from tests.conformance.bandwidth import account_at
from tests.conformance.stand import SECRET
from tests.support.closed_port import closed_port
from tests.support.sms.sync_sender import SyncSender, check
from tests.support.sms.twilio_gateway import delivery

GIVEN: dict[str, Any] = {
    "account_id": "9900000",
    "application_id": "demo",
    "callback_username": "caller",
    "callback_password": "secret",
}


@contextmanager
def bandwidth(**changes: Any) -> Iterator[tuple[BandwidthSimulator, str]]:
    """A Bandwidth that takes tokens only."""
    given = {"account_id": "9900000", "application_id": "demo", "username": "boop", **changes}
    account = Account(password=SECRET, takes_passwords=False, **given)
    simulator = BandwidthSimulator(account)
    with Serving(simulator.app) as server:
        yield simulator, server.url


def send(sender: SyncSender, count: int = 1) -> list[Outcome]:
    texts = [delivery(f"text {n}", id=n, to=f"+1555000{n:04}") for n in range(1, count + 1)]
    return sender.send(*texts)


def test_one_token_serves_all_requests() -> None:
    with bandwidth() as (simulator, url):
        sender = SyncSender(account_at(url, timeout_seconds=5))
        assert {outcome.result for outcome in send(sender, 12)} == {Result.SENT}
        assert simulator.counts()["token requests"] == 1
        sender.close()


@pytest.mark.anyio
async def test_a_token_is_renewed_before_it_ends() -> None:
    with bandwidth(token_seconds=3) as (simulator, url):
        provider = account_at(url, timeout_seconds=5).connect()
        assert "takes our credentials" in await provider.check()
        await asyncio.sleep(1.6)
        assert "takes our credentials" in await provider.check()
        assert simulator.counts()["token requests"] == 2
        await provider.aclose()


@pytest.mark.anyio
async def test_a_token_that_bandwidth_forgot_is_renewed_and_the_text_leaves_once() -> None:
    with bandwidth() as (simulator, url):
        token_url = f"{url}/api/v1/oauth2/token"
        provider = BandwidthProvider(
            messages_url=f"{url}/api/v2/users/9900000/messages",
            application_id="demo",
            login=TokenLogin(token_url, "boop", SecretStr(SECRET), pause_seconds=0),
            timeout_seconds=5,
            webhook_url="",
        )
        text = OutgoingText("+15550001111", "+15550002222", "hello", "one")
        first = await provider.send(text)
        simulator.expire_tokens()
        second = await provider.send(replace(text, reference="two"))
        await provider.aclose()
        assert [sent.id for sent in simulator.outgoing_texts()] == [
            first.network_id,
            second.network_id,
        ]
        assert simulator.counts()["token requests"] == 2


@pytest.mark.anyio
async def test_a_new_token_that_is_refused_is_not_asked_for_again_at_once() -> None:
    with bandwidth() as (simulator, url):
        provider = account_at(url, account_id="1100000", timeout_seconds=5).connect()
        for _ in range(3):
            with pytest.raises(ConfigurationError):
                await provider.check()
        simulator.expire_tokens()
        with pytest.raises(ConfigurationError):
            await provider.check()
        assert simulator.counts()["token requests"] == 1
        await provider.aclose()


def test_a_wrong_secret_names_the_settings_and_does_not_become_a_flood() -> None:
    with bandwidth() as (simulator, url):
        account = account_at(url, client_secret=f"{SECRET}-but-wrong", timeout_seconds=5)
        with pytest.raises(ConfigurationError, match="SATBRIDGE_BANDWIDTH_CLIENT_SECRET"):
            check(account)
        sender = SyncSender(account)
        outcomes = send(sender, 8)
        sender.close()
        assert {outcome.result for outcome in outcomes} == {Result.UNAVAILABLE}
        assert SECRET not in repr(outcomes)
        assert simulator.counts()["token requests"] == 2


def test_where_tokens_are_had_is_away_and_nothing_is_uncertain() -> None:
    with bandwidth() as (_, url), closed_port() as nowhere:
        sender = SyncSender(
            account_at(url, timeout_seconds=5).model_copy(update={"token_url": nowhere})
        )
        (outcome,) = send(sender)
        sender.close()
    assert (outcome.result, outcome.reason) == (
        Result.UNAVAILABLE,
        "the SMS provider cannot be reached",
    )


ANSWERS: dict[str, Response] = {
    "busy": PlainTextResponse("", 429, headers={"Retry-After": "7"}),
    "error": PlainTextResponse("", 503),
    "no JSON": PlainTextResponse("<html>"),
    "no token": JSONResponse({"expires_in": 3600}),
    "no text": JSONResponse({"access_token": 7}),
    "two lines": JSONResponse({"access_token": "a\r\nX-Evil: b"}),
    "empty": JSONResponse({"access_token": ""}),
    "a list": JSONResponse([]),
}


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_a_token_that_cannot_be_had_now_is_had_later(answer: Response) -> None:
    web = FastAPI()

    @web.post("/api/v1/oauth2/token")
    async def give(request: Request) -> Response:
        return answer

    with Serving(web) as server:
        provider = account_at(server.url, timeout_seconds=5).connect()
        with pytest.raises(GatewayError) as caught:
            await provider.check()
        await provider.aclose()
    assert type(caught.value) is Unavailable
    assert caught.value.retry_after_seconds == (7 if answer.status_code == 429 else None)


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [None, "soon", -1, 0, True, 1e12])
async def test_a_token_that_does_not_say_how_long_it_lasts_is_used_for_a_while(
    seconds: Any,
) -> None:
    asked: list[str] = []
    web = FastAPI()

    @web.post("/api/v1/oauth2/token")
    async def give(request: Request) -> Response:
        asked.append("token")
        return JSONResponse({"access_token": "abc", "expires_in": seconds})

    @web.get("/api/v2/users/9900000/messages")
    async def show(request: Request) -> Response:
        asked.append(request.headers["authorization"])
        return JSONResponse({"messages": []})

    with Serving(web) as server:
        provider = account_at(server.url, timeout_seconds=5).connect()
        await provider.check()
        await provider.check()
        await provider.aclose()
    assert asked == ["token", "Bearer abc", "Bearer abc"]


def test_a_user_and_a_password_still_do_and_the_check_says_until_when() -> None:
    simulator = BandwidthSimulator(
        Account(account_id="9900000", application_id="demo", username="boop", password="old")
    )
    with Serving(simulator.app) as server:
        account = read(
            BandwidthAccount,
            **GIVEN,
            username="boop",
            password="old",
            api_url=f"{server.url}/api/v2",
        )
        finding = check(account, "https://gateway.example")
    assert "2 December 2026" in finding
    assert "SATBRIDGE_BANDWIDTH_CLIENT_ID" in finding


@pytest.mark.parametrize(
    ("login", "why"),
    [
        ({}, "_CLIENT_ID and …_CLIENT_SECRET must be set"),
        ({"client_id": "a"}, "_CLIENT_SECRET: set both"),
        ({"client_secret": "b"}, "_CLIENT_SECRET: set both"),
        ({"username": "a"}, "_PASSWORD: set both"),
        ({"client_id": "a", "client_secret": "b", "password": "c"}, "_PASSWORD: set both"),
    ],
)
def test_a_login_that_is_not_whole_is_named(login: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        read(BandwidthAccount, **GIVEN, **login)


@pytest.mark.anyio
async def test_it_travels_before_it_is_used() -> None:
    with bandwidth() as (_, url):
        provider = pickle.loads(pickle.dumps(account_at(url, timeout_seconds=5).connect()))
        assert "takes our credentials" in await provider.check()
        await provider.aclose()
