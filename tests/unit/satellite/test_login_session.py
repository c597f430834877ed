import asyncio

import pytest

from messaging.errors import Unavailable
from messaging.satellite.http_client import LoginSession

pytestmark = pytest.mark.anyio


class Door:
    """A login that counts, and fails as long as it is `shut`."""

    def __init__(self) -> None:
        self.logins = 0
        self.shut = False

    async def log_in(self) -> None:
        self.logins += 1
        await asyncio.sleep(0.01)
        if self.shut:
            raise Unavailable("wrong password")


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_callers_at_the_same_time_share_one_login() -> None:
    door = Door()
    session = LoginSession(door.log_in, 60)
    assert set(await asyncio.gather(*(session.current() for _ in range(50)))) == {1}
    assert door.logins == 1


async def test_an_expired_session_is_renewed_once_for_all_who_noticed() -> None:
    door = Door()
    clock = Clock()
    session = LoginSession(door.log_in, 60, clock)
    stale = await session.current()
    clock.seconds += 60
    assert all(await asyncio.gather(*(session.renew(stale) for _ in range(50))))
    assert door.logins == 2


async def test_a_fresh_session_is_not_renewed() -> None:
    door = Door()
    session = LoginSession(door.log_in, 60)
    assert not await session.renew(await session.current())
    assert door.logins == 1


async def test_a_failed_login_is_not_repeated_within_the_pause() -> None:
    door = Door()
    door.shut = True
    clock = Clock()
    session = LoginSession(door.log_in, 60, clock)
    for _ in range(50):
        with pytest.raises(Unavailable, match="wrong password"):
            await session.current()
    assert door.logins == 1
    door.shut = False
    clock.seconds += 60
    assert await session.current() == 1


async def test_a_session_whose_renewal_failed_is_not_used_again() -> None:
    door = Door()
    clock = Clock()
    session = LoginSession(door.log_in, 60, clock)
    stale = await session.current()
    clock.seconds += 60
    door.shut = True
    with pytest.raises(Unavailable):
        await session.renew(stale)
    with pytest.raises(Unavailable):
        await session.current()
    assert door.logins == 2
