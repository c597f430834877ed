import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from messaging.errors import Rejected, Unavailable, Uncertain
from messaging.satellite.http_client import (
    RestClient,
    failure,
    json_of,
)
from messaging.sending.http_exchange import HttpUrl
from messaging.simulator.shared.serving import Serving
from tests.support.closed_port import closed_port
from tests.support.satellite.hive_server import HiveServer


async def answered(status: int, **options: Any) -> int:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Response(status_code=status)(scope, receive, send)

    with Serving(app) as server:
        client = RestClient(server.url, 5, 1)
        try:
            return (await client.call("POST", "/", **options)).status_code
        finally:
            await client.aclose()


@pytest.mark.parametrize("status", [500, 502, 504, 507, 599])
def test_an_error_over_there_leaves_only_what_was_written_uncertain(status: int) -> None:
    with pytest.raises(Uncertain, match=str(status)):
        asyncio.run(answered(status, writes=True))
    assert asyncio.run(answered(status)) == status


@pytest.mark.parametrize("status", [501, 503, 505])
def test_an_error_that_says_that_nothing_was_done_is_certain(status: int) -> None:
    assert asyncio.run(answered(status, writes=True)) == status


def test_an_error_whose_body_refuses_is_certain() -> None:
    assert asyncio.run(answered(500, writes=True, refuses=lambda response: True)) == 500
    with pytest.raises(Uncertain):
        asyncio.run(answered(500, writes=True, refuses=lambda response: False))


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_no_failure(status: int) -> None:
    assert failure(httpx.Response(status), {}) is None


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422, 499])
def test_a_refusal_is_final_only_for_those_who_can_be_refused(status: int) -> None:
    assert isinstance(failure(httpx.Response(status), {}), Rejected)
    assert isinstance(failure(httpx.Response(status)), Unavailable)


@pytest.mark.parametrize("status", [301, 401, 408, 425, 429, 500, 502, 503, 504])
def test_everything_else_is_tried_again(status: int) -> None:
    assert isinstance(failure(httpx.Response(status), {}), Unavailable)


def test_the_wish_to_wait_until_a_time_is_read() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    error = failure(httpx.Response(429, headers={"Retry-After": header}))
    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds is not None
    assert 1700 <= error.retry_after_seconds <= 1800


@pytest.mark.parametrize(("header", "low", "high"), [("7", 7, 7), ("999999999999999", 3600, 3600)])
def test_the_wish_to_wait_is_read(header: str, low: float, high: float) -> None:
    error = failure(httpx.Response(429, headers={"Retry-After": header}))
    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds is not None
    assert low <= error.retry_after_seconds <= high


@pytest.mark.parametrize("header", ["", "soon", "-1", "²", "Mon, 99 Foo 2026"])
def test_a_senseless_wish_to_wait_is_none(header: str) -> None:
    error = failure(httpx.Response(503, headers=[(b"Retry-After", header.encode())]))
    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds is None


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_none(content: bytes) -> None:
    assert json_of(httpx.Response(200, content=content)) is None


def test_a_closed_port_is_unavailable_even_for_writes() -> None:
    async def run(url: str) -> None:
        client = RestClient(url, 5, 1)
        try:
            await client.call("POST", "/", writes=True)
        finally:
            await client.aclose()

    with closed_port() as url, pytest.raises(Unavailable, match="cannot be reached"):
        asyncio.run(run(url))


@pytest.mark.parametrize("url", ["hive.example", "ftp://hive.example", "http://", "http://a:b", ""])
def test_a_url_that_is_none_is_said_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError, match="https://host/path"):
        TypeAdapter(HttpUrl).validate_python(url)


def test_headers_are_not_logged_at_any_level(
    hive: HiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        network = hive.account().connect()
        await network.check()
        await network.aclose()

    caplog.set_level("DEBUG")
    asyncio.run(run())
    assert "Authorization" not in caplog.text
    assert "JSESSIONID" not in caplog.text
