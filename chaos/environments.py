"""Sets up the gateway that a group of scenarios shares."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from chaos.clocks import preloaded_clock
from chaos.cluster import Cluster
from chaos.gateway import TargetGateway
from chaos.scenario import Environment
from chaos.standby import replicated_store
from chaos.stores import Store, small_disk, store_in
from chaos.volatile_disk import VolatileDisk

DISK_MEGABYTES = {"sqlite": 24, "postgres": 160}


@contextmanager
def start_environment(
    environment: Environment, store: str, folder: Path
) -> Iterator[tuple[TargetGateway, Store]]:
    """Run a gateway in this environment; yield it with its store. Raises OSError where the machine forbids it."""
    with ExitStack() as exits:
        state, data = folder / "state", folder / "data"
        for path in (state, data):
            path.mkdir(mode=0o755)
        if environment is Environment.SMALL_DISK:
            exits.enter_context(small_disk(data, DISK_MEGABYTES[store]))
        disk = None
        if environment is Environment.VOLATILE_DISK:
            (folder / "durable").mkdir(mode=0o755)
            disk = exits.enter_context(VolatileDisk(folder / "durable", data))
            state = data / "state"
            state.mkdir(mode=0o755)
        kept = exits.enter_context(_store(environment, store, data))
        kept.disk = disk
        cluster = exits.enter_context(Cluster()) if environment is Environment.CLUSTER else None
        gateway = TargetGateway(kept.url, state, cluster)
        if environment is Environment.FALSE_CLOCK:
            gateway.extra_environment = preloaded_clock(state)
        yield exits.enter_context(gateway), kept


def _store(environment: Environment, kind: str, folder: Path) -> AbstractContextManager[Store]:
    return (
        replicated_store(folder) if environment is Environment.STANDBY else store_in(kind, folder)
    )
