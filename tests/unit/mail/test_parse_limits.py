"""Parsing a mail takes bounded time and raises nothing but Rejected, on any bytes."""

import time
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.errors import Rejected
from messaging.mail.inbound import is_small
from messaging.mail.parse.mail import ParsedMail, read_mail
from messaging.mail.parse.reader import TooExpensive
from messaging.words.invisible import remove_invisible
from tests.support.examples import examples
from tests.support.mail.hostile import KINDS
from tests.support.mail.mails import MIXED, part, parts

MEGABYTES = 10 * 2**20
BOMBS = {
    "newlines": b"\r\n" * (MEGABYTES // 2),
    "header lines": b"X-A: b\r\n" * (MEGABYTES // 8),
    "one header line": b"Subject: " + b"a" * MEGABYTES,
    "a folded header": b"Subject: a\r\n" + b" b\r\n" * (MEGABYTES // 4),
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 100_000,
    "halves of encoded words": b"Subject: " + b"=?" * 500_000,
    "an endless From": b"From: " + b"a" * 10**6 + b"\r\n\r\nx",
    "nested multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i)
        for i in range(5000)
    ),
    "nested attached mails": b"Content-Type: message/rfc822\r\n\r\n" * 100_000,
    "nested with one boundary": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 100_000,
    "boundaries that begin alike": b"".join(
        b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (b"b" * i, b"b" * i)
        for i in range(1, 32)
    )
    + (b"--" + b"b" * 40 + b"\n") * (MEGABYTES // 43),
    "thousands of parts": MIXED + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 100_000,
    "boundaries only": MIXED + b"--b\r\n" * (MEGABYTES // 5),
    "boundaries within a line": MIXED + b"--b" * (MEGABYTES // 3),
    "parameters": b"Content-Type: multipart/mixed; " + b"a=b; " * 100_000 + b"\r\n\r\nx",
    "quotes": b"Content-Type: multipart/mixed; " + b'"' * 100_000 + b"\r\n\r\nx",
    "long HTML": b"Content-Type: text/html\r\n\r\n" + b"<p>hello <b>world</b> " * (MEGABYTES // 21),
    "deep HTML": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000 + b"x",
    "nested tables": b"Content-Type: text/html\r\n\r\n" + b"<table><tr><td>x" * 20_000,
    "nested lists": b"Content-Type: text/html\r\n\r\n" + b"<ul><li>" * 100 + b"<li>a" * 50_000,
    "wide cells": b"Content-Type: text/html\r\n\r\n<table><tr><td>"
    + b"x" * 100_000
    + b"<tr><td>y" * 10_000,
    "far indents": b"Content-Type: text/html\r\n\r\n"
    + b"<p style='padding-left:99999em;margin-top:99999em'>x" * 5000,
    "attributes": b"Content-Type: text/html\r\n\r\n<a "
    + b" ".join(b"x%d=1" % i for i in range(50_000))
    + b">x",
    "blank HTML parts": MIXED
    + (b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<p> " * 20_000 + b"\r\n") * 100,
    "an entity bomb": b"Content-Type: text/html\r\n\r\n<!DOCTYPE x [<!ENTITY a 'aaaaaaaa'>"
    b"<!ENTITY b '&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;'>]><p>&c;&c;&c;&c;</p>x",
    "unknown charsets": MIXED
    + (
        b"--b\r\nContent-Type: text/plain; charset=x\r\n\r\n"
        + "Привет, как дела? ".encode("koi8-r") * 40
        + b"\r\n"
    )
    * 1000,
    "a slow codec": b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"x-" * 10**6,
}


@pytest.mark.no_cover  # measures time, which tracing would multiply
@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_costs_little_time_and_text(data: bytes) -> None:
    begin = time.thread_time()
    try:
        parsed = read_mail(data)
    except Rejected:
        pass
    else:
        assert len(parsed.text) < 21_000
        assert len(parsed.subject) < 1000
    assert time.thread_time() - begin < 3


def check(parsed: ParsedMail) -> None:
    """Check the properties of every parsed mail."""
    for text in (parsed.subject, parsed.text):
        text.encode("utf-8")
        assert not any(ord(c) < 32 and c not in "\n\t" for c in text)
        assert "\x7f" not in text
    assert "\n" not in parsed.subject
    assert parsed.subject or parsed.text


def read_any(data: bytes) -> None:
    try:
        parsed = read_mail(data, max_text_chars=2000)
    except Rejected:
        return
    check(parsed)


@given(st.binary(max_size=2000))
def test_any_bytes_are_parsed_or_rejected(data: bytes) -> None:
    read_any(data)


WORDS = st.sampled_from(
    [
        b"Subject: ",
        b"Content-Type: ",
        b"multipart/mixed",
        b"multipart/alternative",
        b"text/html",
        b"; boundary=",
        b"b",
        b'"',
        b"\r\n",
        b"\n",
        b"--b",
        b"--",
        b"; charset=",
        b"utf-16",
        b"utf-7",
        b"Content-Transfer-Encoding: base64",
        b"quoted-printable",
        b"=?utf-8?q?",
        b"?=",
        b"message/rfc822",
        b"Content-Disposition: attachment; filename*0*=",
        b"''%FF",
        b"=C3",
        b"\xff",
        b"\x00",
        b"<p>",
        b"<",
        b"iso-2022-jp",
        b"\x1b$B",
        b"From: ",
        b"<a@b>",
        b"aGVsbG8=",
        b" ",
        b":",
        b"=",
        b"&#xD800;",
        b"*",
    ]
)


@given(st.lists(WORDS, max_size=80).map(b"".join))
def test_any_pieces_of_mails_are_parsed_or_rejected(data: bytes) -> None:
    read_any(data)


LEAVES = st.builds(
    lambda kind, charset, encoding, body: part(
        f"{kind}; charset={charset}", body, f"Content-Transfer-Encoding: {encoding}"
    ),
    st.sampled_from(
        [
            *("text/plain", "text/html", "image/png", "x", "text/calendar", "application/ms-tnef"),
            *("application/pkcs7-mime", "text/enriched", "text/plain; format=flowed; delsp=yes"),
        ]
    ),
    st.sampled_from(["utf-8", "utf-16", "latin1", "hz", "nonsense", "utf-32", "big5", "cp037"]),
    st.sampled_from(["7bit", "base64", "quoted-printable", "x-uue", "binary"]),
    st.binary(max_size=60),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda kind, boundary, each: part(
            f"multipart/{kind}; boundary={boundary}", parts(*each, boundary=boundary.encode())
        ),
        st.sampled_from(["mixed", "alternative", "related", "digest", "report", "signed"]),
        st.sampled_from(["a", "b", "ab", "--"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=examples(200))
@given(TREES)
def test_any_tree_of_parts_is_parsed_or_rejected(data: bytes) -> None:
    read_any(data)


@given(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
    st.sampled_from(["base64", "quoted-printable"]),
)
def test_mails_of_the_standard_library_are_read_back(text: str, encoding: str) -> None:
    mail = EmailMessage()
    mail["Subject"] = text[:50]
    mail.set_content(text, cte=encoding)
    parsed = read_mail(mail.as_bytes())
    assert parsed.text == remove_invisible(text)


@pytest.mark.no_cover  # measures time, which tracing would multiply
def test_a_small_mail_is_read_fast() -> None:
    data = (
        b"From: a@b\r\nSubject: hi\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + b"how are you\r\n" * 25
    )
    begin = time.thread_time()
    for _ in range(500):
        read_mail(data)
    assert (time.thread_time() - begin) / 500 < 0.003


@pytest.mark.no_cover  # measures time, which tracing would multiply
@pytest.mark.parametrize("size", [4_000, 16_000, 60_000])
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_no_mail_keeps_the_event_loop_waiting(make: Callable[[int], bytes], size: int) -> None:
    data = make(size)
    # An idle machine needs a tenth.
    assert not is_small(data) or min(seconds_inline(data) for _ in range(3)) < 0.2


def seconds_inline(data: bytes) -> float:
    begin = time.thread_time()
    with suppress(Rejected, TooExpensive):
        read_mail(data, is_inline=True)
    return time.thread_time() - begin
