"""Connections to the simulator of Garmin and to a server with other answers, and texts to send."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messaging.model.message import Address, Message, Network
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.satellite.providers.garmin.client import Garmin
from messaging.simulator.shared.serving import Serving
from tests.support.satellite.garmin_server import IMEI, garmin_account

ALICE = Address(Network.EMAIL, "alice@example.net")


@asynccontextmanager
async def connection(account: GarminAccount) -> AsyncIterator[Garmin]:
    network = account.connect()
    try:
        yield network
    finally:
        await network.aclose()


@contextmanager
def answering(answer: Callable[[Request], Response]) -> Iterator[GarminAccount]:
    """Serve an API with answers that the simulator never gives."""

    async def serve(request: Request) -> Response:
        return answer(request)

    app = Starlette(routes=[Route("/{rest:path}", serve, methods=["GET", "POST"])])
    with Serving(app) as server:
        yield garmin_account(server.url)


def message(text: str = "Storm ahead", sender: Address = ALICE, subject: str = "") -> Message:
    recipient = Address(Network.SATELLITE, IMEI)
    return Message(
        id="0" * 32, sender=sender, recipient=recipient, text=text, subject=subject, via="garmin"
    )


def packet(text: str = "Storm ahead", **more: Any) -> bytes:
    (found,) = garmin_account().packets(message(text, **more), "", 1)
    return found
