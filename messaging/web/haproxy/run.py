"""Writes our configuration of HAProxy in the place of Ray's, and becomes HAProxy. Ray starts it instead of the program.

It runs by its path, alone: it imports nothing of the gateway, so that a start or a reload takes milliseconds.
Ray's own configuration opens statistics to every interface, its control socket to every user, and waits for the head
of a request for ever. Ray has no setting for these. Only the servers and the control socket are taken over from it.
"""

import ctypes
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

# Of linux/prctl.h.
PR_SET_PDEATHSIG = 1
OPTIONS = "SB_HAPROXY_OPTIONS"
LATER_FILE = "503.http"
BACKEND_FILE = "backend.cfg"
SERVER = re.compile(r" +server (?P<name>[\w.-]+) (?P<place>[\w.:\[\]-]+) check\b(?P<rest>.*)")
# Not of the internet, as `ipaddress.is_global` has it: they may be those of a proxy, whose clients are many.
PRIVATE = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24"
    " 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 ::1 fc00::/7 fe80::/10 2001:db8::/32"
)
CONFIGURATION = """global
    stats socket {control} mode 600 level admin expose-fd listeners
    stats timeout 30s
    # A few more than are served: those get 503, and further ones wait unread.
    maxconn {limit}
    nbthread 1
    # Bounds the requests in work that an old process finishes after a reload.
    hard-stop-after {stop_seconds}s
defaults
    mode http
    timeout connect 5s
    timeout http-request {head_seconds}s
    timeout http-keep-alive {head_seconds}s
    timeout client {answer_seconds}s
    timeout server {answer_seconds}s
    timeout queue {answer_seconds}s
    option http-no-delay
    option redispatch 1
    # Nothing was sent then.
    retry-on conn-failure
    errorfile 408 /dev/null
    errorfile 500 {later}
    errorfile 502 {later}
    errorfile 503 {later}
    errorfile 504 {later}
frontend http_frontend
    bind {listen} proto h1
    maxconn {limit}
    stick-table type ipv6 size 20k expire 1h store conn_cur
    acl is_private src {private}
    tcp-request connection track-sc0 src if !is_private
    tcp-request connection reject if {{ sc0_conn_cur gt {per_client} }}
    http-request deny deny_status 503 if {{ fe_conn gt {connections} }}
    http-request return status 404 content-type text/plain string "not found" if {{ path_beg /-/ }}
    default_backend {backend}
backend nothing
"""
BACKEND = """backend {name}
    balance leastconn
    http-reuse always
    default-server inter 2s fastinter 250ms downinter 250ms fall 2 rise 1 check
{servers}
"""


def find_backend(given: str) -> str:
    """Return our section for the servers of Ray's configuration, empty without any.

    Raises ValueError for a configuration of another form.
    """
    sections = re.findall(r"^backend (\S+)\n((?: .*\n|\n)*)", given, re.MULTILINE)
    backends = [
        (name, lines) for name, lines in sections if name not in ("default_backend", "nothing")
    ]
    if not backends:
        return ""
    if len(backends) > 1:
        raise ValueError("more than one application")
    (name, lines), servers = backends[0], []
    for line in lines.split("\n"):
        if " server " in line:
            server = SERVER.fullmatch(line)
            if server is None:
                raise ValueError("a server of an unknown form")
            # One refused connection is enough: the backup, which waits for the next replica, takes its requests.
            is_backup = server["rest"].split()[-1:] == ["backup"]
            role = "backup" if is_backup else "observe layer4 error-limit 1 on-error mark-down"
            servers.append(f"    server {server['name']} {server['place']} {role}")
    return BACKEND.format(name=name, servers="\n".join(servers))


def configure(given: str, backend: str, folder: Path, values: "dict[str, Any]") -> str:
    """Return our configuration with this section for servers. Raises ValueError."""
    control = re.search(r"^ +stats socket (\S+) ", given, re.MULTILINE)
    if control is None:
        raise ValueError("no control socket")
    text = CONFIGURATION.format(
        control=control[1],
        private=PRIVATE,
        later=folder / LATER_FILE,
        backend=backend.split()[1] if backend else "nothing",
        **values,
    )
    return text + backend


def main(*arguments: str) -> None:
    """Write the configuration that `-f` names anew, and become HAProxy.

    That ends when the process that started it does.
    """
    path = Path(arguments[arguments.index("-f") + 1])
    values = json.loads(os.environ[OPTIONS])
    later = (
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n"
        f"Retry-After: {values['retry']}\r\nConnection: close\r\n\r\ntry again later"
    )
    (path.parent / LATER_FILE).write_text(later)
    given, known = path.read_text(), path.with_name(BACKEND_FILE)
    backend = find_backend(given)
    # The first start after a death: Ray reloads it with the servers a second later.
    if not backend and "-sf" not in arguments and known.exists():
        backend = known.read_text()
    known.write_text(backend)
    path.write_text(configure(given, backend, path.parent, values))
    # Ray kills its process at the end, and would leave HAProxy behind, on the port of the next gateway.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    program = values["program"]
    os.execv(program, [program, *arguments])  # noqa: S606 (no shell)


if __name__ == "__main__":
    os.umask(0o077)
    main(*sys.argv[1:])
