"""The web server of a running gateway in each of its modes: the same answers, and nothing else beyond loopback."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from messaging.model.webhook import MAX_WEBHOOK_BYTES
from messaging.service.exposure import listeners
from messaging.web.front.limits import MAX_UNWANTED_BYTES
from tests.acceptance.test_demo import alive, descendants
from tests.support.acceptance.running_gateway import RunningGateway, running
from tests.support.eventually import wait_until
from tests.support.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

FRIEND = "+15551230000"
OURS = ("x-satbridge", "x-request-id", "server")


@pytest.fixture(scope="module", params=["serve", "haproxy", "direct", "inline"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """A gateway that listens on all addresses for webhooks, as in a container."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    listen = {"HTTP": request.param, "HTTP_LISTEN": f"0.0.0.0:{port}", "PUBLIC_URL": url}
    inline = {"HTTP": "serve", "RUNTIME": "inline"} if request.param == "inline" else {}
    with running(f"sqlite:///{folder}/store.sqlite3", folder, **{**listen, **inline}) as found:
        found.http = url
        yield found


def test_nothing_but_the_address_of_the_settings_listens_beyond_loopback(
    gateway: RunningGateway,
) -> None:
    found = {(one.address, one.port) for one in listeners(gateway.up.process.pid)}
    assert found == {("0.0.0.0", int(gateway.http.rpartition(":")[2]))}


def test_a_webhook_reaches_its_device(gateway: RunningGateway) -> None:
    assert gateway.text(FRIEND, "Bring fish")["taken"]
    wait_until(lambda: [text for _, _, text in gateway.shown() if "fish" in text])


def test_a_webhook_that_is_not_signed_is_refused(gateway: RunningGateway) -> None:
    assert httpx.post(f"{gateway.http}/sms/twilio", data={"Body": "x"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/-/routes", "/-/healthz", "/stats", "/nosuch", "/admin/login/"]
)
def test_pages_of_others_are_plainly_not_found(gateway: RunningGateway, path: str) -> None:
    answer = httpx.get(gateway.http + path)
    assert (answer.status_code, answer.text) == (404, "not found")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/nosuch", "/sms/twilio"])
def test_no_answer_says_what_serves_it(gateway: RunningGateway, path: str) -> None:
    # Serve would lift its time-outs for this header, and return it.
    answer = httpx.get(gateway.http + path, headers={"X-Request-Id": "1"})
    assert [name for name in OURS if name in answer.headers] == []


@pytest.mark.parametrize(
    ("path", "size"), [("/nosuch", MAX_UNWANTED_BYTES + 1), ("/sms/twilio", MAX_WEBHOOK_BYTES + 1)]
)
def test_a_body_above_the_limit_is_refused(gateway: RunningGateway, path: str, size: int) -> None:
    # The connection may be closed while the rest is on its way.
    with suppress(httpx.TransportError):
        assert httpx.post(gateway.http + path, content=b"x" * size).status_code == 413


def test_its_files_are_private(gateway: RunningGateway) -> None:
    folders = set()
    for pid in descendants(gateway.up.process.pid):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            name, _, path = os.fsdecode(entry).partition("=")
            if name == "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC":
                folders.add(Path(path).parent)
    assert len(folders) == (gateway.environment["SATBRIDGE_HTTP"] == "haproxy")
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in folders)


def test_its_process_is_replaced_when_it_is_killed(gateway: RunningGateway) -> None:
    assert "Traceback" not in gateway.up.output  # Ray prints that of a process that dies
    mode = gateway.environment["SATBRIDGE_HTTP"]
    name = {"serve": "ray::ProxyActor", "haproxy": "haproxy", "direct": "ray::DirectReplica"}[mode]
    for pid in descendants(gateway.up.process.pid):
        if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: gateway.text(FRIEND, "Still there?")["taken"], 60)


def test_it_ends_in_time_and_leaves_no_process(gateway: RunningGateway) -> None:
    pids = descendants(gateway.up.process.pid)
    assert gateway.up.stop(40) == 0, gateway.up.output
    wait_until(lambda: not any(map(alive, pids)))
