"""Real clients, real webhooks and a faithful satellite API move real messages in all directions, in both stores."""

import json
import os
import signal
import smtplib
import sqlite3
import threading
import time
from contextlib import closing
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from tests.support.acceptance.mail_client import Tally, mail, send_all
from tests.support.acceptance.running_gateway import (
    HIVE_PASSWORD,
    NUMBER,
    TOKEN,
    RunningGateway,
)
from tests.support.eventually import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

FRIEND = "+15551230000"


def send(gateway: RunningGateway, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.send_message(message)


def letter(subject: str, text: str, to: str = "boop@example.org") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alice@example.net", to, subject
    message.set_content(text)
    return message


def test_a_mail_reaches_the_device_with_subject_body_and_sender(gateway: RunningGateway) -> None:
    send(gateway, letter("Wetter", "Sturm kommt, bleibt im Hafen ⚓"))
    (found,) = wait_until(lambda: [x for x in gateway.shown() if "Sturm" in x[2]])
    assert found == (1000, "alice@example.net", "Wetter\nSturm kommt, bleibt im Hafen ⚓")


def test_a_device_writes_a_mail(gateway: RunningGateway) -> None:
    gateway.uplink(1000, "bob@example.net", "Anchored at noon")
    found = wait_until(lambda: [m for m in gateway.sink.received if "bob@" in m.recipients[0]])
    message = found[0].message
    assert found[0].sender.startswith("boop+b.")  # where a bounce of it goes
    assert message["From"].addresses[0].addr_spec == "boop@example.org"
    assert message["To"].addresses[0].addr_spec == "bob@example.net"
    assert message["Message-ID"].endswith("@example.org>")
    assert message["Auto-Submitted"]
    assert message.get_content().strip() == "Anchored at noon"
    assert len(found) == 1


def test_a_text_from_a_phone_reaches_the_device(gateway: RunningGateway) -> None:
    assert gateway.text(FRIEND, "Bring fish 🐟")["taken"]
    (found,) = wait_until(lambda: [x for x in gateway.shown() if "fish" in x[2]])
    assert found == (1000, FRIEND, "Bring fish 🐟")


def test_a_device_writes_a_text(gateway: RunningGateway) -> None:
    gateway.uplink(1000, FRIEND, "Back on Friday")
    (found,) = wait_until(lambda: [t for t in gateway.texts() if "Friday" in t["body"]])
    assert (found["from"], found["to"], found["body"]) == (NUMBER, FRIEND, "Back on Friday")


def test_a_long_mail_arrives_in_numbered_parts(gateway: RunningGateway) -> None:
    send(gateway, letter("Forecast", "word " * 110))
    parts = wait_until(lambda: found if len(found := words(gateway)) >= 4 else None)
    assert [part.split(" ")[0] for part in parts] == ["1/4", "2/4", "3/4", "4/4"]


def words(gateway: RunningGateway) -> list[str]:
    return [text for _, _, text in gateway.shown() if "word word" in text]


@pytest.mark.parametrize(
    ("recipient", "code"), [("nobody@example.org", 550), ("boop@elsewhere.example", 550)]
)
def test_strangers_and_other_domains_are_refused_at_once(
    gateway: RunningGateway, recipient: str, code: int
) -> None:
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=30) as client:
        client.ehlo()
        client.docmd("MAIL FROM:<alice@example.net>")
        assert client.docmd(f"RCPT TO:<{recipient}>")[0] == code


def test_a_webhook_that_twilio_did_not_sign_is_refused(gateway: RunningGateway) -> None:
    form = {"From": FRIEND, "To": NUMBER, "Body": "forged", "MessageSid": "SM" + "0" * 32}
    answer = httpx.post(f"{gateway.http}/sms/twilio", data=form)
    assert answer.status_code == 403


def test_health_readiness_and_admin_are_served(gateway: RunningGateway) -> None:
    assert httpx.get(f"{gateway.http}/healthz").json() == {"status": "alive"}
    assert httpx.get(f"{gateway.http}/readyz").json() == {"status": "ready"}
    admin = f"http://{gateway.environment['SATBRIDGE_ADMIN_LISTEN']}"
    page = httpx.get(f"{admin}/admin/login/")
    assert page.status_code == 200
    assert "Log in" in page.text
    assert httpx.get(f"{gateway.http}/admin/login/").status_code == 404


def test_everything_is_looked_up_by_command(gateway: RunningGateway) -> None:
    gateway.uplink(1000, "carol@example.net", "Look me up")
    wait_until(lambda: [m for m in gateway.sink.received if "carol@" in m.recipients[0]])

    def story() -> dict[str, Any] | None:
        rows = json.loads(gateway.satbridge("messages", "list", "--address=carol", "--json"))
        return rows[0] if rows and rows[0]["state"] == "sent" else None

    row = wait_until(story)
    told = json.loads(gateway.satbridge("messages", "show", str(row["id"])[:10], "--json"))
    assert told["text"] == "Look me up"
    assert told["deliveries"][0]["recipient"] == "carol@example.net"
    check = json.loads(gateway.satbridge("check", "--json"))
    found = {finding["part"]: finding["ok"] for finding in check}
    expected = {
        "store": True,
        "operator": None,
        "room": True,
        "mail-in": True,
        "http-in": True,
        "mail-out": True,
        "hive": True,
        "twilio": True,
        "listens": True,
        "running": True,
    }
    assert expected.items() <= found.items()


