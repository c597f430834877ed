"""Scenarios with malformed messages that try to break their readers."""

import base64
import smtplib
import time
from collections.abc import Iterator
from secrets import token_bytes

from chaos.context import Context
from chaos.record import Direction
from chaos.scenario import Scenario

MAILBOX = "user3@example.org"
TAKEN_SECONDS = 20.0


def poison_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [
        Scenario(
            name="poison",
            description="mails, packets and texts that are made to break their reader, among good ones",
            inject=_poison,
        )
    ]


def poisoned_mails() -> Iterator[tuple[str, bytes]]:
    """Return the name and the content of each mail, without its subject."""
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    yield "NUL", b"\r\nbefore\x00after\r\n"
    yield (
        "lone surrogates",
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xed\xa0\x80 \xff\xfe\r\n",
    )
    yield "wrong charset", b"Content-Type: text/plain; charset=no-such\r\n\r\n\x80\x81\r\n"
    yield "9 MB", b"\r\n" + b"A long line of a long mail.\r\n" * 320_000
    yield "nested HTML", html + b"<div>" * 200_000 + b"deep" + b"\r\n"
    yield "HTML table bomb", html + b"<table><tr><td>" * 20_000 + b"cell\r\n"
    yield "HTML entities", html + b"&amp;" * 500_000 + b"\r\n"
    yield "broken base64", b"Content-Transfer-Encoding: base64\r\n\r\n=$%&====\r\n"
    yield "thousand headers", b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\nx\r\n"
    yield "nested multipart", _nested_mail(500)
    yield "encoded-word bomb", b"X-Note: " + b"=?utf-8?q?=41?= " * 20_000 + b"\r\n\r\nx\r\n"


def poisoned_packets() -> Iterator[tuple[str, bytes]]:
    """Return the name and the bytes of each packet."""
    yield "empty", b""
    yield "noise", token_bytes(150)
    yield "cut off", b"\x08\x01\x12\x7f\x0a\x05hello"
    yield "a text that is no UTF-8", _packet(b"\xed\xa0\x80\xff", b"x@example.net", 1)
    yield "NUL", _packet(b"be\x00fore", b"x@example.net", 1)
    yield "no mailbox", _packet(b"hello", b"\r\nRCPT TO:<x>", 1)
    yield "no number", _packet(b"hello", b"+0", 2)


def _poison(field: Context) -> None:
    field.wait(1)
    packets = {name: _send_packet(field, data) for name, data in poisoned_packets()}
    answers = [f"{name}: {_send(field, content)}" for name, content in poisoned_mails()]
    answers.append(f"5,000 recipients: {_many_recipients(field)}")
    field.note("mails: " + ", ".join(answers))
    _poison_texts(field)
    deadline = time.monotonic() + TAKEN_SECONDS
    while stuck := [n for n, p in packets.items() if p not in field.gateway.acknowledged()]:
        if time.monotonic() > deadline:
            raise AssertionError(f"packets that are never acknowledged: {', '.join(stuck)}")
        field.wait(0.5)
    field.note(f"packets: {len(packets)} of {len(packets)} acknowledged")
    field.wait(2)


def _send(field: Context, content: bytes) -> int:
    """Send the mail; return the code of the reply. With 250 it counts as an accepted message."""
    offer = field.record.offer(Direction.MAIL, str(field.gateway.devices[3]))
    head = f"From: alice@example.net\r\nSubject: {offer.token}\r\nMessage-ID: <{offer.token}@p>\r\n"
    with _connect(field) as smtp:
        smtp.docmd("MAIL FROM:<alice@example.net>")
        smtp.docmd(f"RCPT TO:<{MAILBOX}>")
        code, _ = smtp.data(head.encode() + content)
    if code == 250:
        field.record.yes(offer)
    elif code < 500:
        raise AssertionError(f"a poisoned mail is put off for ever: {code}")
    return code


def _many_recipients(field: Context) -> str:
    offer = field.record.offer(Direction.MAIL, str(field.gateway.devices[3]))
    answers: dict[int, int] = {}
    with _connect(field) as smtp:
        smtp.docmd("MAIL FROM:<alice@example.net>")
        for number in range(5000):
            to = MAILBOX if number == 0 else f"nobody{number}@example.org"
            code, _ = smtp.docmd(f"RCPT TO:<{to}>")
            answers[code] = answers.get(code, 0) + 1
            if code == 421:
                break
        if 421 not in answers:
            code, _ = smtp.data(f"Subject: {offer.token}\r\n\r\nx\r\n")
            if code == 250:
                field.record.yes(offer)
    return " ".join(f"{count} x {code}" for code, count in sorted(answers.items()))


def _connect(field: Context) -> smtplib.SMTP:
    smtp = smtplib.SMTP("127.0.0.1", field.gateway.smtp_port, timeout=60)
    smtp.ehlo()
    return smtp


def _send_packet(field: Context, data: bytes) -> int:
    device = field.gateway.devices[3]
    return field.gateway.packet_from(device, data=base64.b64encode(data).decode())


def _poison_texts(field: Context) -> None:
    bodies = ("NUL \x00", "long " + "€" * 1500, "marks \u202e\ufeff\U000e0001", "")
    for number, body in enumerate(bodies):
        offer = field.record.offer(Direction.TEXT, field.gateway.device_of(number))
        sid = f"SM{time.time_ns():032x}"
        if field.gateway.text_again(number, f"{offer.token} {body}", sid):
            field.record.yes(offer)
        else:
            raise AssertionError(f"text {number} is not taken")


def _nested_mail(depth: int) -> bytes:
    parts = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(depth)
    )
    return parts + b"\r\nx\r\n"


def _packet(text: bytes, to: bytes, protocol: int) -> bytes:
    fields = b"\x0a" + bytes([len(text)]) + text + b"\x1a" + bytes([len(to)]) + to
    message = fields + bytes([0x28, protocol])
    return b"\x08\x01\x12" + bytes([len(message)]) + message + b"\x18\x01"
