"""The simulated Hive on a free port, and accounts at it with short waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.config.env import read
from messaging.model.message import Emit
from messaging.satellite.poller import SatellitePoller
from messaging.satellite.providers.hive.account import HiveAccount
from messaging.satellite.providers.hive.client import Hive
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.shared.serving import Serving

PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class HiveServer:
    simulator: HiveSimulator
    url: str

    def account(self, **settings: Any) -> HiveAccount:
        return account_at(self.url, **settings)


def account_at(url: str, **settings: Any) -> HiveAccount:
    quick = {
        "username": "boop",
        "password": PASSWORD,
        "poll_seconds": 0.05,
        "retry_seconds": 0.02,
        "longest_retry_seconds": 0.2,
        "login_pause_seconds": 0.01,
        "timeout_seconds": 20,
    }
    return read(HiveAccount, url=url, **{**quick, **settings})


@contextmanager
def serving(simulator: HiveSimulator) -> Iterator[HiveServer]:
    with Serving(simulator.app) as server:
        yield HiveServer(simulator, server.url + "/hive")


@asynccontextmanager
async def polling(account: HiveAccount, emit: Emit) -> AsyncIterator[SatellitePoller]:
    poller = SatellitePoller(account, "hive")
    running = asyncio.create_task(poller.run(emit))
    try:
        yield poller
    finally:
        await poller.drain()
        await running


LOGIN = JSONResponse({"token": "t0ken"})


@asynccontextmanager
async def connection(account: HiveAccount) -> AsyncIterator[Hive]:
    network = account.connect()
    try:
        yield network
    finally:
        await network.aclose()


@contextmanager
def answering(
    messages: Callable[[Request], Response | Awaitable[Response]], login: Response = LOGIN
) -> Iterator[HiveAccount]:
    """Serve a Hive with answers that the simulator never gives."""

    async def log_in(request: Request) -> Response:
        return login

    async def answer(request: Request) -> Response:
        found = messages(request)
        return found if isinstance(found, Response) else await found

    routes = [
        Route("/hive/login", log_in, methods=["POST"]),
        Route("/hive/api/v1/{rest:path}", answer, methods=["GET", "POST"]),
    ]
    with Serving(Starlette(routes=routes)) as server:
        yield account_at(server.url + "/hive")
