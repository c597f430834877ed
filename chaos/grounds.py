"""Sets up the gateway that a group of scenarios shares."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chaos.clocks import false_clock
from chaos.gateway import StrickenGateway
from chaos.nodes import CLUSTER_ENVIRONMENT, two_nodes
from chaos.scenario import Ground
from chaos.stores import Store, small_disk, store_in

DISK_MEGABYTES = {"sqlite": 24, "postgres": 160}


@contextmanager
def ground_for(ground: Ground, store: str, folder: Path) -> Iterator[tuple[StrickenGateway, Store]]:
    """A running gateway of this kind, with its store. Raises OSError where the machine does not allow it."""
    with ExitStack() as exits:
        state, data = folder / "state", folder / "data"
        for path in (state, data):
            path.mkdir(mode=0o755)
        if ground is Ground.SMALL_DISK:
            exits.enter_context(small_disk(data, DISK_MEGABYTES[store]))
        kept = exits.enter_context(store_in(store, data))
        gateway = StrickenGateway(kept.url, state, **_joining(ground, state, exits))
        if ground is Ground.FALSE_CLOCK:
            gateway.surroundings = false_clock(state)
        if ground is Ground.TWO_NODES:
            gateway.surroundings = CLUSTER_ENVIRONMENT
        yield exits.enter_context(gateway), kept


def _joining(ground: Ground, folder: Path, exits: ExitStack) -> dict[str, str]:
    if ground is not Ground.TWO_NODES:
        return {}
    return {"RAY_ADDRESS": exits.enter_context(two_nodes(folder))}
