"""The proxies in front, as deploy/proxy has them: real nginx and Caddy, a real application, and real requests."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from messaging.config.settings import Settings
from tests.support.eventually import wait_until
from tests.support.mail.certificates import make_certificate
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.store.fixtures import opened, settings_for
from tests.support.web_app import web_app

NAME = "gateway.example.org"
NGINX, CADDY = shutil.which("nginx") or "/usr/sbin/nginx", shutil.which("caddy") or "/usr/bin/caddy"


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its ports for TLS and for plain HTTP."""

    kind: str
    port: int
    plain: int

    def request(self, method: str, path: str, **content: object) -> httpx.Response:
        with httpx.Client(verify=False, trust_env=False, timeout=60) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                headers={"Host": NAME},
                extensions={"sni_hostname": NAME},
                **content,  # type: ignore[arg-type]
            )


@contextmanager
def running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def base_file(folder: Path, upstream: str, port: int, plain: int) -> Path:
    """Write a main configuration around that of the Kubernetes base. The pod that answers ACME is the upstream too."""
    ours = (ROOT / "deploy/base/proxy.conf").read_text()
    ours = ours.replace("server webhooks:8000;", f"server {upstream};")
    ours = re.sub(r" *resolver .*\n", "", ours)
    ours = ours.replace("acme.satbridge.svc.cluster.local", "127.0.0.1")
    ours = ours.replace("$solvers:8089", "$solvers:" + upstream.rpartition(":")[2])
    ours = ours.replace("listen 8443 ssl", f"listen 127.0.0.1:{port} ssl")
    ours = ours.replace("listen 8080 ", f"listen 127.0.0.1:{plain} ")
    ours = ours.replace("tls/tls.crt", "tls/fullchain.pem").replace(
        "tls/tls.key", "tls/privkey.pem"
    )
    return main_file(folder, ours.replace("/etc/satbridge/tls", str(folder)))


def nginx_file(folder: Path, upstream: str, port: int, plain: int) -> Path:
    """Write a main configuration around ours, with ports and paths of the test."""
    ours = (ROOT / "deploy/proxy/nginx.conf").read_text()
    ours = ours.replace("server 127.0.0.1:8000;", f"server {upstream};")
    ours = re.sub(r" *listen \[::\].*\n", "", ours)
    ours = ours.replace("listen 443", f"listen 127.0.0.1:{port}")
    ours = ours.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    ours = ours.replace(f"/etc/letsencrypt/live/{NAME}", str(folder))
    return main_file(folder, ours.replace("/var/log/nginx", str(folder)))


def main_file(folder: Path, ours: str) -> Path:
    ours = ours.replace("_timeout 10s", "_timeout 1s")
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{\n{paths}{ours}\n}}\n"
    )
    return file


def caddy_file(folder: Path, upstream: str, port: int, plain: int) -> Path:
    """Write our configuration with the ports and the certificate of the test."""
    ours = (ROOT / "deploy/proxy/Caddyfile").read_text()
    ours = ours.replace("127.0.0.1:8000", upstream).replace("read_header 10s", "read_header 1s")
    ours = ours.replace("read_body 30s", "read_body 1s")
    options = f"\tadmin off\n\tauto_https off\n\thttp_port {plain}\n\thttps_port {port}\n"
    options += f"\tstorage file_system {folder}/caddy\n\tdefault_bind 127.0.0.1\n\tservers {{"
    ours = ours.replace("\tservers {", options, 1)
    tls = f"tls {folder}/fullchain.pem {folder}/privkey.pem"
    ours = ours.replace(f"\n{NAME} {{\n", f"\nhttps://{NAME} {{\n\t{tls}\n", 1)
    file = folder / "Caddyfile"
    file.write_text(ours)
    return file


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("store")
    url = f"sqlite:///{folder / 'store.sqlite3'}"
    yield from opened(settings_for(url, folder, public_url=f"https://{NAME}"))


@pytest.fixture(scope="module", params=["nginx", "caddy", "kubernetes"])
def proxy(
    request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(request.param)
    if not Path(CADDY if request.param == "caddy" else NGINX).exists():
        pytest.skip(f"{request.param} is not installed")
    made = make_certificate(folder)
    made.certificate.rename(folder / "fullchain.pem")
    made.key.rename(folder / "privkey.pem")
    port, plain = free_port(), free_port()
    with web_app(settings) as web:
        upstream = web.url.removeprefix("http://")
        if request.param != "caddy":
            write = nginx_file if request.param == "nginx" else base_file
            file = write(folder, upstream, port, plain)
            subprocess.run([NGINX, "-t", "-q", "-c", file], check=True, capture_output=True)
            command = [NGINX, "-c", str(file)]
        else:
            file = caddy_file(folder, upstream, port, plain)
            adapter = ["--config", str(file), "--adapter", "caddyfile"]
            subprocess.run([CADDY, "validate", *adapter], check=True, capture_output=True)
            command = [CADDY, "run", *adapter]
        with running(*command):
            wait_until(lambda: listens(port))
            yield Proxy(request.param, port, plain)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/sms/twilio", {403}),  # the application refuses the signature
        ("POST", "/satellite/garmin/garmin", {403}),
        ("GET", "/admin/login/", {404}),
        ("GET", "/static/admin/css/base.css", {404}),
        ("GET", "/sms/twilio", {403, 405}),
        ("PUT", "/satellite/garmin/garmin", {403, 405}),
        ("GET", "/", {404}),
        ("POST", "/nosuch", {404}),
        ("GET", "/metrics", {404}),
        ("GET", "/readyz", {404}),
        ("GET", "/healthz", {404}),
        ("GET", "/-/routes", {404}),
        ("GET", "/-/healthz", {404}),
    ],
)
def test_webhooks_pass_and_nothing_else(
    proxy: Proxy, method: str, path: str, status: set[int]
) -> None:
    answer = proxy.request(method, path)
    assert answer.status_code in status
    assert "uvicorn" not in answer.headers.get("server", "")
    assert "x-request-id" not in answer.headers


@pytest.mark.parametrize(
    ("path", "size"), [("/sms/twilio", 200_000), ("/satellite/garmin/garmin", 10_000_000)]
)
def test_a_large_webhook_is_refused(proxy: Proxy, path: str, size: int) -> None:
    # The connection may be closed while the rest is on its way. Caddy says 503.
    with suppress(httpx.WriteError):
        assert proxy.request("POST", path, content=b"x" * size).status_code in (413, 503)


def test_a_head_that_never_ends_is_closed(proxy: Proxy) -> None:
    context = ssl._create_unverified_context()
    began = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as connection,
    ):
        connection.sendall(b"POST /sms/twilio HTTP/1.1\r\nHost: ")
        while connection.recv(4096):
            pass  # a refusal may come first
    assert time.monotonic() - began < 55


def test_plain_http_is_redirected_and_answers_acme(proxy: Proxy) -> None:
    if proxy.kind == "caddy":
        return  # it does so by itself, which the test has switched off
    with httpx.Client(trust_env=False, timeout=60, headers={"Host": NAME}) as client:
        url = f"http://127.0.0.1:{proxy.plain}"
        for path in ("/admin/", "/sms/twilio", "/metrics"):
            answer = client.post(url + path, content=b"x")
            assert (answer.status_code, answer.headers["location"]) == (
                301,
                f"https://{NAME}{path}",
            )
        # The one who answers ACME, here the gateway, does not know this token.
        assert client.get(url + "/.well-known/acme-challenge/x").status_code == 404
