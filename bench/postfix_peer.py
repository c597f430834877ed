"""A private Postfix: takes mail into its queue as usual, and discards it from there."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
relay_domains = example.org
relay_transport = discard:
default_transport = discard:
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_port_logging = no
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
"""


def available() -> bool:
    """Whether Postfix is installed."""
    return shutil.which("postfix") is not None


@contextmanager
def postfix() -> Iterator[int]:
    """Run it on a free port, which is yielded."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="postfix-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _configure(folder, port)
        subprocess.run(["postfix", "-c", name, "start"], check=True, capture_output=True)
        try:
            yield port
        finally:
            subprocess.run(["postfix", "-c", name, "stop"], check=True, capture_output=True)


def _configure(folder: Path, port: int) -> None:
    for part in ("spool", "data"):
        (folder / part).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "main.cf").write_text(MAIN.format(folder=folder))
    lines = Path("/usr/share/postfix/master.cf.dist").read_text().splitlines()
    services = [_service(line, port) for line in lines if line and not line.startswith("#")]
    (folder / "master.cf").write_text("\n".join(services) + "\n")
    shutil.copy("/usr/share/postfix/dynamicmaps.cf", folder) if Path(
        "/usr/share/postfix/dynamicmaps.cf"
    ).exists() else None


def _service(line: str, port: int) -> str:
    words = line.split(maxsplit=7)
    if len(words) < 8 or line[0].isspace():
        return line
    if words[0] == "smtp" and words[1] == "inet":
        words[0] = f"127.0.0.1:{port}"
    words[4] = "n"  # no chroot: the folder holds no system files
    return " ".join(words)
