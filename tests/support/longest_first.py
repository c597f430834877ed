"""Shares test files out among the processes of pytest-xdist: the longest first, and one gateway for a whole folder."""

from typing import Final

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# Its tests share one gateway.
FOLDER: Final = "tests/acceptance/networks"
# A long file at the end would keep one processor busy while the other one waits.
FIRST: Final = (
    FOLDER,
    # Takes all processors for itself: meanwhile the gateway of the folder above starts, which may take long.
    "tests/acceptance/test_slow_start.py",
    "tests/acceptance/test_on_cluster.py",
    "tests/acceptance/test_gateway.py",
    "tests/integration/chaos/test_never_lost.py",
    "tests/acceptance/test_stopped_processes.py",
    "tests/acceptance/test_stopped_start.py",
    "tests/acceptance/test_upgrade.py",
    "tests/acceptance/test_demo.py",
    "tests/acceptance/test_full_disk.py",
    "tests/acceptance/test_metrics.py",
    "tests/integration/streaming/test_java.py",
    "tests/acceptance/test_prepare_for_shutdown.py",
    "tests/integration/streaming/test_two_nodes.py",
    "tests/acceptance/test_privacy.py",
    # Those with the cluster of the session come last: it runs from then on.
    "tests/integration/streaming/test_failover.py",
)


class LongestFirst(LoadFileScheduling):  # type: ignore[misc] # which xdist has not typed
    """Gives a whole file to one process, `FIRST` in that order; the others follow, those with most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return FOLDER if file.startswith(f"{FOLDER}/") else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = min(self.workqueue, key=_place)
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)


def _place(scope: str) -> int:
    return FIRST.index(scope) if scope in FIRST else len(FIRST)
