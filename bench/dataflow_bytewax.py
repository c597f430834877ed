"""The peer of the keyed running sum: bytewax, with its recovery store on. Needs `pip install bytewax`."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys, time
from pathlib import Path
from datetime import timedelta
import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

records, keys, parallelism, folder = json.loads(sys.argv[1])

class Part(StatefulSourcePartition):
    def __init__(self, share, at):
        self.share, self.at = share, at or 0
    def next_batch(self):
        if self.at >= self.share:
            raise StopIteration()
        numbers = range(self.at, min(self.at + 1000, self.share))
        self.at = numbers.stop
        return [(str(n % keys), 1) for n in numbers]
    def snapshot(self):
        return self.at

class Numbers(FixedPartitionedSource):
    def list_parts(self):
        return [str(i) for i in range(parallelism)]
    def build_part(self, step_id, part, at):
        return Part(len(range(int(part), records, parallelism)), at)

class Drop(StatelessSinkPartition):
    def write_batch(self, items):
        pass

class Sink(DynamicSink):
    def build(self, step_id, index, count):
        return Drop()

def add(total, one):
    total = (total or 0) + one
    return total, total

flow = Dataflow("sum")
stream = op.input("in", flow, Numbers())
op.output("out", op.stateful_map("sum", stream, add), Sink())
Path(folder).mkdir(parents=True, exist_ok=True)
init_db_dir(Path(folder), parallelism)
began = time.monotonic()
cluster_main(flow, [], 0, worker_count_per_proc=parallelism,
             epoch_interval=timedelta(seconds=1), recovery_config=RecoveryConfig(folder))
print(time.monotonic() - began)
"""


def keyed_sum(records: int, keys: int, parallelism: int, folder: Path) -> float:
    """Return the seconds that bytewax takes. Raises ImportError when it is not installed."""
    import bytewax  # noqa: F401 - whether it is here

    given = json.dumps([records, keys, parallelism, str(folder)])
    command = [sys.executable, "-c", PROGRAM, given]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