def thousand(run: str) -> list[tuple[str, str]]:
    recipients = [f"user{n % 20 + 1}@example.org" for n in range(1000)]
    return [(recipient, mail(n, recipient, run)) for n, recipient in enumerate(recipients)]


def arrived(gateway: RunningGateway, run: str, seconds: float) -> list[tuple[int, str, str]]:
    """The downlinks of one run of mails, once there are a thousand and no more come."""

    def found() -> list[tuple[int, str, str]]:
        return [x for x in gateway.shown() if f"[{run}]" in x[2]]

    wait_until(lambda: len(found()) >= 1000, seconds)
    time.sleep(2)
    return found()


def marked(run: str) -> list[tuple[str, str]]:
    return [(r, m.replace("Subject: mail", f"Subject: [{run}] mail")) for r, m in thousand(run)]


def test_a_thousand_mails_are_a_thousand_downlinks(gateway: RunningGateway) -> None:
    tally = Tally()
    for thread in send_all(gateway.smtp_port, marked("calm"), 20, tally):
        thread.join(120)
    assert (tally.accepted, tally.put_off, tally.refused) == (1000, 0, [])
    downlinks = arrived(gateway, "calm", 60)
    assert len(downlinks) == len(set(downlinks)) == 1000
    assert {device for device, _, _ in downlinks} == set(range(1001, 1021))
    rows = json.loads(
        gateway.satbridge("messages", "list", "--address=user", "--limit=5000", "--json")
    )
    assert sum("[calm]" in row["subject"] for row in rows) == 1000


def test_a_killed_router_costs_no_mail(gateway: RunningGateway) -> None:
    tally = Tally()
    threads = send_all(gateway.smtp_port, marked("storm"), 20, tally)
    wait_until(lambda: tally.accepted >= 300, 60)
    os.kill(gateway.pid_of("router/0"), signal.SIGKILL)
    for thread in threads:
        thread.join(180)
    assert tally.refused == []
    assert tally.accepted == 1000
    downlinks = arrived(gateway, "storm", 90)
    assert len(set(downlinks)) == 1000
    assert len(downlinks) == 1000


def test_mail_is_put_off_while_the_store_is_away_and_taken_when_it_is_back(
    gateway: RunningGateway, store: str, request: pytest.FixtureRequest
) -> None:
    with away(gateway, store, request):
        with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused)) as refusal:
            send(gateway, letter("Lost?", "The store is away", to="user7@example.org"))
        assert "(451" in str(refusal.value)
        assert "/" not in str(refusal.value)
        assert httpx.get(f"{gateway.http}/readyz", timeout=30).status_code == 503
        assert not gateway.text(FRIEND, "while it is away")["taken"]

    def taken() -> bool:
        try:
            send(gateway, letter("Again", "The store is back"))
        except smtplib.SMTPException:
            return False
        return True

    wait_until(taken, 40)
    wait_until(lambda: [x for x in gateway.shown() if "The store is back" in x[2]])
    wait_until(lambda: httpx.get(f"{gateway.http}/readyz", timeout=30).status_code == 200)


class away:
    """Takes the store away: PostgreSQL is stopped, SQLite is locked by another program."""

    def __init__(self, gateway: RunningGateway, store: str, request: pytest.FixtureRequest) -> None:
        self._path = gateway.folder / "store.sqlite3"
        self._server = request.getfixturevalue("own_postgres") if store == "postgres" else None

    def __enter__(self) -> None:
        if self._server is not None:
            self._server.stop()
            return
        self._lock = sqlite3.connect(self._path, isolation_level=None)
        self._lock.execute("BEGIN EXCLUSIVE")

    def __exit__(self, *error: object) -> None:
        if self._server is not None:
            self._server.start()
            return
        with closing(self._lock):
            self._lock.execute("ROLLBACK")


def test_secrets_and_texts_are_in_no_log(gateway: RunningGateway) -> None:
    gateway.uplink(1000, "dora@example.net", "the treasure is under the palm")
    wait_until(lambda: [m for m in gateway.sink.received if "dora@" in m.recipients[0]])
    told = gateway.up.output + gateway.satbridge("status", "--json")
    for secret in (TOKEN, HIVE_PASSWORD, "treasure", "Sturm", "Bring fish"):
        assert secret not in told


def test_down_settles_everything_and_leaves_no_process(gateway: RunningGateway) -> None:
    worker = gateway.pid_of("router/0")
    late = threading.Thread(target=send, args=(gateway, letter("Last", "just before it stops")))
    late.start()
    late.join()
    gateway.satbridge("down")
    assert gateway.up.stop() == 0, gateway.up.output
    assert not os.path.exists(f"/proc/{worker}")
    assert [x for x in gateway.shown() if "just before it stops" in x[2]]
    gateway.satbridge("status", code=1)
