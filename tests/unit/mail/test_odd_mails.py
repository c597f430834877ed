"""Mails that people reported: out of form, but any reader knows what the author wrote."""

import base64

import pytest

from messaging.mail.classify import ReceivedMail, add_authorship, classify
from messaging.mail.parse.mail import read_mail
from messaging.model.message import Message
from tests.support.mail.mails import ALTERNATIVE, HTML, MIXED, PDF, PLAIN, part, parts

TEXT = "Größe"
EVENT = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Berlin\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n"
    "SUMMARY:Crew\r\n  change\r\nDTSTART:20261201T120000Z\r\nDTEND:20261201T130000Z\r\nLOCATION:Pier 3\\, left\r\n"
    "BEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
IN_WORDS = "Invitation: Crew change\n2026-12-01 12:00 - 13:00 UTC\nPier 3, left"
ENCODED = base64.encodebytes(TEXT.encode())
INNER = b"Content-Type: text/plain; charset=utf-8\r\n\r\nAnchor well.\r\n"


def der(tag: int, content: bytes) -> bytes:
    length = len(content)
    return bytes((tag, 0x82, length >> 8, length & 255)) + content


SIGNED = der(
    0x30,
    der(0x06, bytes.fromhex("2a864886f70d010702"))
    + der(
        0xA0,
        der(
            0x30,
            b"\x02\x01\x01"
            + der(0x31, b"")
            + der(
                0x30,
                der(0x06, bytes.fromhex("2a864886f70d010701"))
                + der(0xA0, der(0x24, der(0x04, INNER))),
            ),
        ),
    ),
)


def header(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("From: ann@x.example", "Subject: s", *lines)).encode()


def in_base64(content_type: str, body: bytes, *more: str) -> bytes:
    encoded = base64.encodebytes(body)
    return part(content_type, encoded, "Content-Transfer-Encoding: base64", *more)


