"""Requests that are refused, given up or nonsense, and what Twilio makes of a 503."""

import asyncio
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.errors import AuthorRefused, Unavailable
from messaging.model.message import Inbound, Message
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.push import signature
from messaging.simulator.twilio.server import InboundText, TwilioSimulator
from messaging.web.webhook_routes import routes
from tests.support.sms.twilio_gateway import (
    FORM,
    OURS,
    PHONE,
    PUBLIC_URL,
    SID,
    TOKEN,
    Router,
    account,
    post,
    serving,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"X_Twilio_Signature": ""},
        {"X_Twilio_Signature": "wrong"},
        {"Content_Type": "application/json"},
        {"Content_Type": "application/json", "X_Twilio_Signature": "wrong"},
        {
            "X_Twilio_Signature": signature(
                "another token", f"{PUBLIC_URL}/sms/twilio", list(FORM.items())
            )
        },
    ],
    ids=["missing", "wrong", "form as json", "json", "another token"],
)
def test_what_twilio_did_not_sign_is_refused_and_not_stored(
    changes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    router = Router()
    with serving(router, account()) as url:
        answer = post(url, FORM, **changes)
    assert answer.status_code == 403
    assert router.all() == []
    assert "webhook refused" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "headers", [{"Host": "gateway.example"}, {"X_Forwarded_Host": "evil.example"}]
)
def test_what_a_proxy_changes_does_not_matter(headers: dict[str, str]) -> None:
    router = Router()
    with serving(router, account()) as url:
        assert post(url, FORM, X_Forwarded_Proto="http", **headers).status_code == 200


def test_the_query_counts_as_it_was_received() -> None:
    query = "b=%2f&a=1&a=%C3%A9&empty"
    signed = signature(TOKEN, f"{PUBLIC_URL}/sms/twilio/?{query}", [("MessageSid", "SM1")])
    with serving(Router(), account()) as url, httpx.Client(trust_env=False) as client:
        headers = {"X-Twilio-Signature": signed}
        answer = client.post(
            f"{url}/sms/twilio/?{query}", content="MessageSid=SM1", headers=headers
        )
    assert answer.status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_unread(chunked: bool) -> None:
    router = Router()
    with (
        serving(router, account(max_webhook_bytes=1000)) as url,
        httpx.Client(trust_env=False) as client,
    ):
        content = iter([b"x" * 700] * 4) if chunked else b"x" * 2800
        answer = client.post(f"{url}/sms/twilio", content=content)
    assert answer.status_code == 413
    assert router.all() == []


def _raw(url: str, request: bytes) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection(
        (parts.hostname or "", parts.port or 0), timeout=30
    ) as connection:
        connection.sendall(request)
        return connection.recv(4096)


def test_a_request_that_never_ends_is_given_up() -> None:
    head = b"POST /sms/twilio HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    with serving(Router(), account(timeout_seconds=0.2)) as url:
        assert _raw(url, head).startswith(b"HTTP/1.1 408 ")


def test_a_request_that_breaks_off_harms_no_other() -> None:
    router = Router()
    with serving(router, account()) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            connection.sendall(
                b"POST /sms/twilio HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
            )
        assert post(url, FORM).status_code == 200
    assert len(router.all()) == 1


class AwayAtFirst(Router):
    """A router that comes up while Twilio is trying."""

    async def emit(self, inbound: Inbound) -> None:
        self.fails_with = {} if self.fails_with else {Message: Unavailable("the store is away")}
        await super().emit(inbound)


@pytest.mark.parametrize(("fragment", "taken"), [("#rc=3&rp=all", True), ("", False)])
def test_twilio_comes_back_after_a_503_only_when_the_url_asks_for_it(
    fragment: str, taken: bool
) -> None:
    router, app = AwayAtFirst(), FastAPI()
    gateway = Serving(app)
    app.include_router(routes({"twilio": account()}, {}, router.emit, gateway.url))
    twilio = TwilioSimulator(SID, TOKEN, webhook_url=f"{gateway.url}/sms/twilio{fragment}")
    text = InboundText.model_validate({"from": PHONE, "to": OURS, "body": "grüße 👋 & more"})
    with gateway:
        tries = asyncio.run(twilio.receive(text))
    assert [one.status for one in tries] == ([503, 200] if taken else [503])
    assert [m.text for m in router.all() if isinstance(m, Message)] == [text.body] * taken


class BlockingRouter(Router):
    """A router whose subscriber refuses the author of every text."""

    async def emit(self, inbound: Inbound) -> None:
        if isinstance(inbound, Message) and not inbound.keeps_refusal:
            raise AuthorRefused("this recipient takes no messages from you")
        await super().emit(inbound)


def test_a_text_of_a_blocked_author_is_kept_as_refused() -> None:
    router = BlockingRouter()
    with serving(router, account()) as url:
        assert post(url, FORM).status_code == 200
    [kept] = router.all()
    assert isinstance(kept, Message)
    assert kept.keeps_refusal


def test_get_is_not_allowed() -> None:
    with serving(Router(), account()) as url:
        assert httpx.get(f"{url}/sms/twilio", trust_env=False).status_code == 405


def test_no_request_ends_in_an_internal_error() -> None:
    router = Router()
    with serving(router, account()) as url, httpx.Client(trust_env=False) as client:
        _fuzz(
            lambda **request: client.post(**{**request, "url": f"{url}/sms/twilio{request['url']}"})
        )
    assert router.all() == []


def _fuzz(send: Callable[..., httpx.Response]) -> None:
    kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""]
    queries = ["", "?", "?bodySHA256=x", "?bodySHA256", "?%00=%ff&[", "?a=1#b"]

    @settings(max_examples=60)
    @given(
        st.sampled_from(queries),
        st.sampled_from(kinds),
        st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=40),
        st.binary(max_size=200) | st.sampled_from([b'{"a":1}', b"From=%FF&Body=%00", b"[]"]),
    )
    def posts(query: str, kind: str, signed: str, body: bytes) -> None:
        headers = {"Content-Type": kind, "X-Twilio-Signature": signed.encode("latin-1")}
        assert send(url=query, content=body, headers=headers).status_code in (400, 403)

    posts()


def test_signed_nonsense_is_stored_and_answered_with_success() -> None:
    router = Router()
    with serving(router, account()) as url:

        @settings(max_examples=40)
        @given(st.dictionaries(st.text(max_size=6), st.text(max_size=20), max_size=5))
        def posts(form: dict[str, str]) -> None:
            assert post(url, form).status_code == 200

        posts()
    assert router.all()
