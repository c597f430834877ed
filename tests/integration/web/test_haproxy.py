"""HAProxy with our configuration, made from Ray's own: what listens, who is let in, and what strangers are told."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.service.exposure import listeners
from messaging.simulator.shared.serving import Serving
from messaging.web.haproxy.environment import LAUNCHER, haproxy_environment
from messaging.web.haproxy.run import OPTIONS, find_backend
from tests.support.eventually import wait_until
from tests.support.ports import free_port

Start = Callable[..., "Proxy"]
NAME = "http-satbridge-http"


async def count_bytes(scope: Scope, receive: Receive, send: Send) -> None:
    answer: Response = PlainTextResponse(str(len(await Request(scope, receive).body())))
    await answer(scope, receive, send)


class Proxy:
    """A running HAProxy, as Ray starts it: `url` is where it listens."""

    def __init__(self, variables: Mapping[str, str], **servers: int) -> None:
        self.options = json.loads(variables[OPTIONS])
        self.url = "http://127.0.0.1:" + self.options["listen"].rpartition(":")[2]
        self.folder = Path(variables["RAY_SERVE_HAPROXY_CONFIG_FILE_LOC"]).parent
        self.control = self.folder / "admin.sock"
        self.variables = variables
        self.load(**servers)
        self.process = self.start()
        wait_until(self.control.exists)

    def load(self, **servers: int) -> None:
        """Have Ray write its configuration for these servers, by name and port; `backup` is the last resort."""
        found = [ServerConfig(name, "127.0.0.1", port) for name, port in servers.items()]
        backup = next((one for one in found if one.name == "backup"), None)
        ours = [one for one in found if one is not backup]
        backend = BackendConfig(NAME, "/", servers=ours, fallback_server=backup, app_name="a")
        config = HAProxyConfig(
            http_options=HTTPOptions(host="127.0.0.1", port=8000),
            socket_path=str(self.control),
            server_state_base=str(self.folder),
            server_state_file=str(self.folder / "server-state"),
            is_head=True,
        )
        file = str(self.folder / "haproxy.cfg")
        ray = HAProxyApi(config, {NAME: backend} if servers else {}, config_file_path=file)
        ray._generate_config_file_internal()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [str(LAUNCHER), "-db", "-f", str(self.folder / "haproxy.cfg"), "-dR", *arguments]
        return subprocess.Popen(command, env={**os.environ, **self.variables})

    def ask(self, command: str) -> str:
        """Ask its control socket, as Ray does."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.control))
            connection.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Proxy] = []

    settings = read(Settings, http_listen=f"0.0.0.0:{free_port()}")
    with haproxy_environment(settings) as variables:

        def begin(options: Mapping[str, object] | None = None, **servers: int) -> Proxy:
            changed = {**json.loads(variables[OPTIONS]), **(options or {})}
            started.append(Proxy({**variables, OPTIONS: json.dumps(changed)}, **servers))
            return started[-1]

        yield begin
        for proxy in started:
            proxy.process.kill()
            proxy.process.wait(20)


def test_it_listens_where_the_settings_say_and_nowhere_else(start: Start) -> None:
    proxy = start()
    assert [str(one) for one in listeners(proxy.process.pid)] == [
        f"{proxy.options['listen']} (haproxy)"
    ]


def test_only_its_user_reaches_its_control_socket_and_its_files(start: Start) -> None:
    proxy = start()
    assert proxy.folder.stat().st_mode & 0o077 == 0
    assert proxy.control.stat().st_mode & 0o077 == 0
    assert f"Pid: {proxy.process.pid}\n" in proxy.ask("show info")


def test_without_an_application_webhooks_are_put_off_and_serve_is_hidden(start: Start) -> None:
    proxy = start()
    answer = httpx.post(f"{proxy.url}/sms/twilio", content=b"x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    for path in ("/-/routes", "/-/healthz"):
        answer = httpx.get(proxy.url + path)
        assert (answer.status_code, answer.text) == (404, "not found")
    for path in ("/stats", "/metrics"):
        assert httpx.get(proxy.url + path).status_code == 503


def test_requests_reach_the_replica_and_are_put_off_when_it_is_gone(start: Start) -> None:
    with Serving(count_bytes) as replica:
        proxy = start(replica=replica.port)
        wait_until(lambda: f"{NAME},replica" in proxy.ask("show stat"))
        assert httpx.post(f"{proxy.url}/x", content=b"x" * 100_000).text == "100000"
    answer = httpx.post(f"{proxy.url}/x", content=b"x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_the_backup_takes_over_at_the_first_refused_connection(start: Start) -> None:
    with Serving(count_bytes) as backup:
        proxy = start(replica=free_port(), backup=backup.port)
        assert httpx.post(f"{proxy.url}/x", content=b"xyz").text == "3"


def test_a_reload_takes_over_the_port_and_the_servers(start: Start) -> None:
    proxy = start()
    old = proxy.process
    with Serving(count_bytes) as replica:
        proxy.load(replica=replica.port)
        proxy.process = proxy.start("-sf", str(old.pid), "-x", str(proxy.control))
        assert old.wait(20) == 0
        assert httpx.post(f"{proxy.url}/x", content=b"xyz").text == "3"


def test_a_start_after_a_death_knows_the_servers_that_ray_tells_it_later(start: Start) -> None:
    with Serving(count_bytes) as replica:
        proxy = start(replica=replica.port)
        proxy.process.kill()
        proxy.process.wait(20)
        proxy.load()
        proxy.process = proxy.start()
        wait_until(lambda: answers(proxy, b"xyz") == "3")


def answers(proxy: Proxy, content: bytes) -> str:
    try:
        return httpx.post(f"{proxy.url}/x", content=content).text
    except httpx.TransportError:
        return ""


def test_a_head_that_never_ends_is_closed(start: Start) -> None:
    proxy = start({"head_seconds": 1})
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2]))) as connection:
        connection.sendall(b"POST /sms/twilio HTTP/1.1\r\nHost: ")
        assert connection.recv(4096) == b""
    assert time.monotonic() - began < 20


def test_above_the_limit_of_connections_requests_are_put_off(start: Start) -> None:
    with Serving(count_bytes) as replica:
        proxy = start({"connections": 1}, replica=replica.port)
        with httpx.Client() as first, httpx.Client() as second:
            assert first.post(f"{proxy.url}/x", content=b"x").status_code == 200
            assert second.post(f"{proxy.url}/x", content=b"x").status_code == 503
        wait_until(lambda: answers(proxy, b"x") == "1")


def test_it_ends_with_the_process_that_started_it(start: Start) -> None:
    proxy = start()
    proxy.process.kill()
    proxy.process.wait(20)
    proxy.load()
    script = (
        "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); input()"
    )
    command = [sys.executable, "-c", script, str(LAUNCHER), "-f", f"{proxy.folder}/haproxy.cfg"]
    with subprocess.Popen(
        [*command, "-db"],
        env={**os.environ, **proxy.variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as manager:
        assert manager.stdout is not None
        pid = int(manager.stdout.readline())
        wait_until(lambda: answers(proxy, b"x") != "")
        manager.send_signal(signal.SIGKILL)
    wait_until(lambda: answers(proxy, b"x") == "")
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.parametrize(
    "given",
    [
        "backend a\n    server b unix@/x check\n",
        "backend a\n    server b 127.0.0.1:1 check\nbackend c\n    server d 127.0.0.1:2 check\n",
    ],
)
def test_a_configuration_of_another_form_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"server|application"):
        find_backend(given)
