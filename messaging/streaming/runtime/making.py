"""Makes the worker of one instance, as the kind of its stage asks."""

from messaging.streaming.api.graph import Graph, Kind, Stage
from messaging.streaming.runtime.output import Runtime, output_of
from messaging.streaming.runtime.worker import Worker
from messaging.streaming.stateful.state.base import Store
from messaging.streaming.stateful.worker import StatefulWorker

AnyWorker = Worker | StatefulWorker


def make_worker(
    graph: Graph,
    stage: Stage,
    index: int,
    runtime: Runtime,
    store: Store | None,
    patience_seconds: float | None,
) -> AnyWorker:
    """Make the operator and its worker. Raises what the operator raises."""
    if store is not None:
        return StatefulWorker(graph, stage, index, store, runtime)
    patience = patience_seconds if stage.kind is Kind.SOURCE else None
    outlet = output_of(graph, stage.name, index, runtime, patience)
    return Worker(stage, graph.instance(stage, index), stage.build(), outlet)
