"""No line of any process, nor of Ray's files, has an address in full, and the store has no text in plain."""

import smtplib
import socket
from base64 import b64encode
from pathlib import Path

import pytest

from messaging.simulator.mail.server import AccessRules
from tests.support.acceptance.running_gateway import NUMBER, RunningGateway, free_port, running
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

FRIEND = "+15551230000"
AUTHOR, UNKNOWN, OTHER = "alice@example.net", "nemo@example.org", "bob@example.net"
REFUSED = f"refused.{OTHER}"
CLIENT = "192.0.2.7"
TEXTS = ("North gale", "hello there", "to a phone", "to a mailbox")


def send_by_proxy(port: int, recipient: str) -> str:
    """Send a mail as a client behind a proxy does; return the reply to RCPT."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        lines = connection.makefile("rwb")
        lines.write(f"PROXY TCP4 {CLIENT} 127.0.0.1 4711 25\r\n".encode())
        reply = ""
        for command in (
            "",
            "EHLO client.example",
            f"MAIL FROM:<{AUTHOR}>",
            f"RCPT TO:<{recipient}>",
            "QUIT",
        ):
            lines.write(f"{command}\r\n".encode() if command else b"")
            lines.flush()
            while (answer := lines.readline().decode())[3:4] == "-":
                pass
            reply = answer if command.startswith("RCPT") else reply
        return reply


def run_traffic(gateway: RunningGateway, proxy_port: int) -> None:
    """Mails, texts and packets that arrive, that are refused, and that fail later."""
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        content = f"From: {AUTHOR}\nMessage-ID: <one.{AUTHOR}>\nSubject: Wind\n\nNorth gale\n"
        client.sendmail(AUTHOR, "boop@example.org", content)
    wait_until(lambda: gateway.shown())
    assert send_by_proxy(proxy_port, UNKNOWN).startswith("550")
    assert send_by_proxy(proxy_port, "boop@example.org").startswith("250")
    gateway.text(FRIEND, "hello there")
    gateway.uplink(1000, FRIEND, "to a phone")
    gateway.uplink(1000, OTHER, "to a mailbox")
    wait_until(lambda: gateway.texts())
    wait_until(lambda: any(OTHER in mail.recipients for mail in gateway.sink.received))
    answer = f"550 5.1.1 <{REFUSED}>: {OTHER} is gone"
    gateway.sink.access_rules = AccessRules(answers={REFUSED: answer})
    gateway.uplink(1000, REFUSED, "to a mailbox that is refused")
    wait_until(lambda: "refused" in gateway.satbridge("messages", "list", "--state", "failed"))


def test_the_log_has_no_address_and_the_store_no_text(tmp_path: Path) -> None:
    proxy_port = free_port()
    url = f"sqlite:///{tmp_path}/store.sqlite3"
    with running(
        url,
        tmp_path,
        LOG_ADDRESSES="hashed",
        STORE_KEY=b64encode(b"k" * 32).decode(),
        LOG_LEVEL="DEBUG",
        SMTP_PROXY_LISTEN=f"127.0.0.1:{proxy_port}",
    ) as gateway:
        run_traffic(gateway, proxy_port)
        names = gateway.satbridge("hash-address", AUTHOR, UNKNOWN, CLIENT, OTHER).split()
        gateway.up.stop()
        (session,) = Path("/tmp/ray").glob(f"session_*_{gateway.up.process.pid}")
        files = [path for path in session.glob("logs/**/*") if path.is_file()]
    lines = {path.name: path.read_text(errors="replace") for path in files}
    lines["standard error"] = gateway.up.output
    for address in (AUTHOR, UNKNOWN, OTHER, CLIENT, FRIEND[1:], NUMBER[1:], "boop@example.org"):
        assert [name for name, text in lines.items() if address in text] == []
    for name in names[:3]:
        assert [one for one, text in lines.items() if name in text and one != "standard error"]
        assert name in gateway.up.output
    store = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite3*"))
    assert b"boop" in store
    assert [text for text in TEXTS if text.encode() in store] == []
