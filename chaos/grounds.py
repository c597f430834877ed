"""Sets up the gateway that a group of scenarios shares."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chaos.clocks import false_clock
from chaos.cluster import Cluster
from chaos.gateway import StrickenGateway
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
        cluster = exits.enter_context(Cluster()) if ground is Ground.CLUSTER else None
        gateway = StrickenGateway(kept.url, state, cluster)
        if ground is Ground.FALSE_CLOCK:
            gateway.surroundings = false_clock(state)
        yield exits.enter_context(gateway), kept
