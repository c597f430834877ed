"""Free ports of this machine."""

import os
import random
import socket
from itertools import cycle

# Below the ports that Linux gives to connections and to servers on port 0 (32768 and up), or one of them takes the port
# before its server listens; above those of Ray's agents (`AGENT_PORTS`).
PORTS = range(26_000, 32_768)
SLICES = 8  # one for each worker of a test run: they ask at the same time


def _slice_of_worker() -> range:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SLICES
    return PORTS[number::SLICES]


_mine = _slice_of_worker()
_next = cycle(random.sample(_mine, len(_mine)))


def free_port() -> int:
    """Return a port of loopback that is free now; none comes again before all others came.

    Raises OSError if none is free.
    """
    for _ in _mine:
        port = next(_next)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise OSError(f"no port of {PORTS.start} to {PORTS.stop - 1} is free")
