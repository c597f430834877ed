"""Every answer that Garmin may give to a message and to the probe, over real sockets."""

import logging
from typing import Any

import pytest
from starlette.responses import JSONResponse

from messaging.errors import AccountBlocked, ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.satellite.providers.garmin.errors import ERROR_CODES, INTERNAL, code_failure
from messaging.simulator.garmin.api import ERRORS, FIXTURE_PREFIX
from messaging.simulator.shared.faults import Faults
from tests.support.closed_port import closed_port
from tests.support.satellite.garmin_server import API_KEY, IMEI, GarminServer, garmin_account
from tests.support.satellite.providers.garmin_connected import answering, connection, packet

pytestmark = pytest.mark.anyio

PASSING = {2, 3, 6}


def test_the_simulator_and_the_client_know_the_same_codes() -> None:
    assert set(range(1, 18)) == ERROR_CODES == ERRORS.keys()


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
async def test_every_error_code_has_its_outcome(garmin: GarminServer, code: int) -> None:
    # Their own error says nothing of what was done before it.
    otherwise = Uncertain if code == INTERNAL else Rejected
    expected = Unavailable if code in PASSING else otherwise
    async with connection(garmin.account()) as network:
        with pytest.raises(expected) as caught:
            await network.send(f"{FIXTURE_PREFIX}{code:02}", packet())
    assert caught.value.reason
    assert garmin.texts() == []


async def test_a_code_of_tomorrow_refuses_for_good() -> None:
    with answering(lambda request: JSONResponse({"Code": 99}, 422)) as account:
        async with connection(account) as network:
            with pytest.raises(Rejected, match="code 99"):
                await network.send(IMEI, packet())
    assert isinstance(code_failure(99), Rejected)


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (400, None, Rejected),
        (401, None, Unavailable),
        (403, {"Code": 3}, Unavailable),
        (404, None, Rejected),
        (422, None, Rejected),
        (422, {"Code": "4"}, Rejected),
        (422, {"Code": 3}, Unavailable),
        (429, {"Code": 2}, Unavailable),
        (500, {"Code": 1}, Uncertain),
        (500, {"Code": 4}, Unavailable),
        (500, {"Code": 99}, Uncertain),
        (500, "<html>", Uncertain),
        (502, {"Code": 1}, Uncertain),
        (501, {"Code": 4}, Rejected),
        (503, None, Unavailable),
        (302, None, Unavailable),
        (200, None, Uncertain),
        (200, {}, Uncertain),
        (200, {"count": "1"}, Uncertain),
        (200, {"count": True}, Uncertain),
        (200, {"count": -1}, Uncertain),
        (200, [1], Uncertain),
        (200, {"count": 0}, Unavailable),
    ],
)
async def test_every_status_has_its_outcome(
    status: int, content: Any, expected: type[Exception]
) -> None:
    with answering(lambda request: JSONResponse(content, status)) as account:
        async with connection(account) as network:
            with pytest.raises(expected):
                await network.send(IMEI, packet())


async def test_the_wish_to_wait_is_heard(garmin: GarminServer) -> None:
    async with connection(garmin.account()) as network:
        with pytest.raises(Unavailable) as caught:
            await network.send(f"{FIXTURE_PREFIX}02", packet())
    assert caught.value.retry_after_seconds == 30


async def test_a_refused_key_is_the_operators_affair_and_is_said(
    garmin: GarminServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection(garmin.account(api_key="wrong")) as network:
        with pytest.raises(AccountBlocked, match="key") as caught:
            await network.send(IMEI, packet())
    assert caught.value.action == "check SATBRIDGE_GARMIN_API_KEY"
    assert "wrong" not in caplog.text


async def test_the_probe_costs_nothing_and_says_yes(garmin: GarminServer) -> None:
    async with connection(garmin.account()) as network:
        await network.check()
    assert garmin.texts() == []


async def test_the_probe_names_the_setting_of_a_wrong_key(garmin: GarminServer) -> None:
    async with connection(garmin.account(api_key="wrong-one")) as network:
        with pytest.raises(ConfigurationError, match="SATBRIDGE_GARMIN_API_KEY") as caught:
            await network.check()
    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_the_probe_says_when_nobody_can_say(status: int) -> None:
    with answering(lambda request: JSONResponse({}, status)) as account:
        async with connection(account) as network:
            with pytest.raises(Unavailable):
                await network.check()


async def test_the_probe_says_when_nobody_is_there() -> None:
    with closed_port() as url:
        async with connection(garmin_account(url)) as network:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await network.check()


async def test_a_lost_answer_is_uncertain_and_nothing_is_logged_that_is_secret(
    garmin: GarminServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    garmin.simulator.dice.faults = Faults(hang_after_rate=1)
    async with connection(garmin.account(timeout_seconds=3)) as network:
        with pytest.raises(Uncertain):
            await network.send(IMEI, packet("Storm ahead"))
    assert len(garmin.texts()) == 1
    for secret in (API_KEY, "Storm ahead"):
        assert secret not in caplog.text
    assert API_KEY not in repr(garmin.account())
