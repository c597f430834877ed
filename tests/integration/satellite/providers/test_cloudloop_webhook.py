"""Webhooks from Cloudloop, over real sockets and as bytes: LingoMO, the older formats, reports, everything odd."""

import json

import httpx
import pytest

from messaging.errors import Unavailable
from messaging.model.message import Message
from messaging.simulator.cloudloop.push import FORMS
from messaging.simulator.shared.faults import Faults
from tests.support.eventually import eventually
from tests.support.satellite.ground_control import (
    IMEI,
    MAIL,
    SECRET,
    THING,
    cloudloop,
    dead_letters,
    device_reports,
    gateway,
    messages,
)
from tests.support.sms.twilio_gateway import Router


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("service", ["sbd", "imt"])
def test_a_message_arrives_in_every_format(form: str, service: str) -> None:
    router = Router()
    things = f"{IMEI}={THING}"
    with (
        cloudloop(form=form, service=service) as server,
        gateway(router, server.account(things=things)) as url,
    ):
        assert server.uplink(texts=MAIL, webhook_url=f"{url}/{SECRET}")["taken"]
    (message,) = messages(router)
    assert (message.sender.value, message.recipient.value) == (THING, "bob@example.net")
    assert (message.text, message.via) == ("Anchored at noon", "cloudloop")


@pytest.mark.parametrize("end", ["", "/", "/wrong", f"/{SECRET}x", f"?{SECRET}"])
def test_without_the_secret_nothing_is_stored(end: str) -> None:
    router = Router()
    with cloudloop(waits_seconds=[]) as server, gateway(router, server.account()) as url:
        assert server.uplink(texts=MAIL, webhook_url=f"{url}{end}")["status"] == 403
    assert router.all() == []


def test_a_redelivery_has_the_same_id() -> None:
    router = Router()
    with cloudloop(faults=Faults(duplicate_rate=1)) as server:
        with gateway(router, server.account()) as url:
            server.uplink(texts=MAIL, webhook_url=f"{url}/{SECRET}")
        assert len(server.simulator.pushes.tries) == 2
    assert len(messages(router)) == 1
    assert len(device_reports(router)) == 1


@pytest.mark.anyio
async def test_a_webhook_that_was_put_off_comes_again_until_it_is_taken() -> None:
    router = Router({Message: Unavailable("the store is away")})
    with cloudloop(waits_seconds=[0.05] * 100) as server, gateway(router, server.account()) as url:
        tried = server.uplink(texts=MAIL, webhook_url=f"{url}/{SECRET}")
        assert tried["status"] == 503
        router.fails_with.clear()
        await eventually(lambda: server.simulator.pushes.pending == 0)
    assert len(messages(router)) == 1


def test_an_answer_that_takes_too_long_counts_as_none() -> None:
    router = Router()
    with (
        cloudloop(answer_seconds=0, waits_seconds=[]) as server,
        gateway(router, server.account()) as url,
    ):
        tried = server.uplink(texts=MAIL, webhook_url=f"{url}/{SECRET}")
    assert (tried["status"], tried["failure"]) == (None, "TimeoutError")


def test_bytes_that_are_no_message_are_kept_and_answered_with_yes() -> None:
    router = Router()
    with cloudloop() as server, gateway(router, server.account()) as url:
        assert server.uplink(data="00ff00ff", webhook_url=f"{url}/{SECRET}")["taken"]
    (kept,) = dead_letters(router.all())
    assert (kept.raw, kept.sender.value) == (bytes.fromhex("00ff00ff"), THING)


def test_a_webhook_that_makes_no_sense_is_kept_and_answered_with_yes() -> None:
    router = Router()
    with cloudloop() as server, gateway(router, server.account()) as url:
        answer = httpx.post(f"{url}/{SECRET}", json={"test": True}, trust_env=False)
    assert answer.status_code == 200
    (kept,) = dead_letters(router.all())
    assert json.loads(kept.raw) == {"test": True}
