"""Pollers that share an account take turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from messaging.model.message import Emit, Inbound
from messaging.satellite.poller import SatellitePoller
from tests.support.eventually import eventually
from tests.support.satellite.hive_server import HiveServer
from tests.support.satellite.uplinks import Router, acknowledged_count, put

pytestmark = pytest.mark.anyio


class LeaseTable:
    """Who has the turn, for pollers of one process."""

    def __init__(self) -> None:
        self.holder = ""


class Lease:
    """One poller's place at the table."""

    def __init__(self, table: LeaseTable, name: str) -> None:
        self._table = table
        self._name = name

    @property
    def is_valid(self) -> bool:
        return self._table.holder == self._name

    def acquire(self) -> bool:
        self._table.holder = self._table.holder or self._name
        return self.is_valid

    def release(self) -> None:
        self._table.holder = ""


@asynccontextmanager
async def polling(hive: HiveServer, seat: Lease, emit: Emit) -> AsyncIterator[SatellitePoller]:
    poller = SatellitePoller(hive.account(poll_seconds=0.05), "hive", seat)
    task = asyncio.create_task(poller.run(emit))
    try:
        yield poller
    finally:
        await poller.drain()
        await task


async def test_one_stands_by_and_takes_over_at_once_when_the_other_leaves(
    hive: HiveServer,
) -> None:
    table, first, second = LeaseTable(), Router(), Router()
    async with polling(hive, Lease(table, "old"), first.emit):
        await eventually(lambda: table.holder == "old")
        new = polling(hive, Lease(table, "new"), second.emit)
        standing_by = await new.__aenter__()
        put(hive, "one")
        await eventually(lambda: acknowledged_count(hive) == 1)
        await eventually(lambda: standing_by.status()["standing_by"])
    await eventually(lambda: table.holder == "new")
    put(hive, "two")
    await eventually(lambda: acknowledged_count(hive) == 2)
    assert not standing_by.status()["standing_by"]
    await new.__aexit__(None, None, None)
    assert (first.texts(), second.texts()) == (["one"], ["two"])
    assert table.holder == ""


async def test_who_lost_the_turn_acknowledges_nothing(hive: HiveServer) -> None:
    table = LeaseTable()
    offered: list[Inbound] = []

    async def lose_the_turn(record: Inbound) -> None:
        offered.append(record)
        table.holder = "new"

    put(hive, "one")
    async with polling(hive, Lease(table, "old"), lose_the_turn):
        await eventually(lambda: bool(offered))
        await asyncio.sleep(0.2)
        assert acknowledged_count(hive) == 0
