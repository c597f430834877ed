"""Webhooks from RockBLOCKs, over real sockets and as bytes: three formats, tokens good and bad, everything odd."""

import logging
from typing import Any

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import Message
from messaging.simulator.rockblock.push import FORMS
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from tests.support.eventually import eventually
from tests.support.satellite.ground_control import (
    IMEI,
    MAIL,
    SECRET,
    dead_letters,
    device_reports,
    gateway,
    messages,
    rockblock,
)
from tests.support.sms.twilio_gateway import Router


@pytest.mark.parametrize("form", FORMS)
def test_a_message_arrives_in_every_format(form: str) -> None:
    router = Router()
    with rockblock(form=form) as server:
        signs = {"webhook_secret": SECRET} if form != "HTTP_JSON" else {}
        with gateway(router, server.account_with_key(**signs)) as url:
            tried = server.uplink(texts=MAIL, webhook_url=f"{url}/{SECRET}")
    assert tried["taken"]
    (message,) = messages(router)
    assert (message.sender.value, message.recipient.value) == (IMEI, "bob@example.net")
    assert (message.text, message.via) == ("Anchored at noon", "rockblock")


@pytest.mark.parametrize("form", FORMS)
def test_a_form_with_a_token_needs_no_secret(form: str) -> None:
    router = Router()
    with (
        rockblock(form=form, signs_forms=True) as server,
        gateway(router, server.account_with_key()) as url,
    ):
        assert server.uplink(texts=MAIL, webhook_url=url)["taken"]
    assert len(messages(router)) == 1


@pytest.mark.parametrize(
    "uplink", [{"token": "wrong key"}, {"token": "missing"}, {"changes": {"JWT": "a.b.c"}}]
)
def test_an_unsigned_request_is_refused_and_never_stored(
    uplink: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    router = Router()
    with rockblock(waits_seconds=[]) as server, gateway(router, server.account_with_key()) as url:
        tried = server.uplink(texts=MAIL, webhook_url=url, **uplink)
    assert tried["status"] == 403
    assert router.all() == []
    assert "webhook refused" in caplog.text
    assert "Anchored" not in caplog.text


def test_a_tampered_body_changes_nothing_because_the_token_counts() -> None:
    router = Router()
    with rockblock() as server, gateway(router, server.account_with_key()) as url:
        changes = {"data": "", "imei": "300000000000000", "momsn": 9}
        assert server.uplink(texts=MAIL, webhook_url=url, changes=changes)["taken"]
    (message,) = messages(router)
    assert (message.sender.value, message.text) == (IMEI, "Anchored at noon")


def test_the_same_message_twice_has_the_same_id_and_a_number_that_wrapped_another() -> None:
    router = Router()
    modem = Modem(IMEI, momsn=65535)
    with rockblock(modem, faults=Faults(duplicate_rate=1)) as server:
        with gateway(router, server.account_with_key()) as url:
            server.uplink(texts=MAIL, webhook_url=url)
            server.uplink(texts=MAIL, webhook_url=url)
        assert server.simulator.modems.all()[0].momsn == 1
        assert len(server.simulator.pushes.tries) == 4
    assert len(messages(router)) == 2


def test_a_mailbox_check_is_no_message_and_says_where_the_device_is() -> None:
    router = Router()
    with rockblock() as server, gateway(router, server.account_with_key()) as url:
        assert server.uplink(webhook_url=url)["taken"]
    assert messages(router) == []
    assert dead_letters(router.all()) == []
    (beacon,) = device_reports(router)
    assert beacon.position is not None
    assert (beacon.position.latitude, beacon.position.longitude) == (50.8981, -1.1947)


def test_bytes_that_are_no_message_are_kept_and_answered_with_yes() -> None:
    router = Router()
    with rockblock() as server, gateway(router, server.account_with_key()) as url:
        assert server.uplink(data="00ff00ff", webhook_url=url)["taken"]
    (kept,) = dead_letters(router.all())
    assert (kept.raw, kept.sender.value) == (bytes.fromhex("00ff00ff"), IMEI)


@pytest.mark.parametrize(
    ("error", "status"),
    [(Unavailable("the store is away"), 503), (RuntimeError("secret"), 503), (Rejected("no"), 200)],
)
def test_what_the_router_says_decides_whether_it_comes_again(error: Exception, status: int) -> None:
    router = Router({Message: error})
    with rockblock(waits_seconds=[]) as server, gateway(router, server.account_with_key()) as url:
        assert server.uplink(texts=MAIL, webhook_url=url)["status"] == status
    kept = dead_letters(router.all())
    assert len(kept) == (1 if status == 200 else 0)


@pytest.mark.anyio
async def test_a_webhook_that_was_put_off_comes_again_until_it_is_taken() -> None:
    router = Router({Message: Unavailable("the store is away")})
    with (
        rockblock(waits_seconds=[0.05] * 100) as server,
        gateway(router, server.account_with_key()) as url,
    ):
        assert not server.uplink(texts=MAIL, webhook_url=url)["taken"]
        router.fails_with.clear()
        await eventually(lambda: server.simulator.pushes.pending == 0)
    assert len(messages(router)) == 1
