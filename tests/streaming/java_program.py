"""Runs on a cluster of its own: Java is an option of the whole cluster. Prints what it saw as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

from messaging.streaming import StreamingContext
from messaging.streaming.java import compile_operators, driver_command, java_job_config
from messaging.streaming.local import local_cluster


def main(folder: Path, root: Path) -> None:
    jar = compile_operators([root / "tests/streaming/java/Demo.java"], folder / "ops.jar")
    output = folder / "seen"
    os.environ["JAVA_TEST_OUTPUT"] = str(folder / "driver")

    def keep(record: object) -> None:
        with output.open("a") as file:
            file.write(f"{record!r}\n")

    with local_cluster(job_config=java_job_config(jar, [root])) as cluster:
        ctx = StreamingContext.Builder().build()
        letters = ctx.from_values("a", "b", "c", "bad", {"a": "dict"})
        java = letters.as_java_stream().map("pkg.Demo$Fussy").map("pkg.Demo$Mapper1")
        java.filter("pkg.Demo$Filter1").flat_map("pkg.Demo$Twice").as_python_stream().sink(keep)
        job = ctx.submit("java_operators")
        job.wait()
        aside = sorted(one.error for one in job.set_aside())
        address = cluster.address_info["gcs_address"]
        command = driver_command(jar, address, "pkg.Demo", [root])
        driver = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    said = {
        "seen": output.read_text().split("\n")[:-1],
        "aside": aside,
        "stages": [stage.name for stage in ctx.graph().stages],
        "driver": driver.stdout[-300:] + driver.stderr[-2000:],
        "driven": (folder / "driver").read_text() if (folder / "driver").exists() else "",
    }
    sys.stdout.write("\n" + json.dumps(said) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
