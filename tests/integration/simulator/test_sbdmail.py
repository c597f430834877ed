"""Iridium's simulated SBD service by e-mail, driven as strangers would: by SMTP and HTTP, and by its command."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from messaging.simulator.mail.server import AccessRules, MailFaults, MailSink, ReceivedMail
from messaging.simulator.sbdmail.server import SbdMailSimulator
from messaging.simulator.sbdmail.wire import AUTHOR, SERVICE
from messaging.simulator.shared.modems import Modem
from messaging.simulator.shared.serving import Serving
from tests.support.acceptance.running_gateway import Process
from tests.support.eventually import wait_until

IMEI, OTHER = "300434060000000", "300434060000001"
MAILBOX = "sbd@example.org"


@pytest.fixture
def inbox() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture
def client(inbox: MailSink) -> Iterator[tuple[SbdMailSimulator, httpx.Client]]:
    simulator = SbdMailSimulator(
        [Modem(IMEI), Modem(OTHER, reachable=False)],
        listener=f"127.0.0.1:{inbox.port}",
        recipient=MAILBOX,
        waits_seconds=[0.05] * 20,
    )
    with (
        simulator,
        Serving(simulator.app) as serving,
        httpx.Client(base_url=serving.url, timeout=30, trust_env=False) as client,
    ):
        yield simulator, client


Client = tuple[SbdMailSimulator, httpx.Client]


def write(port: int, subject: str, *files: tuple[str, bytes], to: str = SERVICE) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = MAILBOX, to, subject
    mail.set_content("see the files")
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="x", filename=name)
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.sendmail(MAILBOX, [to], mail.as_bytes())


def uplink(client: httpx.Client, **uplink: Any) -> dict[str, Any]:
    answer = client.post("/sim/uplinks", json={"imei": IMEI, **uplink}, timeout=30)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def subjects(mails: list[ReceivedMail]) -> list[str]:
    return [str(mail.message["Subject"]) for mail in mails]


def test_a_session_is_mailed_with_its_file(client: Client, inbox: MailSink) -> None:
    assert uplink(client[1], data="00ff", transmit_time="2016-08-20 15:24:57")["taken"]
    (mail,) = inbox.wait_for(1)
    assert (mail.sender, mail.recipients) == (AUTHOR, (MAILBOX,))
    assert subjects([mail]) == [f"SBD Msg From Unit: {IMEI}"]
    text = mail.message.get_body(("plain",))
    assert text is not None
    assert "Time of Session (UTC): Sat Aug 20 15:24:57 2016" in text.get_content()
    (file,) = mail.message.iter_attachments()
    assert file.get_filename() == f"{IMEI}_000001.sbd"
    assert file.get_content() == b"\x00\xff"


def test_an_empty_session_has_no_file(client: Client, inbox: MailSink) -> None:
    uplink(client[1], changes={"status": 10})
    (mail,) = inbox.wait_for(1)
    assert list(mail.message.iter_attachments()) == []


def test_what_is_put_off_comes_again(client: Client, inbox: MailSink) -> None:
    inbox.faults = MailFaults(error_rate=1, error_status=451)
    assert uplink(client[1], data="00ff")["status"] == 451
    assert client[1].get("/sim/pushes").json()["pending"] == 1
    inbox.faults = MailFaults()
    wait_until(lambda: client[1].get("/sim/pushes").json()["pending"] == 0)
    assert len(inbox.received) == 1


def test_what_is_refused_does_not(client: Client, inbox: MailSink) -> None:
    inbox.access_rules = AccessRules(answers={MAILBOX: "550 5.1.1 no such user"})
    assert uplink(client[1], data="00ff")["status"] == 550
    assert client[1].get("/sim/pushes").json()["pending"] == 0


def test_a_file_for_two_modems_reaches_one_and_waits_for_the_other(
    client: Client, inbox: MailSink
) -> None:
    write(client[0].sink.port, f"{IMEI} {OTHER}", ("a.sbd", b"hi"), ("b.SBD", b"ho"))
    inbox.wait_for(4)
    states = [(one["imei"], one["state"]) for one in client[1].get("/sim/downlinks").json()]
    delivered, queued = (IMEI, "delivered"), (OTHER, "queued")
    assert states == [delivered, delivered, queued, queued]
    assert f"SBD Mobile Terminated Message Queued for Unit: {OTHER}" in subjects(inbox.received)
    last = inbox.received[3].message.get_content()
    assert "Attachment Filename: b.SBD" in last
    assert "the message is number 2 in the queue" in last


WRONG = {
    "no IMEI": ("30043406", [("a.sbd", b"hi")], "15 digits"),
    "no modem of ours": ("300434060000009", [("a.sbd", b"hi")], "not provisioned"),
    "no file": (IMEI, [], "no .sbd"),
    "another file": (IMEI, [("a.txt", b"hi")], "no .sbd"),
    "a long name": (IMEI, [("a" * 77 + ".sbd", b"hi")], "no .sbd"),
    "too long": (IMEI, [("a.sbd", b"x" * 271)], "size"),
}


@pytest.mark.parametrize(("subject", "files", "why"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_mail_is_said(
    client: Client, inbox: MailSink, subject: str, files: list[tuple[str, bytes]], why: str
) -> None:
    write(client[0].sink.port, subject, *files)
    (mail,) = inbox.wait_for(1)
    assert subjects([mail]) == [f"SBD Mobile Terminated Message Not Queued for Unit: {subject}"]
    assert why in mail.message.get_content()
    assert client[1].get("/sim/downlinks").json() == []


def test_other_mails_are_shown(client: Client) -> None:
    write(client[0].sink.port, "Hello", to="ann@example.net")
    (mail,) = client[1].get("/sim/mails").json()
    assert (mail["to"], mail["subject"]) == (["ann@example.net"], "Hello")
    assert "see the files" in mail["text"]


def test_a_switch_that_is_used_wrongly_says_so(client: Client) -> None:
    for content in ({}, {"imei": "1"}, {"imei": IMEI, "changes": {"status": "high"}}):
        answer = client[1].post("/sim/uplinks", json=content)
        assert answer.status_code == 400
        assert answer.json()["error"]


def test_it_runs_by_its_command_and_a_modem_writes_by_another(inbox: MailSink) -> None:
    options = [f"--modem={IMEI}", f"--listener=127.0.0.1:{inbox.port}", f"--mailbox={MAILBOX}"]
    served = Process("simulate", "sbdmail", *options, "--port=0", "--smtp-port=0")
    try:
        url = served.line_with(" at http").rpartition(" ")[2]
        relay = served.line_with("SATBRIDGE_RELAY_URL=").partition("=")[2]
        write(int(relay.rpartition(":")[2]), IMEI, ("a.sbd", b"hello"))
        served.line_with(f"modem {IMEI} got 5 bytes: hello")
        command = ["simulate", "modem", "bob@example.net", "Anchored", f"--imei={IMEI}"]
        asked = Process(*command, f"--at={url}")
        assert asked.process.wait(60) == 0, asked.output
        asked.stop()
        assert f"SBD Msg From Unit: {IMEI}" in subjects(inbox.received)
    finally:
        assert served.stop() == 0
