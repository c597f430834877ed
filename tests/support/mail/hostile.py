"""Hostile mails of any size: each kind makes a mail of about `size` bytes that is expensive to parse."""

import base64
from collections.abc import Callable

from tests.support.mail.mails import MIXED, part, parts

HTML = b"Content-Type: text/html\r\n\r\n"


def with_text(body: bytes) -> bytes:
    return b"From: Ann <ann@example.net>\r\nSubject: s\r\n\r\n" + body


# Known ways to make a parser of quotations slow.
HARD_MAILS = {
    "100 KB of openers": with_text(b"On a " * 20_000),
    "100 KB of openers, each in a line": with_text(b"On a\n" * 20_000),
    "5,000 nested quotes": with_text(b"\n".join(b">" * depth + b" x" for depth in range(5000))),
    "5,000 nested quotes in HTML": HTML + b"Yes." + b"<blockquote type=cite>x" * 5000,
    "100,000 parts": MIXED + b"--b\r\n\r\nx\r\n" * 100_000,
    "5 MB of HTML in a line": HTML + b"<b>x</b> " * 600_000,
}


def repeat(piece: bytes, size: int) -> bytes:
    return piece * max(1, size // len(piece))


def parts_with(header: bytes, size: int) -> bytes:
    """A multipart whose every part has this header."""
    return MIXED + repeat(b"--b\r\n" + header + b"\r\n\r\nx\r\n", size) + b"--b--\r\n"


def numbered(piece: Callable[[int], bytes], size: int) -> bytes:
    """Pieces with growing numbers, until they have `size` bytes."""
    found, length, number = [], 0, 0
    while length < size:
        found.append(piece(number))
        length += len(found[-1])
        number += 1
    return b"".join(found)


def nested_mails(encoding: str, size: int) -> bytes:
    """31 mails within each other, each with a transfer encoding of its own."""
    mail = b"Subject: x\r\n\r\n" + repeat(b"text of a mail\r\n", size)
    for _ in range(31):
        body = mail
        if encoding == "base64":
            mail = base64.encodebytes(mail)
            body = mail
            if len(mail) > size:
                break
        mail = part("message/rfc822", body, f"Content-Transfer-Encoding: {encoding}")
    return mail


TYPE = b"Content-Type: text/plain; "
DISPOSITION = b"Content-Disposition: attachment; "
KINDS: dict[str, Callable[[int], bytes]] = {
    "semicolons in quotes": lambda n: parts_with(TYPE + b'a="' + b";" * 8000, n),
    "semicolons": lambda n: parts_with(TYPE + b";" * 8000, n),
    "quotes": lambda n: parts_with(TYPE + b'"' * 8000, n),
    "backslashes": lambda n: parts_with(TYPE + b'a="' + b"\\" * 8000, n),
    "many parameters": lambda n: parts_with(TYPE + b"a=b; " * 1600, n),
    "parameters without values": lambda n: parts_with(TYPE + b"a;" * 4000, n),
    "spaces in parameters": lambda n: parts_with(TYPE + b"a " * 4000, n),
    "equal signs": lambda n: parts_with(TYPE + b"=" * 8000, n),
    "sections": lambda n: parts_with(DISPOSITION + b"filename*0*=a'b'%41; " * 400, n),
    "escapes in a file name": lambda n: parts_with(DISPOSITION + b"filename*=a''" + b"%41" * 2600, n),
    "one field of semicolons": lambda n: TYPE + b'a="' + b";" * n + b"\r\n\r\nx",
    "one folded field": lambda n: TYPE + repeat(b"\r\n ;a=b", n) + b"\r\n\r\nx",
    "nested attached mails": lambda n: repeat(b"Content-Type: message/rfc822\r\n\r\n", n),
    "nested in quoted-printable": lambda n: nested_mails("quoted-printable", n),
    "nested in base64": lambda n: nested_mails("base64", n),
    "nested multiparts": lambda n: numbered(
        lambda i: b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i), n
    ),
    "nested with one boundary": lambda n: repeat(
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", n
    ),
    "boundaries that begin alike": lambda n: (
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (b"b" * i, b"b" * i)
            for i in range(1, 32)
        )
        + repeat(b"--" + b"b" * 40 + b"\n", n)
    ),
    "a long boundary that nearly comes": lambda n: (
        b"Content-Type: multipart/mixed; boundary=" + b"b" * 150 + b"\r\n\r\n" + b"-" + b"b" * n
    ),
    "boundaries only": lambda n: MIXED + repeat(b"--b\r\n", n),
    "boundaries within a line": lambda n: MIXED + repeat(b"--b", n),
    "boundaries with text behind": lambda n: MIXED + repeat(b"--bx\r\n", n),
    "empty parts": lambda n: MIXED + repeat(b"--b\r\n\r\n\r\n", n),
    "alternatives": lambda n: (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n" + repeat(b"--b\r\n\r\n \r\n", n)
    ),
    "base64 garbage": lambda n: part(
        "text/plain", repeat(b"a!b?\x00=", n), "Content-Transfer-Encoding: base64"
    ),
    "quoted-printable garbage": lambda n: part(
        "text/plain", repeat(b"==\r\n=Z", n), "Content-Transfer-Encoding: quoted-printable"
    ),
    "uuencoded garbage": lambda n: part(
        "text/plain", repeat(b"M\r\n", n), "Content-Transfer-Encoding: x-uuencode"
    ),
    "carriage returns": lambda n: b"Subject: x\r\n\r\n" + b"\r" * n,
    "newlines": lambda n: b"\r\n" * (n // 2),
    "control characters": lambda n: b"\r\n" + b"\x0b\x00" * (n // 2),
    "odd header lines": lambda n: b"Subject: x\r\n" + repeat(b"y\r\n" * 40 + b"To: a\r\n", n),
    "openers": lambda n: with_text(repeat(b"On a ", n)),
    "lines of openers": lambda n: with_text(repeat(b"On a\r\n", n)),
    "attributions": lambda n: with_text(
        repeat(b"On Mon, 30 Nov 2026 at 10:00 Ann Long Name <ann@example.net> wrote\r\n", n)
    ),
    "labels": lambda n: with_text(repeat(b"From: a, Date: b and all that follows in a line:\r\n", n)),
    "closings": lambda n: with_text(repeat(b"Best regards\r\nAnn\r\nTel. 1234567\r\n\r\n", n)),
    "rules": lambda n: with_text(repeat(b"------------\r\nAnn, 1.1.2026 10:00\r\n", n)),
    "stand-ins": lambda n: with_text(repeat(b"[cid: <https://", n)),
    "style rules": lambda n: HTML + b"<style>" + repeat(b".a{display:none}", n) + b"</style>x",
    "styles": lambda n: HTML + repeat(b"<b class=a style='color:red;left:0;width:1'>x</b>", n),
    "Received": lambda n: repeat(b"Received: from a by b\r\n", n) + b"\r\nx",
    "header lines": lambda n: repeat(b"X-A: b\r\n", n),
    "a header without colons": lambda n: b"x" * n,
    "one header line": lambda n: b"Subject: " + b"a" * n,
    "a folded header": lambda n: b"Subject: a" + repeat(b"\r\n b", n),
    "encoded words": lambda n: b"Subject: " + repeat(b"=?utf-8?q?a?= ", n),
    "encoded words without end": lambda n: b"Subject: " + repeat(b"=?a?q?x", n),
    "attached mails with encoded words": lambda n: MIXED + repeat(
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: " + b"=?a?q?x" * 500 + b"\r\n\r\n", n
    ),
    "halves of encoded words": lambda n: b"Subject: " + repeat(b"=?", n),
    "an endless From": lambda n: b"From: " + b"a" * n + b"\r\n\r\nx",
    "brackets in From": lambda n: b"From: " + repeat(b"<a@", n) + b"\r\n\r\nx",
    "a report of blank lines": lambda n: (
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\n" + repeat(b"a: b\n \t \n", n)
    ),
    "HTML paragraphs": lambda n: HTML + repeat(b"<p>hello <b>world</b> ", n),
    "HTML nesting": lambda n: HTML + repeat(b"<div>", n) + b"x",
    "HTML lists": lambda n: HTML + b"<ul><li>" * 100 + repeat(b"<li>a", n),
    "HTML nested lists": lambda n: HTML + repeat(b"<ul><li>a", n),
    "HTML tables": lambda n: HTML + repeat(b"<table><tr><td>x", n),
    "HTML attributes": lambda n: HTML + b"<a " + numbered(lambda i: b"x%d=1 " % i, n) + b">x",
    "HTML entities": lambda n: HTML + repeat(b"&amp;", n),
    "HTML comments": lambda n: HTML + repeat(b"<!-- ", n),
    "HTML brackets": lambda n: HTML + repeat(b"<", n),
    "unknown charsets": lambda n: MIXED + numbered(
        lambda i: b"--b\r\nContent-Type: text/plain; charset=x%d\r\n\r\n" % i
        + "Привет, как дела? ".encode("koi8-r") * 40 + b"\r\n",
        n,
    ),
    "a slow codec": lambda n: b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"x-" * (n // 2),
    "UTF-7": lambda n: b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + repeat(b"+AOk-", n),
    "parts in a report": lambda n: (
        b"Content-Type: multipart/report; boundary=b\r\n\r\n" + parts(*[b"\r\nx"] * (n // 8))
    ),
}  # fmt: skip
