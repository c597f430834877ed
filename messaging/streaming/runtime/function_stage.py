"""Runs a FUNCTION stage in the process of its sender: calls the function, and hands its outputs on."""

from collections.abc import Awaitable, Callable
from typing import Any

from messaging.streaming.api.graph import Graph
from messaging.streaming.api.operators import Results
from messaging.streaming.api.stage import Stage
from messaging.streaming.runtime.batch_redelivery import Call
from messaging.streaming.runtime.output import Runtime, output_of
from messaging.streaming.runtime.worker import BatchWorker


class RemoteFunction:
    """An operator without state that leaves its work to a function, which runs elsewhere."""

    def __init__(self, function: Callable[[list[Any]], Awaitable[Results]]) -> None:
        self._function = function

    async def process(self, records: list[Any]) -> Results:
        """Call the function with the batch. Raises the errors of the call."""
        return await self._function(records)


def function_call(
    stage: Stage,
    graph: Graph,
    runtime: Runtime,
    function: Callable[[list[Any]], Awaitable[Results]],
) -> Call:
    """Return the call that runs the stage from this process, with channels of its own to the stages after it."""
    output = output_of(graph, stage.name, 0, runtime)
    return BatchWorker(stage, graph.instance(stage, 0), RemoteFunction(function), output).process
