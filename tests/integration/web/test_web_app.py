"""The web application against scanners and floods: nothing is stored, logged at length or left open."""

import http.client
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from messaging.config.settings import Settings
from messaging.logs.repeats import Repeats
from messaging.web.front.limits import MAX_FORM_BYTES
from messaging.web.front.pages import UNKNOWN_HOST
from tests.support.sms.twilio_gateway import FORM
from tests.support.store.fixtures import opened, settings_for
from tests.support.web_app import METRICS_TOKEN, WebApp, web_app

BEARER = {"Authorization": f"Bearer {METRICS_TOKEN}"}
READ = "GET, HEAD"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    tmp_path = tmp_path_factory.mktemp("web")
    yield from opened(settings_for(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path))


@pytest.fixture
def web(settings: Settings) -> Iterator[WebApp]:
    with web_app(settings) as found:
        yield found


@pytest.fixture
def client(web: WebApp) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, trust_env=False, timeout=60) as found:
        yield found


@pytest.fixture
def admin(web: WebApp) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.admin, trust_env=False, timeout=60) as found:
        yield found


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """The records that a log of the gateway prints at once."""
    repeats = Repeats()
    return [record for record in caplog.records if repeats.admits(record)]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_head_is_answered_as_get_without_a_body(client: httpx.Client, path: str) -> None:
    get, head = client.get(path, headers=BEARER), client.head(path, headers=BEARER)
    assert (get.status_code, head.status_code) == (200, 200)
    assert head.headers["content-type"] == get.headers["content-type"]
    assert (bool(get.content), head.content) == (True, b"")


WEBHOOKS = ["/sms/twilio", "/sms/twilio/", "/sms/twilio/x", "/satellite/garmin/garmin"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *((path, "POST") for path in WEBHOOKS),
        ("/healthz", READ),
        ("/readyz", READ),
        ("/metrics", READ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PROPFIND"])
def test_a_path_that_exists_names_its_methods(
    client: httpx.Client, path: str, allowed: str, method: str
) -> None:
    if method in allowed:
        return
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/", "/nosuch", "/wp-login.php", "/static/admin/css/base.css"])
def test_nothing_is_posted_outside_the_admin(
    admin: httpx.Client, client: httpx.Client, path: str
) -> None:
    assert client.post(path, content=b"x").status_code == 404
    answer = admin.post(path, content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, READ)
    assert answer.text == "method not allowed"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize(
    "path", ["/", "/admin", "/admin/", "/admin/login/", "/static/admin/css/base.css", "//admin/"]
)
def test_the_port_of_the_webhooks_has_no_admin(
    client: httpx.Client, path: str, method: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.cookies.get("csrftoken")) == (404, None)


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/sms/twilio", "/satellite/x"])
def test_the_port_of_the_admin_has_nothing_else(admin: httpx.Client, path: str) -> None:
    assert admin.get(path, headers=BEARER).status_code == 404


@pytest.mark.parametrize("path", ["/sms/other", "/satellite/garmin/other", "/satellite/x"])
def test_a_webhook_of_no_account_is_plainly_not_found(client: httpx.Client, path: str) -> None:
    answer = client.post(path, content=b"x")
    assert (answer.status_code, answer.text) == (404, "not found")


@pytest.mark.parametrize(
    "host", ["198.51.100.7", "evil.example", "localhost.evil.example", "a b", ""]
)
def test_a_scanner_by_address_is_one_line_and_no_traceback(
    admin: httpx.Client, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [admin.get(path, headers={"Host": host}) for path in ("/", "/admin/", "/x") * 20]
    assert {(one.status_code, one.text) for one in answers} <= {
        (400, "unknown host"),
        (400, "Invalid HTTP request received."),
    }
    (line,) = lines(caplog)
    assert (line.levelno, line.exc_info) == (logging.WARNING, None)
    assert line.message == f"page refused: {UNKNOWN_HOST}"


def test_probes_and_webhooks_do_not_depend_on_the_host(client: httpx.Client) -> None:
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 200
    assert client.post("/sms/twilio", headers={"Host": "10.0.0.7"}).status_code == 403


def test_refused_webhooks_are_one_line(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        assert client.post("/sms/twilio", data=FORM).status_code == 403
    (line,) = lines(caplog)
    assert line.message == "twilio webhook refused: the signature is missing"


def test_a_flood_of_unknown_pages_leaves_the_log_alone(
    client: httpx.Client, admin: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [
        one.get(f"/nosuch{number}").status_code for number in range(20) for one in (client, admin)
    ]
    assert set(answers) == {404}
    assert lines(caplog) == []


def open_files() -> int:
    """The unlinked files of this process, as a spooled body leaves them."""
    folder = Path(f"/proc/{os.getpid()}/fd")
    names = [os.readlink(one) for one in folder.iterdir() if one.exists() or one.is_symlink()]
    return sum("(deleted)" in name for name in names)


@pytest.mark.parametrize("path", ["/nosuch", "/admin/login/", "/"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_large_body_is_refused_and_stored_nowhere(web: WebApp, path: str, method: str) -> None:
    parts = urlsplit(web.admin)
    before = open_files()
    declared = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    declared.putrequest(method, path)
    declared.putheader("Content-Length", str(400 * 1024 * 1024))
    declared.endheaders()
    declared.send(b"x" * 1000)
    answer = declared.getresponse()
    assert answer.status in (405, 413)
    declared.close()

    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as chunked:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunked.sendall(head.encode())
        sent = 0
        try:
            while sent < 4 * MAX_FORM_BYTES:
                chunked.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                sent += 65_536
        except OSError:
            pass  # the gateway has closed the connection
        assert sent < 400 * 1024 * 1024
    assert open_files() <= before


def test_a_form_of_the_admin_within_the_limit_is_taken(admin: httpx.Client) -> None:
    page = admin.get("/admin/login/")
    form = {
        "username": "x" * 100_000,
        "password": "y",
        "csrfmiddlewaretoken": page.cookies["csrftoken"],
    }
    answer = admin.post("/admin/login/", data=form)
    assert answer.status_code == 200
    assert "errornote" in answer.text


def test_readiness_says_why_and_is_looked_up_once_a_second(
    web: WebApp, client: httpx.Client
) -> None:
    web.problem = "the router does not answer"
    answers = [client.get("/readyz") for _ in range(20)]
    assert {one.status_code for one in answers} == {503}
    assert answers[0].json() == {"status": "not ready", "reason": "the router does not answer"}
    assert web.asked < 20