FLOWED = "text/plain; format=flowed"
MAILS = {
    "a line that is no field": (
        header("This line is no field", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64")
        + b"\r\n" + ENCODED,
        TEXT,
    ),
    "a field with a space in its name": (
        header("X Mailer: 1", "MIME-Version: 1.0", "Content-Transfer-Encoding: base64") + b"\r\n" + ENCODED,
        TEXT,
    ),
    "a boundary that is not indented": (
        header("Content-Type: multipart/mixed;", 'boundary="b"') + b"\r\n" + parts(PLAIN), "plain ✓"
    ),
    "a header that ends too early": (
        header() + b"\r\n\r\nContent-type: multipart/mixed; boundary=b\r\n\r\n" + parts(PLAIN), "plain ✓"
    ),
    "line ends of three characters": (b"Subject: s\r\r\n\r\r\none\r\r\ntwo\r\r\n", "one\ntwo"),
    "a made-up kind of text": (part("text/$type; charset=iso-8859-1", b"Gr\xf6\xdfe"), TEXT),
    "no semicolon": (part("text/html charset=utf-8", "<p>Hello</p>"), "Hello"),
    "a comment in the type": (part("text/plain (Plain); charset=utf-8", TEXT), TEXT),
    "parts in a text": (part('text/html; boundary="b"', parts(PLAIN)), "plain ✓"),
    "a comment in the encoding": (
        part("text/plain; charset=utf-8", ENCODED, "Content-Transfer-Encoding: base64 (MIME)"), TEXT
    ),
    "base64 in padded pieces": (
        part("text/plain", "SGVsbA==\r\nbw==\r\n", "Content-Transfer-Encoding: base64"), "Hello"
    ),
    "a text attachment alone": (
        MIXED + parts(part("text/plain; name=text_0.txt", "Where?", "Content-Disposition: attachment")), "Where?"
    ),
    "an attached text alone": (part("text/plain", "Hello", "Content-Disposition: attachment"), "Hello"),
    "a plain part of invisible characters": (
        ALTERNATIVE + parts(part("text/plain; charset=utf-8", "\u00a0\u200b\ufeff"), HTML), "rich text"
    ),
    "a plain part that points to the HTML": (
        ALTERNATIVE + parts(part("text/plain", "Please use an HTML compatible email viewer!"), HTML), "rich text"
    ),
    "two halves": (
        ALTERNATIVE + parts(part("text/plain", "one"), part("text/plain", "two"), HTML), "one\n\ntwo"
    ),
    "a file among the forms": (ALTERNATIVE + parts(PLAIN, HTML, PDF), "plain ✓\n\n[1 document left out]"),
    "a form for one program": (
        ALTERNATIVE + parts(HTML, part("text/x-amp-html", "<p>amp</p>")), "rich text"
    ),
    "an encrypted mail": (
        part('multipart/encrypted; boundary="b"', parts(part("application/octet-stream", "x"))),
        "[1 encrypted text left out]",
    ),
    "an invitation alone": (part("text/calendar; method=REQUEST", EVENT), IN_WORDS),
    "an invitation beside empty forms": (
        ALTERNATIVE
        + parts(part("text/plain", ""), part("text/html", "<p></p>"), part("text/calendar", EVENT)),
        IN_WORDS,
    ),
    "an invitation that the text tells": (
        ALTERNATIVE + parts(part("text/plain", "Crew change at noon"), part("text/calendar", EVENT)),
        "Crew change at noon",
    ),
    "an invitation that the text does not tell": (
        ALTERNATIVE + parts(part("text/plain", "Please come."), part("text/calendar", EVENT)),
        f"{IN_WORDS}\n\nPlease come.",
    ),
    "signed data": (in_base64("application/pkcs7-mime; smime-type=signed-data", SIGNED), "Anchor well."),
    "logos": (
        part(
            "multipart/related; boundary=b",
            parts(HTML, in_base64("image/png", b"x" * 5000, "Content-ID: <logo>", "Content-Disposition: inline")),
        ),
        "rich text",
    ),
    "a photograph in the page": (
        part(
            "multipart/related; boundary=b",
            parts(HTML, in_base64("image/jpeg", b"x" * 50_000, "Content-ID: <photo>")),
        ),
        "rich text\n\n[1 picture left out]",
    ),
    "flowed lines": (part(FLOWED, "one \r\ntwo\r\n\r\nthree"), "one two\n\nthree"),
    "flowed Japanese": (part(f"{FLOWED}; delsp=yes; charset=utf-8", "東側 \r\nに"), "東側に"),
    "stuffed lines": (part(FLOWED, " From the north\r\n >no quote"), "From the north\n>no quote"),
    "no flowed lines": (part("text/plain", "one \r\ntwo"), "one\ntwo"),
    "a charset within the page": (
        part("text/html", b"<meta charset=koi8-r>" + "Привет".encode("koi8-r")), "Привет"
    ),
    "a file in the text": (
        b"\r\nThe photo:\r\n\r\nbegin 644 photo.jpg\r\n#86)C\r\n`\r\nend\r\n",
        "The photo:\n\n[1 picture left out]",
    ),
    "pages between files": (
        ALTERNATIVE
        + parts(PLAIN, part("multipart/mixed; boundary=c", parts(HTML, PDF, HTML, boundary=b"c"))),
        "plain ✓\n\n[1 document left out]",
    ),
    "a footer in two forms": (
        MIXED
        + parts(
            part("text/plain", "Important."),
            part(
                "multipart/alternative; boundary=c",
                parts(part("text/plain", "sig"), part("text/html", "<p>sig</p>"), boundary=b"c"),
            ),
        ),
        "Important.\n\nsig",
    ),
    "a text from a phone beside a page without words": (
        part(
            "multipart/related; boundary=b",
            parts(
                part("text/html", "<title>Multimedia Message</title><img src=cid:logo>"),
                part("text/plain; name=text0.txt", "Where?", "Content-Disposition: attachment"),
                in_base64("image/gif", b"x", "Content-ID: <logo>"),
            ),
        ),
        "Where?",
    ),
    "a page labelled as plain": (
        part("text/plain", "<!DOCTYPE html><html><body><p>Gale 8.</p></body></html>"), "Gale 8."
    ),
    "plain text labelled as a page": (part("text/html", "Gale 8.\r\nSeek shelter."), "Gale 8.\nSeek shelter."),
    "a page in Japanese that names its charset": (
        part("text/html", b"<meta charset=iso-2022-jp><p>" + "開封".encode("iso-2022-jp")), "開封"
    ),
    "Japanese without a label": (part("text/plain;", "テスト".encode("iso-2022-jp")), "テスト"),
    "no boundary named": (part("multipart/alternative", parts(PLAIN, boundary=b"xyz")), "plain ✓"),
    "another boundary than the one named": (
        part('multipart/alternative; boundary="abc"', parts(PLAIN, HTML, boundary=b"xyz")), "plain ✓"
    ),
    "a comment behind the boundary": (part("multipart/mixed; boundary=b (x)", parts(PLAIN)), "plain ✓"),
    "two fields in one line": (
        part('text/plain; charset = "iso-8859-1" Content-Transfer-Encoding: 8bit', b"Gr\xf6\xdfe"), TEXT
    ),
    "two semicolons": (part('multipart/mixed; boundary="b";; charset="us-ascii"', parts(PLAIN)), "plain ✓"),
    "an encoding of the whole": (
        part('multipart/mixed; boundary="b"', parts(PLAIN), "Content-Transfer-Encoding: quoted-printable"),
        "plain ✓",
    ),
    "blank lines above the header": (
        b"\r\n\r\n" + header("MIME-Version: 1.0", "Content-Type: text/html") + b"\r\n<p>Gale 8.</p>", "Gale 8."
    ),
    "a blank before the header": (
        b" " + header("MIME-Version: 1.0", "Content-Type: text/html") + b"\r\n<p>Gale 8.</p>", "Gale 8."
    ),
    "a text that begins like a header": (b"\r\nFrom: Bergen\r\nTo: Oslo\r\n", "From: Bergen\nTo: Oslo"),
    "a type the wrong way round": (part("plain/text", "Gale 8."), "Gale 8."),
    "a text among bytes of any kind": (
        MIXED + parts(in_base64('application/octet-stream; name="message.txt"', b"Gale 8.")), "Gale 8."
    ),
    "both forms in a row": (
        MIXED + parts(part("text/plain", "Gale 8."), part("text/html", "<p>Gale <b>8.</b></p>")), "Gale 8."
    ),
    "a key of the author": (MIXED + parts(PLAIN, part("application/pgp-keys; name=key.asc", "x")), "plain ✓"),
    "an encoded file name": (
        MIXED + parts(PLAIN, part('application/octet-stream; name="=?utf-8?q?=C3=B6=2Ejpg?="', "x")),
        "plain ✓\n\n[1 picture left out]",
    ),
    "enriched text": (
        part("text/enriched", "<fontfamily><param>Times</param>Gale</fontfamily> 8."), "Gale 8."
    ),
    **{
        f"quoted-printable spelt {name}": (
            part("text/plain; charset=utf-8", "Gr=C3=B6=C3=9F= \r\ne", f"Content-Transfer-Encoding: {name}"), TEXT
        )
        for name in ("Quoted Printable", "quoted_printable;", '"quoted-printable"', "QP")
    },
    **{
        f"base64 spelt {name}": (
            part("text/plain; charset=utf-8", ENCODED, f"Content-Transfer-Encoding: {name}"), TEXT
        )
        for name in ("base-64", "BASE64;", "base64; x=y", "b64")
    },
    "base64 for addresses": (
        part("text/plain", base64.urlsafe_b64encode(b"a?>~~?"), "Content-Transfer-Encoding: base64"), "a?>~~?"
    ),
    "base64 with a footer in plain text": (
        part("text/plain; charset=utf-8", ENCODED + b"\r\n_____\r\nScanned by x\r\n",
             "Content-Transfer-Encoding: base64"),
        TEXT,
    ),
    "a certificate in the text": (
        b"\r\nGale 8.\r\n\r\n-----BEGIN PKCS7-----\r\nMIIB\r\n-----END PKCS7-----\r\n", "Gale 8."
    ),
    "two files in a row": (
        b"\r\nPhotos:\r\n\r\n" + b"begin 644 a.jpg\r\n#86)C\r\n`\r\nend\r\n" * 2,
        "Photos:\n\n[2 pictures left out]",
    ),
    "a file in the text as base64": (
        b"\r\nThe photo:\r\n\r\nbegin-base64 644 a.jpg\r\nYWJj\r\n====\r\n",
        "The photo:\n\n[1 picture left out]",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "text"), MAILS.values(), ids=MAILS.keys())
def test_a_mail_out_of_form_is_read(data: bytes, text: str) -> None:
    assert read_mail(data).text == text


def test_the_history_keeps_what_the_device_is_not_shown() -> None:
    history = "On 1.1.2026 at 10:12, b <b@x.y> wrote:\n> When?\n"
    parsed = read_mail(f"Subject: Re: x\nIn-Reply-To: <1@x>\n\nYes.\n\n{history}".encode())
    assert parsed.text == "Yes."
    assert "> When?" in parsed.whole_text


def test_a_cut_within_the_history_is_no_loss_of_words() -> None:
    history = "On 1.1.2026 at 10:12, b <b@x.y> wrote:\n" + "> When? \n" * 1000
    parsed = read_mail(f"In-Reply-To: <1@x>\n\nYes.\n\n{history}".encode(), max_text_chars=500)
    assert parsed.text == "Yes."
    assert parsed.whole_text.endswith("[cut after 500 characters]")


@pytest.mark.parametrize(
    ("from_fields", "author"),
    [
        (("ann@x.example",), "ann@x.example"),
        (('"bob@y.example" <ann@x.example>',), "ann@x.example"),
        (("ann@x.example, bob@y.example",), ""),
        (("ann@x.example", "bob@y.example"), ""),
        ((), ""),
    ],
)
def test_the_author_is_the_only_address_in_from(from_fields: tuple[str, ...], author: str) -> None:
    fields = "".join(f"From: {one}\n" for one in from_fields)
    assert read_mail(f"{fields}\nhi".encode()).author == author


@pytest.mark.parametrize(
    ("reply_to", "address"),
    [
        ("desk@x.example", "desk@x.example"),
        ("desk@X.EXAMPLE", "desk@X.EXAMPLE"),
        ("ann@x.example", ""),
        ("desk@y.example", ""),
        ("desk@sub.x.example", ""),
        ("a@x.example, b@x.example", ""),
    ],
)
def test_answers_of_an_unchecked_mail_stay_in_the_domain_of_its_author(
    reply_to: str, address: str
) -> None:
    data = f"From: ann@x.example\nReply-To: {reply_to}\n\nhi".encode()
    mail = ReceivedMail("ann@x.example", ("boop@example.org",), len(data), data, "192.0.2.1")
    [record] = classify(mail, read_mail(data), ["id"], "example.org")
    message = add_authorship(record, None)
    assert isinstance(message, Message)
    assert message.answer_address == address


@pytest.mark.parametrize(
    ("count", "text"), [(50, "hello"), (51, "odd\nTo: ann@example.net\n\nhello")]
)
def test_a_header_has_at_most_fifty_odd_lines(count: int, text: str) -> None:
    mail = b"Subject: x\r\n" + b"odd\r\n" * count + b"To: ann@example.net\r\n\r\nhello"
    assert read_mail(mail).text == text
