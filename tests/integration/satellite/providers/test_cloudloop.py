"""Messages to things at Cloudloop, over real sockets: both services, every answer, every way to get none."""

from typing import Any

import pytest

from messaging.config.env import read
from messaging.errors import AccountBlocked, ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.satellite.providers import ACCOUNTS
from messaging.satellite.providers.cloudloop.account import CloudloopAccount, things_of
from messaging.simulator.cloudloop.server import CloudloopHabits
from messaging.simulator.shared.faults import Faults
from tests.support.closed_port import closed_port
from tests.support.satellite.ground_control import IMEI, SECRET, THING, cloudloop
from tests.support.satellite.providers.cloudloop_connected import connection

pytestmark = pytest.mark.anyio


def test_it_is_registered_under_its_name() -> None:
    assert ACCOUNTS["cloudloop"] is CloudloopAccount


def test_an_account_that_lacks_something_says_which_variable() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(CloudloopAccount)
    assert "SATBRIDGE_CLOUDLOOP_TOKEN is not set" in str(caught.value)
    assert "SATBRIDGE_CLOUDLOOP_WEBHOOK_SECRET is not set" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook_secret", "too-short"),
        ("webhook_secret", "long enough but not for a path"),
        ("things", "300234010753370"),
        ("things", "=x"),
        ("service", "fax"),
    ],
)
def test_a_setting_that_cannot_work_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(CloudloopAccount, **{"token": "t", "webhook_secret": SECRET, name: value})
    assert f"SATBRIDGE_CLOUDLOOP_{name.upper()}" in str(caught.value)
    assert value not in str(caught.value).replace("IMEI=", "")


def test_things_are_read() -> None:
    assert things_of(f" {IMEI}={THING} , 1=a,") == {IMEI: THING, "1": "a"}
    assert things_of("") == {}


@pytest.mark.parametrize(
    ("service", "size", "limit"), [("sbd", 270, 270), ("imt", 271, 271), ("imt", 99_999, 100_000)]
)
async def test_a_packet_goes_by_the_service_of_its_account(
    service: str, size: int, limit: int
) -> None:
    with cloudloop() as server:
        account = server.account(service=service, max_packet_bytes=limit)
        async with connection(account) as network:
            handed = await network.send(THING, b"\x00" * size)
        assert handed.network_id.startswith("MT0")
        assert handed.billed_units is None
        assert server.downlinks() == [(b"\x00" * size, service)]


async def test_credits_are_counted_where_they_are_known() -> None:
    with cloudloop() as server:
        async with connection(server.account(credit_bytes=50)) as network:
            assert (await network.send(THING, b"x" * 51)).billed_units == 2


async def test_a_packet_that_is_too_long_never_leaves() -> None:
    with cloudloop() as server:
        async with connection(server.account()) as network:
            with pytest.raises(Rejected, match="271 bytes"):
                await network.send(THING, b"x" * 271)
        assert server.simulator.app.requests == 0


@pytest.mark.parametrize("serial", ["", "a b", "x" * 65, "ä"])
async def test_a_serial_that_is_no_thing_is_rejected(serial: str) -> None:
    account = read(CloudloopAccount, token="t", webhook_secret=SECRET)
    with pytest.raises(Rejected):
        await account.connect().send(serial, b"hello")


@pytest.mark.parametrize(
    ("settings", "thing", "words"),
    [
        ({}, "nobody", "Thing not found"),
        ({"max_packet_bytes": 400}, THING, "Message too long"),
        ({"service": "imt", "topic": "IMT_TOPIC_PLAID"}, THING, "Invalid topic"),
    ],
)
@pytest.mark.parametrize(
    ("status", "name"), [(200, "error"), (200, "message"), (400, "error"), (403, "error")]
)
async def test_a_refusal_is_final_in_whatever_shape_it_comes(
    settings: dict[str, Any], thing: str, words: str, status: int, name: str
) -> None:
    with cloudloop(habits=CloudloopHabits(refused_status=status, error_name=name)) as server:
        async with connection(server.account(**settings)) as network:
            with pytest.raises(Rejected, match=words if status == 200 else None):
                await network.send(thing, b"x" * (300 if "max_packet_bytes" in settings else 5))


@pytest.mark.parametrize("status", [200, 400, 401, 403])
async def test_a_token_that_is_refused_can_be_mended_and_the_operator_is_told(
    status: int,
) -> None:
    with cloudloop(habits=CloudloopHabits(refused_status=status)) as server:
        async with connection(server.account(token="wrong")) as network:
            with pytest.raises(AccountBlocked, match="does not accept our") as caught:
                await network.send(THING, b"hello")
    assert caught.value.action == "check SATBRIDGE_CLOUDLOOP_TOKEN"


@pytest.mark.parametrize(
    ("faults", "expected", "sends"),
    [
        (Faults(error_rate=1, error_status=404), AccountBlocked, 0),
        (Faults(error_rate=1, error_status=500), Uncertain, 0),
        (Faults(error_rate=1, error_status=503), Unavailable, 0),
        (Faults(requests_per_second=0.001, retry_after_seconds=7), Unavailable, 0),
        (Faults(refuse_rate=1), Uncertain, 0),
        (Faults(hang_before_rate=1), Uncertain, 0),
        (Faults(hang_after_rate=1), Uncertain, 1),
        (Faults(garbage_rate=1), Uncertain, 1),
    ],
)
async def test_an_answer_that_does_not_come_is_judged(
    faults: Faults, expected: type[Exception], sends: int
) -> None:
    with cloudloop(faults=faults) as server:
        async with connection(server.account(timeout_seconds=3)) as network:
            with pytest.raises(expected) as caught:
                await network.send(THING, b"hello")
        assert type(caught.value) is expected
        assert len(server.downlinks()) == sends
        if faults.requests_per_second:
            assert getattr(caught.value, "retry_after_seconds", None) == 7


async def test_a_host_that_is_not_there_is_unavailable() -> None:
    with closed_port() as url:
        account = read(CloudloopAccount, token="t", webhook_secret=SECRET, url=url)
        async with connection(account) as network:
            with pytest.raises(Unavailable, match="cannot be reached"):
                await network.send(THING, b"hello")
