"""Mails that are parsed in a process of their own: results, deadlines, and the end of the process."""

import asyncio
import base64
import os
import signal
import threading
from pathlib import Path

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.mail.inbound import INLINE_BYTES, is_small
from messaging.mail.parse.mail import read_mail
from messaging.mail.parse.process import ParserProcess, serve
from messaging.mail.parse.reader import TooExpensive
from tests.support.eventually import eventually, wait_until
from tests.support.mail.bounces import bounce
from tests.support.mail.hostile import HARD_MAILS
from tests.support.mail.mails import ALTERNATIVE, HTML, MIXED, PDF, PLAIN, part, parts
from tests.support.mail.wire import MAIL, run_server

BIG = MAIL + b"x" * 80 + b"\r\n" + b"word " * 20_000


def test_the_result_is_the_same() -> None:
    parser = ParserProcess()
    try:
        for mail in (MAIL, BIG, MIXED + parts(PLAIN, PDF), bounce()):
            assert parser.read_mail(mail) == read_mail(mail)
        with pytest.raises(Rejected, match="the mail has no text"):
            parser.read_mail(b"\r\n")
        first = parser.pid
        assert parser.read_mail(HTML).text == "rich text"
        assert parser.pid == first
    finally:
        parser.close()
    assert parser.pid is None


def test_a_mail_that_needs_too_much_time_is_rejected_and_the_next_one_is_read() -> None:
    parser = ParserProcess(max_cpu_seconds=0.02)
    try:
        hostile = part("text/html", b"<ul><li>" * 100 + b"<li>a" * 50_000)
        with pytest.raises(Rejected, match="cannot be read"):
            parser.read_mail(hostile)
        assert parser.read_mail(MAIL).text == "How are you?"
    finally:
        parser.close()


def test_a_process_that_hangs_is_replaced() -> None:
    parser = ParserProcess(max_wall_seconds=20)
    try:
        parser.read_mail(MAIL)
        first = parser.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        parser._max_wall_seconds = 0.2
        with pytest.raises(Unavailable, match="in time"):
            parser.read_mail(BIG)
        parser._max_wall_seconds = 20
        assert parser.read_mail(MAIL).text == "How are you?"
        assert parser.pid != first
    finally:
        parser.close()


def test_a_process_that_is_killed_is_replaced() -> None:
    parser = ParserProcess()
    try:
        parser.read_mail(MAIL)
        first = parser.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Unavailable, match="died"):
            parser.read_mail(MAIL)
        assert parser.read_mail(MAIL).text == "How are you?"
    finally:
        parser.close()


def test_the_process_ends_with_the_pipe_and_when_nothing_comes() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, open(os.devnull, "wb") as nowhere:
        serve(reader, nowhere, 1, idle_seconds=0.05)
        os.close(writing)
        serve(reader, nowhere, 1)


def test_an_idle_process_that_ended_is_started_again() -> None:
    parser = ParserProcess()
    try:
        parser.read_mail(MAIL)
        assert parser._process is not None
        assert parser._process.stdin is not None
        parser._process.stdin.close()
        parser._process.wait()
        parser._process.stdin = open(os.devnull, "wb")  # noqa: SIM115 (closed with the parser)
        assert parser.read_mail(MAIL).text == "How are you?"
    finally:
        parser.close()


LONG_HTML = b"<p>x" * 2000
LONG_TEXT = base64.encodebytes(b"x\n" * 2000)


@pytest.mark.parametrize(
    ("data", "is_inline"),
    [
        (MAIL, True),
        (MIXED + parts(PLAIN, HTML, PDF), True),
        (part("text/plain", b"x" * 5000), True),
        (ALTERNATIVE + parts(PLAIN, part("text/html", LONG_HTML)), True),
        (b"x" * (INLINE_BYTES + 1), False),
        (MIXED + b"--b\r\n" * 50, False),
        (part("text/HTML", LONG_HTML), False),
        (part("text/enriched", LONG_HTML), False),
        (part("Message/RFC822", part("text/html", LONG_HTML)), False),
        (part("text/plain", LONG_TEXT, "Content-Transfer-Encoding: base64"), False),
    ],
)
def test_only_mails_of_little_work_are_parsed_in_place(data: bytes, is_inline: bool) -> None:
    try:
        small = is_small(data) and bool(read_mail(data, is_inline=True))
    except TooExpensive:
        small = False
    assert small is is_inline


def peak_megabytes(pid: int | None) -> float:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.no_cover  # measures the process, whose tracing takes time and memory
@pytest.mark.parametrize("data", HARD_MAILS.values(), ids=HARD_MAILS.keys())
def test_a_hostile_mail_takes_bounded_time_and_memory(data: bytes) -> None:
    parser = ParserProcess(max_cpu_seconds=5)  # an idle machine needs a tenth
    try:
        parser.read_mail(MAIL)
        before = peak_megabytes(parser.pid)
        assert parser.read_mail(data).text
        assert peak_megabytes(parser.pid) - before < 100  # the most was 24
    finally:
        parser.close()


@pytest.mark.anyio
async def test_the_server_takes_big_mails_and_small_ones_meanwhile() -> None:
    async with run_server() as server:
        big, small = await server.connect_and_greet(), await server.connect_and_greet()
        sending = asyncio.create_task(big.send(BIG))
        assert (await small.send(MAIL.replace(b"<1@", b"<2@"))).startswith("250")
        assert (await sending).startswith("250")
        assert len(server.router.messages) == 2
        assert server.receiver._server is not None
        parser = server.receiver._server.ingest._parser
        assert parser.pid is not None
    await eventually(lambda: parser.pid is None)


def test_a_wait_in_another_thread_ends_with_kill() -> None:
    parser = ParserProcess()
    parser.read_mail(MAIL)
    assert parser.pid is not None
    os.kill(parser.pid, signal.SIGSTOP)
    errors: list[Exception] = []

    def read() -> None:
        try:
            parser.read_mail(BIG)
        except Unavailable as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    parser.kill()
    wait_until(lambda: not thread.is_alive())
    assert len(errors) == 1
    parser.close()
