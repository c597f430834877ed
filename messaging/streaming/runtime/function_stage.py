"""Runs a FUNCTION stage on behalf of whoever feeds it: calls the function, hands on what it returns."""

from collections.abc import Awaitable, Callable
from typing import Any

from messaging.streaming.api.graph import Graph, Stage
from messaging.streaming.runtime.channel import Call
from messaging.streaming.runtime.operator_thread import Results
from messaging.streaming.runtime.output import Runtime, output_of
from messaging.streaming.runtime.worker import Worker


class Calling:
    """An operator whose work is done elsewhere by a function without state."""

    def __init__(self, function: Callable[[list[Any]], Awaitable[Results]]) -> None:
        self._function = function

    async def process(self, records: list[Any]) -> Results:
        """Call the function with the batch. Raises what the call raises."""
        return await self._function(records)


def local_stage(
    stage: Stage,
    graph: Graph,
    runtime: Runtime,
    function: Callable[[list[Any]], Awaitable[Results]],
) -> Call:
    """Return what runs the stage from this process, with channels of its own to the stages after it."""
    outlet = output_of(graph, stage.name, 0, runtime)
    return Worker(stage, graph.instance(stage, 0), Calling(function), outlet).process
