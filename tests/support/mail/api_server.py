"""A small HTTPS server that changes the labels of one pod as the API server of Kubernetes does."""

import json
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.support.eventually import wait_until
from tests.support.mail.certificates import make_certificate

NAMESPACE = "satellites"
POD = "smtp-worker-1"
TOKEN = "a secret token"
HANG = -1
PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json")


@dataclass
class Cluster:
    """One pod with its labels, the valid tokens, and the failures to come: status codes, or HANG."""

    pod: str = POD
    labels: dict[str, str] = field(default_factory=lambda: {"ray.io/group": "smtp"})
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    may_patch: bool = True
    failures: deque[int] = field(default_factory=deque)
    retry_after: str | None = None
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> int:
        """Check in the order of the real server: authentication, authorisation, path, method, type."""
        self.requests.append((method, path, body.decode()))
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401
        if not self.may_patch:
            return 403
        if self.failures:
            return self.failures.popleft()
        if path != self.path:
            return 404
        if method != "PATCH":
            return 405
        if headers.get("Content-Type") not in PATCHES:
            return 415
        self.merge(json.loads(body)["metadata"]["labels"])
        return 200

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{NAMESPACE}/pods/{self.pod}"

    def merge(self, patch: dict[str, str | None]) -> None:
        """Apply a JSON merge patch (RFC 7386)."""
        for key, value in patch.items():
            if value is None:
                self.labels.pop(key, None)
            else:
                self.labels[key] = value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, cluster: Cluster, *arguments: Any) -> None:
        self._cluster = cluster
        super().__init__(*arguments)

    def do_PATCH(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = self._cluster.answer(self.command, self.path, self.headers, body)
        if status == HANG:
            self._cluster.ended.wait(30)
            self.close_connection = True
            return
        content = json.dumps({"kind": "Status", "code": status}).encode()
        self.send_response(status)
        if self._cluster.retry_after is not None:
            self.send_header("Retry-After", self._cluster.retry_after)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class ApiServer:
    """The server, and the folder of credentials that Kubernetes mounts into a pod."""

    def __init__(self, folder: Path, cluster: Cluster | None = None) -> None:
        self.cluster = cluster or Cluster()
        self.credentials = folder / "serviceaccount"
        self.credentials.mkdir()
        self._files = make_certificate(folder, name="api")
        (self.credentials / "ca.crt").write_bytes(self._files.certificate.read_bytes())
        (self.credentials / "namespace").write_text(NAMESPACE)
        self.set_token(TOKEN)

    def set_token(self, token: str) -> None:
        """Replace the token, as the kubelet does."""
        (self.credentials / "token").write_text(token)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self.cluster))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._files.certificate, self._files.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, labels: dict[str, str]) -> None:
        """Wait until the pod has exactly these labels beside those of Ray."""
        wait_until(lambda: self.own_labels() == labels)

    def own_labels(self) -> dict[str, str]:
        return {k: v for k, v in self.cluster.labels.items() if not k.startswith("ray.io/")}
