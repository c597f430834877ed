"""The pod has its label while it takes mail and loses it before the drain, despite failures of the API server."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from messaging.config.env import read_if_set
from messaging.errors import Unavailable
from messaging.mail.smtp.pod_readiness import PodLabel, PodLabelClient, PodReadiness
from tests.support.eventually import eventually
from tests.support.mail.api_server import HANG, POD, TOKEN, ApiServer
from tests.support.mail.certificates import make_certificate
from tests.support.mail.wire import run_server

KEY = "satbridge.example/mail"
READY = {KEY: "ready"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path) as server:
        yield server


def settings(api: ApiServer, **given: Any) -> PodLabel:
    quick = {"retry_seconds": 0.02, "longest_retry_seconds": 0.1, "timeout_seconds": 2}
    location = {"api_url": api.url, "credentials": api.credentials}
    return PodLabel(**{"name": KEY, **location, **quick, **given})


def pod(api: ApiServer, name: str = POD, **given: Any) -> PodLabelClient:
    return PodLabelClient(settings(api, **given), name)


def test_it_is_off_unless_a_label_is_named() -> None:
    assert read_if_set(PodLabel) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "x/y/z"},
        {"value": "-"},
        {"api_url": "http://10.0.0.1"},
        {"api_url": "https://a/b"},
    ],
)
def test_settings_that_kubernetes_would_refuse_are_refused_at_the_start(
    wrong: dict[str, str],
) -> None:
    with pytest.raises(ValidationError):
        PodLabel(**{"name": KEY, **wrong})  # type: ignore[arg-type]


def test_the_label_is_set_and_removed_and_nothing_else_is_touched(api: ApiServer) -> None:
    for _ in range(2):
        pod(api).set_label(True)
        assert api.cluster.labels == {"ray.io/group": "smtp", **READY}
    for _ in range(2):
        pod(api).set_label(False)
        assert api.cluster.labels == {"ray.io/group": "smtp"}
    method, path, body = api.cluster.requests[0]
    assert (method, path) == ("PATCH", api.cluster.path)
    assert json.loads(body) == {"metadata": {"labels": READY}}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "may not patch this pod"),
        (404, "no pod of this name"),
        (409, "another client changed the pod"),
        (415, "merge patches"),
        (422, "a policy forbids"),
        (429, "too many requests"),
        (500, "it answers 500"),
        (503, "it answers 503"),
        (302, "it answers 302"),
    ],
)
def test_a_refusal_is_explained(api: ApiServer, status: int, said: str) -> None:
    api.cluster.failures.append(status)
    with pytest.raises(Unavailable, match=said):
        pod(api).set_label(True)
    assert api.own_labels() == {}


def test_retry_after_of_the_api_server_is_passed_on(api: ApiServer) -> None:
    api.cluster.failures.append(429)
    api.cluster.retry_after = "7"
    with pytest.raises(Unavailable) as caught:
        pod(api).set_label(True)
    assert caught.value.retry_after_seconds == 7


def test_a_forbidden_patch_is_explained(api: ApiServer) -> None:
    api.cluster.may_patch = False
    with pytest.raises(Unavailable, match="may not patch"):
        pod(api).set_label(True)


def test_another_pod_is_not_found(api: ApiServer) -> None:
    with pytest.raises(Unavailable, match="no pod of this name"):
        pod(api, "smtp-worker-2").set_label(True)


def test_a_name_cannot_lead_elsewhere(api: ApiServer) -> None:
    with pytest.raises(Unavailable):
        pod(api, "../../secrets/x?y").set_label(True)
    assert api.cluster.requests[0][1].endswith("/pods/..%2F..%2Fsecrets%2Fx%3Fy")


def test_a_token_that_was_replaced_is_used_at_once(api: ApiServer) -> None:
    pod(api).set_label(True)
    api.cluster.tokens = {"the next token"}
    kept = pod(api)
    with pytest.raises(Unavailable, match="refuses the token"):
        kept.set_label(False)
    api.set_token("the next token\n")
    kept.set_label(False)
    assert api.own_labels() == {}


def test_an_answer_is_not_waited_for_for_ever(api: ApiServer) -> None:
    api.cluster.failures.append(HANG)
    with pytest.raises(Unavailable, match="cannot be reached"):
        pod(api, timeout_seconds=0.2).set_label(True)


def test_no_other_server_gets_the_token(api: ApiServer, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, name="other")
    (api.credentials / "ca.crt").write_bytes(other.certificate.read_bytes())
    with pytest.raises(Unavailable, match="certificate of the API server is not trusted"):
        pod(api).set_label(True)
    assert api.cluster.requests == []


@pytest.mark.parametrize("file", ["token", "namespace", "ca.crt"])
def test_without_credentials_it_says_so(api: ApiServer, file: str) -> None:
    (api.credentials / file).unlink()
    with pytest.raises(Unavailable) as caught:
        pod(api).set_label(True)
    assert str(api.credentials) not in caught.value.reason


def test_no_reason_has_the_token(api: ApiServer) -> None:
    api.set_token(TOKEN + "é\n")
    with pytest.raises(Unavailable) as caught:
        pod(api).set_label(True)
    assert TOKEN not in str(caught.value)


# -- PodReadiness


@contextlib.asynccontextmanager
async def readiness(api: ApiServer, **given: Any) -> AsyncIterator[PodReadiness]:
    used = settings(api, **given)
    made = PodReadiness(used, PodLabelClient(used, POD))
    try:
        yield made
    finally:
        await made.stop()


@pytest.mark.anyio
async def test_the_label_of_an_earlier_process_is_removed_until_mail_is_taken(
    api: ApiServer,
) -> None:
    api.cluster.labels |= READY
    async with readiness(api) as one:
        await asyncio.to_thread(api.wait_for, {})
        one.open()
        await asyncio.to_thread(api.wait_for, READY)
    assert api.own_labels() == {}


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", [401, 403, 404, 409, 429, 500, HANG])
async def test_it_is_tried_until_it_succeeds(
    api: ApiServer, trouble: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with readiness(api, timeout_seconds=1 if trouble == HANG else 5) as one:
        await eventually(lambda: one.state == "closed")
        api.cluster.failures.extend([trouble] * 3)
        with caplog.at_level(logging.INFO, "messaging"):
            one.open()
            await asyncio.to_thread(api.wait_for, READY)
            await eventually(lambda: one.state == "open")
        # One line in the log, not one for each try.
        assert caplog.text.count("failing") == 1
        assert TOKEN not in caplog.text


@pytest.mark.anyio
async def test_a_label_that_another_program_removed_is_set_again(api: ApiServer) -> None:
    async with readiness(api, recheck_seconds=0.05) as one:
        one.open()
        await asyncio.to_thread(api.wait_for, READY)
        api.cluster.labels.pop(KEY)
        await asyncio.to_thread(api.wait_for, READY)


@pytest.mark.anyio
async def test_closing_does_not_wait_long_for_an_unreachable_api_server(api: ApiServer) -> None:
    async with readiness(api, timeout_seconds=1) as one:
        one.open()
        await asyncio.to_thread(api.wait_for, READY)
        api.cluster.may_patch = False
        async with asyncio.timeout(20):
            assert not await one.wait_closed()


# -- MailReceiver


@pytest.mark.anyio
async def test_the_pod_has_the_label_while_mail_is_taken_in_it(
    api: ApiServer,
) -> None:
    api.cluster.pod = socket.gethostname()
    async with run_server(pod_label=settings(api)) as server:
        await asyncio.to_thread(api.wait_for, READY)
        await eventually(lambda: server.receiver.status()["pod_label"] == "open")
        server.receiver.announce_drain()
        await asyncio.to_thread(api.wait_for, {})
        # Clients that were sent here before are still served.
        assert (await (await server.connect_and_greet()).send()).startswith("250")


@pytest.mark.anyio
async def test_mail_is_taken_also_where_the_label_cannot_be_set(api: ApiServer) -> None:
    api.cluster.may_patch = False
    async with run_server(pod_label=settings(api, timeout_seconds=1)) as server:
        assert (await (await server.connect_and_greet()).send()).startswith("250")
        await eventually(lambda: "may not patch" in str(server.receiver.status()["pod_label"]))
        async with asyncio.timeout(20):
            await server.receiver.drain()
