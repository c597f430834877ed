"""Runs on a cluster of its own: Java is an option of the whole cluster. Prints what it saw as JSON."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from messaging.streaming import StreamingContext
from messaging.streaming.java.java import compile_operators, driver_command, java_job_config
from messaging.streaming.ray.local import local_cluster

RECORDS = 2500


def main(folder: Path, root: Path) -> None:
    jar = compile_operators([root / "tests/support/streaming/java/Demo.java"], folder / "ops.jar")
    os.environ["JAVA_TEST_OUTPUT"] = str(folder / "driver")
    with local_cluster(job_config=java_job_config(jar, [root])) as cluster:
        said = _operators(folder / "seen") | _keyed(folder / "sums")
        address = cluster.address_info["gcs_address"]
        command = driver_command(jar, address, "pkg.Demo", [root])
        driver = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    said["driver"] = driver.stdout[-300:] + driver.stderr[-2000:]
    said["driven"] = (folder / "driver").read_text() if (folder / "driver").exists() else ""
    sys.stdout.write("\n" + json.dumps(said) + "\n")


def _operators(output: Path) -> dict[str, Any]:
    """A chain of operators in one JVM, and a partition in Java before two more."""

    def keep(record: object) -> None:
        with output.open("a") as file:
            file.write(f"{record!r}\n")

    ctx = StreamingContext.Builder().build()
    letters = ctx.from_values("a", "b", "c", "bad", {"a": "dict"})
    java = letters.as_java_stream().map("pkg.Demo$Fussy").map("pkg.Demo$Mapper1")
    twice = java.filter("pkg.Demo$Filter1").flat_map("pkg.Demo$Twice")
    last = twice.partition_by("pkg.Demo$ToTheLast").map("pkg.Demo$Mapper1").set_parallelism(2)
    last.as_python_stream().sink(keep)
    job = ctx.submit("java_operators")
    job.wait()
    return {
        "seen": output.read_text().split("\n")[:-1],
        "aside": sorted(one.error for one in job.dead_letters()),
        "stages": [stage.name for stage in ctx.graph().stages],
        "taken": {row["name"]: row["in"] for row in job.status()},
    }


def _keyed(output: Path) -> dict[str, Any]:
    """Sums by letter, folded in a JVM that is killed meanwhile."""

    def keep(record: list[Any]) -> None:
        with output.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def sums() -> list[Any]:
        lines = output.read_text().split("\n")[:-1] if output.exists() else []
        return [json.loads(line) for line in lines]

    ctx = StreamingContext.Builder().build()
    pairs = [("abc"[n % 3], -1 if n == RECORDS // 2 else 1, 0) for n in range(RECORDS)]
    java = ctx.from_values(*pairs).as_java_stream().map("pkg.Demo$Fussy")
    java.key_by("pkg.Demo$Letter").reduce("pkg.Demo$Add").as_python_stream().sink(keep)
    job = ctx.submit("java_keyed")
    while not (seen := sums()):
        time.sleep(0.05)
    os.kill(seen[-1][2], signal.SIGKILL)
    job.wait()
    found = sums()
    return {
        "sums": [[letter, number] for letter, number, _ in found],
        "jvms": len({pid for _, _, pid in found} - {0}),
        "keyed_aside": [one.error for one in job.dead_letters()],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
