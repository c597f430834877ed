"""Switches under `/sim` that several simulators have: lists, faults and clock."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.simulator.shared.clock import Clock
from messaging.simulator.shared.faults import Dice, Faults


def wrong(error: Exception, status: int = 400) -> Response:
    """Return the answer to a wrong request, with the reason."""
    return JSONResponse({"error": str(error)}, status)


def json_route(path: str, read: Callable[[Request], Any]) -> Route:
    """Return a GET route that answers with `read(request)` as JSON, or with 400 for a ValueError."""

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(read(request))
        except ValueError as error:
            return wrong(error)

    return Route(path, answer, methods=["GET"])


def after(request: Request) -> int:
    """Return the number `after` of the query, 0 without one. Raises ValueError."""
    text = request.query_params.get("after", "0")
    if not text.isdecimal():
        raise ValueError("after is not a number")
    return int(text)


def fault_switches(dice: Dice) -> list[Route]:
    """Return `GET` and `PUT /sim/faults`, which read and replace the faults."""

    async def replace(request: Request) -> Response:
        try:
            dice.faults = Faults.model_validate_json(await request.body())
        except ValueError as error:
            return wrong(error)
        return JSONResponse(dice.faults.model_dump())

    return [
        json_route("/sim/faults", lambda request: dice.faults.model_dump()),
        Route("/sim/faults", replace, methods=["PUT"]),
    ]


def clock_switch(clock: Clock) -> Route:
    """Return `POST /sim/clock`, which advances the clock by `advance_seconds` and returns the time."""

    async def advance(request: Request) -> Response:
        try:
            clock.advance(float((await request.json())["advance_seconds"]))
        except (ValueError, TypeError, KeyError) as error:
            return wrong(error)
        return JSONResponse({"now": clock.now()})

    return Route("/sim/clock", advance, methods=["POST"])
