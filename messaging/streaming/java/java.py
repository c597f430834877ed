"""Compiles Java operators against our small API, and makes the settings with which Ray runs JVMs for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import ray
from ray.job_config import JobConfig

from messaging.streaming.api.errors import DeclarationError

API = Path(__file__).parent
RAY_JAR = Path(ray.__file__).parent / "jars" / "ray_dist.jar"
COMPILE_SECONDS = 120

# Ray's serializer looks into these; without them an exception in Java ends its JVM.
_OPENED = (
    "java.lang java.util java.lang.reflect java.lang.invoke java.io java.nio java.math java.text java.net"
    " java.util.concurrent"
)
JVM_OPTIONS = (
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED.split()),
    *("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
)


def has_jdk() -> bool:
    """Whether `java` and `javac` are on the PATH."""
    return all(map(shutil.which, ("java", "javac", "jar")))


def compile_operators(sources: Iterable[Path], jar: Path) -> Path:
    """Compile the sources with our API into a jar, for Java 11 and later. Raises DeclarationError, as javac says."""
    with tempfile.TemporaryDirectory() as classes:
        files = [*API.rglob("*.java"), *sources]
        _run("javac", "--release", "11", "-cp", RAY_JAR, "-d", classes, *files)
        _run("jar", "cf", jar, "-C", classes, ".")
    return jar


def java_job_config(jar: Path, python_folders: Sequence[Path] = ()) -> JobConfig:
    """Return what `ray.init(job_config=...)` needs: where Java finds its classes, and Java programs find Python's."""
    path = [str(jar.absolute()), *(str(folder.absolute()) for folder in python_folders)]
    return JobConfig(code_search_path=path, jvm_options=list(JVM_OPTIONS))


def driver_command(jar: Path, address: str, main: str, python_folders: Sequence[Path]) -> list[str]:
    """Return the command that runs a Java program against the cluster at `address` (host:port)."""
    search = os.pathsep.join(map(str, (jar, *python_folders)))
    options = [f"-Dray.job.jvm-options.{i}={option}" for i, option in enumerate(JVM_OPTIONS)]
    found = [f"-Dray.address={address}", f"-Dray.job.code-search-path={search}"]
    host = address.rpartition(":")[0]
    if host.startswith("127."):
        # Ray then listens on loopback alone, and Java would look for its node under an address of the network.
        found.append(f"-Dray.node-ip={host}")
    classes = os.pathsep.join(map(str, (RAY_JAR, jar)))
    return ["java", *JVM_OPTIONS, "-cp", classes, *found, *options, main]


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603 - the JDK's own tools, on files that the caller names
        words, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False
    )
    if done.returncode:
        raise DeclarationError(f"{words[0]}: {done.stderr}")
