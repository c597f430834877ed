"""Switches under `/sim` that several simulators have: faults and clock."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.simulator.shared.clock import Clock
from messaging.simulator.shared.faults import Dice, Faults


def wrong(error: Exception, status: int = 400) -> Response:
    """Return the answer to a wrong request, with the reason."""
    return JSONResponse({"error": str(error)}, status)


def fault_switches(dice: Dice) -> list[Route]:
    """Return `GET` and `PUT /sim/faults`, which read and replace the faults."""

    async def show(request: Request) -> Response:
        return JSONResponse(dice.faults.model_dump())

    async def replace(request: Request) -> Response:
        try:
            dice.faults = Faults.model_validate_json(await request.body())
        except ValueError as error:
            return wrong(error)
        return JSONResponse(dice.faults.model_dump())

    return [
        Route("/sim/faults", show, methods=["GET"]),
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
