"""The pod's label is on while mail is taken and off before it is not, whatever the API server answers meanwhile."""

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
from tests.support.mail.wire import post

KEY = "satbridge.example/mail"
READY = {KEY: "ready"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path) as server:
        yield server


def settings(api: ApiServer, **given: Any) -> PodLabel:
    quick = {"retry_seconds": 0.02, "longest_retry_seconds": 0.1, "timeout_seconds": 2}
    place = {"api_url": api.url, "credentials": api.credentials}
    return PodLabel(**{"name": KEY, **place, **quick, **given})


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
def test_what_kubernetes_would_refuse_is_refused_at_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PodLabel(**{"name": KEY, **wrong})  # type: ignore[arg-type]


def test_the_label_is_set_and_removed_and_nothing_else_is_touched(api: ApiServer) -> None:
    for _ in range(2):
        pod(api).set_label(True)
        assert api.cluster.labels == {"ray.io/group": "smtp", **READY}
    for _ in range(2):
        pod(api).set_label(False)
        assert api.cluster.labels == {"ray.io/group": "smtp"}
    method, path, body = api.cluster.asked[0]
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
def test_a_refusal_is_told_in_words(api: ApiServer, status: int, said: str) -> None:
    api.cluster.troubles.append(status)
    with pytest.raises(Unavailable, match=said):
        pod(api).set_label(True)
    assert api.ours() == {}


def test_the_api_servers_wish_to_wait_is_heard(api: ApiServer) -> None:
    api.cluster.troubles.append(429)
    api.cluster.retry_after = "7"
    with pytest.raises(Unavailable) as caught:
        pod(api).set_label(True)
    assert caught.value.retry_after_seconds == 7


def test_who_may_not_is_told_so(api: ApiServer) -> None:
    api.cluster.may_patch = False
    with pytest.raises(Unavailable, match="may not patch"):
        pod(api).set_label(True)


def test_another_pod_is_not_found(api: ApiServer) -> None:
    with pytest.raises(Unavailable, match="no pod of this name"):
        pod(api, "smtp-worker-2").set_label(True)


def test_a_name_cannot_lead_elsewhere(api: ApiServer) -> None:
    with pytest.raises(Unavailable):
        pod(api, "../../secrets/x?y").set_label(True)
    assert api.cluster.asked[0][1].endswith("/pods/..%2F..%2Fsecrets%2Fx%3Fy")


def test_a_token_that_was_replaced_is_used_at_once(api: ApiServer) -> None:
    pod(api).set_label(True)
    api.cluster.tokens = {"the next token"}
    kept = pod(api)
    with pytest.raises(Unavailable, match="refuses the token"):
        kept.set_label(False)
    api.give("the next token\n")
    kept.set_label(False)
    assert api.ours() == {}


def test_an_answer_is_not_waited_for_for_ever(api: ApiServer) -> None:
    api.cluster.troubles.append(HANG)
    with pytest.raises(Unavailable, match="cannot be reached"):
        pod(api, timeout_seconds=0.2).set_label(True)


def test_nobody_else_is_given_the_token(api: ApiServer, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, name="other")
    (api.credentials / "ca.crt").write_bytes(other.certificate.read_bytes())
    with pytest.raises(Unavailable, match="certificate of the API server is not trusted"):
        pod(api).set_label(True)
    assert api.cluster.asked == []


@pytest.mark.parametrize("file", ["token", "namespace", "ca.crt"])
def test_without_credentials_it_says_so(api: ApiServer, file: str) -> None:
    (api.credentials / file).unlink()
    with pytest.raises(Unavailable) as caught:
        pod(api).set_label(True)
    assert str(api.credentials) not in caught.value.reason


def test_no_reason_has_the_token(api: ApiServer) -> None:
    api.give(TOKEN + "é\n")
    with pytest.raises(Unavailable) as caught:
        pod(api).set_label(True)
    assert TOKEN not in str(caught.value)


# -- the gate


@contextlib.asynccontextmanager
async def gate(api: ApiServer, **given: Any) -> AsyncIterator[PodReadiness]:
    used = settings(api, **given)
    made = PodReadiness(used, PodLabelClient(used, POD))
    try:
        yield made
    finally:
        await made.stop()


@pytest.mark.anyio
async def test_what_an_earlier_life_left_is_removed_until_mail_is_taken(api: ApiServer) -> None:
    api.cluster.labels |= READY
    async with gate(api) as one:
        await asyncio.to_thread(api.until, {})
        one.open()
        await asyncio.to_thread(api.until, READY)
    assert api.ours() == {}


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", [401, 403, 404, 409, 429, 500, HANG])
async def test_it_is_tried_until_it_succeeds(
    api: ApiServer, trouble: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with gate(api, timeout_seconds=1 if trouble == HANG else 5) as one:
        await eventually(lambda: one.state == "closed")
        api.cluster.troubles.extend([trouble] * 3)
        with caplog.at_level(logging.INFO, "messaging"):
            one.open()
            await asyncio.to_thread(api.until, READY)
            await eventually(lambda: one.state == "open")
        # Said once, not for each try.
        assert caplog.text.count("failing") == 1
        assert TOKEN not in caplog.text


@pytest.mark.anyio
async def test_a_label_that_somebody_took_away_comes_back(api: ApiServer) -> None:
    async with gate(api, recheck_seconds=0.05) as one:
        one.open()
        await asyncio.to_thread(api.until, READY)
        api.cluster.labels.pop(KEY)
        await asyncio.to_thread(api.until, READY)


@pytest.mark.anyio
async def test_leaving_is_not_held_up_by_an_api_server_that_is_away(api: ApiServer) -> None:
    async with gate(api, timeout_seconds=1) as one:
        one.open()
        await asyncio.to_thread(api.until, READY)
        api.cluster.may_patch = False
        async with asyncio.timeout(20):
            assert not await one.wait_closed()


# -- mail-in


@pytest.mark.anyio
async def test_the_pod_has_the_label_while_mail_is_taken_in_it(
    api: ApiServer,
) -> None:
    api.cluster.pod = socket.gethostname()
    async with post(pod_label=settings(api)) as place:
        await asyncio.to_thread(api.until, READY)
        await eventually(lambda: place.receiver.status()["pod_label"] == "open")
        place.receiver.announce_drain()
        await asyncio.to_thread(api.until, {})
        # Who was sent here before that is still served.
        assert (await (await place.greeted()).send()).startswith("250")


@pytest.mark.anyio
async def test_mail_is_taken_also_where_the_label_cannot_be_set(api: ApiServer) -> None:
    api.cluster.may_patch = False
    async with post(pod_label=settings(api, timeout_seconds=1)) as place:
        assert (await (await place.greeted()).send()).startswith("250")
        await eventually(lambda: "may not patch" in str(place.receiver.status()["pod_label"]))
        async with asyncio.timeout(20):
            await place.receiver.drain()
