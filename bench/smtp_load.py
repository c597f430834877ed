"""Offers mail with Postfix's own load generator, `smtp-source`: the client costs little and is the same for all."""

import shutil
import subprocess
import time


def available() -> bool:
    """Whether `smtp-source` is installed (Debian: the package postfix)."""
    return shutil.which("smtp-source") is not None


def mails_per_second(
    port: int, *, mails: int, connections: int, keep: bool, text_bytes: int = 400
) -> float:
    """Send so many mails and return how many a second were answered with 250.

    `keep` sends many mails over each connection; otherwise each mail has its own.
    """
    command = ["smtp-source", *(["-d"] if keep else []), f"-s{connections}", f"-m{mails}"]
    command += [f"-l{text_bytes}", "-fauthor@example.net", "-tboop@example.org"]
    began = time.monotonic()
    subprocess.run([*command, f"inet:127.0.0.1:{port}"], check=True, timeout=600)
    return mails / (time.monotonic() - began)
