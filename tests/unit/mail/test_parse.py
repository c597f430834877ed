"""The parsing of difficult mails."""

import base64
import weakref

import pytest

from messaging.mail.classify import may_get_notice
from messaging.mail.parse.mail import Origin, read_mail
from messaging.mail.parse.parts import part_of
from tests.support.mail.mails import ALTERNATIVE, HTML, MIXED, PDF, PICTURE, PLAIN, part, parts

TEXTS = {
    "no header": (b"just text\r\nmore", "just text\nmore"),
    "a header only": (b"Subject: x", ""),
    "bare line feeds": (b"Subject: x\n\nhello\n", "hello"),
    "bare carriage returns": (b"Subject: x\r\rhello\r", "hello"),
    "an mbox line": (b"From a@b Mon Jan 1\r\nSubject: x\r\n\r\nhello", "hello"),
    "a byte order mark": (b"\xef\xbb\xbfSubject: x\r\n\r\nhello", "hello"),
    "unlabelled UTF-8": (b"Subject: x\r\n\r\n" + "Größe".encode(), "Größe"),
    "unlabelled Latin-1": (b"Subject: x\r\n\r\nGr\xf6\xdfe", "Größe"),
    "UTF-8 said to be ASCII": (part("text/plain; charset=us-ascii", "Größe"), "Größe"),
    "Windows said to be Latin-1": (part("text/plain; charset=iso-8859-1", b"\x93x\x94"), "“x”"),
    "an unknown charset": (part("text/plain; charset=x-unknown", "Größe"), "Größe"),
    "a codec that is none": (part("text/plain; charset=zlib", "Größe"), "Größe"),
    "a codec of Python": (part("text/plain; charset=unicode_escape", r"\u0041"), r"\u0041"),
    "Japanese": (part("text/plain; charset=iso-2022-jp", "日本語".encode("iso-2022-jp")), "日本語"),
    "Chinese": (part("text/plain; charset=GB2312", "你好吗".encode("gb18030")), "你好吗"),
    "Korean": (part('text/plain; charset="ks_c_5601-1987"', "안녕".encode("cp949")), "안녕"),
    "Hebrew": (part("text/plain; charset=iso-8859-8-i", "שלום".encode("iso8859-8")), "שלום"),
    "UTF-16 in base64": (
        part(
            "text/plain; charset=utf-16",
            base64.b64encode("héllo".encode("utf-16")),
            "Content-Transfer-Encoding: base64",
        ),
        "héllo",
    ),
    "UTF-7": (part("text/plain; charset=utf-7", b"caf+AOk-"), "café"),
    "quoted-printable": (
        part(
            "text/plain; charset=utf-8",
            "caf=C3=A9 =\r\nau lait=",
            "Content-Transfer-Encoding: Quoted-Printable",
        ),
        "café au lait",
    ),
    "broken quoted-printable": (
        part("text/plain", "100 =ZZ sure", "Content-Transfer-Encoding: quoted-printable"),
        "100 =ZZ sure",
    ),
    "base64 without padding": (
        part("text/plain", "aGVsbG8", "Content-Transfer-Encoding: base64"),
        "hello",
    ),
    "base64 with noise": (
        part("text/plain", "aGV!sb\x00G8=*", "Content-Transfer-Encoding: BASE64"),
        "hello",
    ),
    "uuencoded": (
        part(
            "text/plain",
            b"begin 644 x\r\n%:&5L;&\\\r\n`\r\nend",
            "Content-Transfer-Encoding: x-uuencode",
        ),
        "hello",
    ),
    "an unknown transfer encoding": (
        part("text/plain", "hello", "Content-Transfer-Encoding: rot13"),
        "hello",
    ),
    "a content type that is none": (part("text", "hello"), "hello"),
    "plain before rich": (ALTERNATIVE + parts(HTML, PLAIN), "plain ✓"),
    "rich when plain is empty": (ALTERNATIVE + parts(part("text/plain", " "), HTML), "rich text"),
    "rich only": (HTML, "rich text"),
    "a picture": (PICTURE, "[1 picture left out]"),
    "an invitation beside the text": (
        ALTERNATIVE + parts(PLAIN, part("text/calendar", "BEGIN:VCALENDAR")),
        "plain ✓",
    ),
    "a form that is a picture": (ALTERNATIVE + parts(PICTURE), "[1 picture left out]"),
    "attachments": (
        MIXED + parts(PLAIN, PICTURE, PICTURE, PDF),
        "plain ✓\n\n[2 pictures and 1 document left out]",
    ),
    "attachments of every kind": (
        MIXED + parts(PLAIN, PICTURE, part("audio/ogg", ""), part("video/mp4", ""), PDF, PDF),
        "plain ✓\n\n[1 picture, 1 recording, 1 video and 2 documents left out]",
    ),
    "a file named by its extension only": (
        MIXED + parts(part("application/octet-stream; name=x.JPG", "")),
        "[1 picture left out]",
    ),
    "a broken file name": (
        MIXED + parts(part("application/octet-stream; name*0*=utf-8'x", "")),
        "[1 document left out]",
    ),
    "an attached text file": (
        MIXED + parts(PLAIN, part("text/plain", "log", "Content-Disposition: attachment")),
        "plain ✓\n\n[1 document left out]",
    ),
    "text after the picture": (
        MIXED + parts(PLAIN, PICTURE, PLAIN),
        "plain ✓\n\nplain ✓\n\n[1 picture left out]",
    ),
    "a picture in the rich form": (
        ALTERNATIVE
        + parts(PLAIN, part("multipart/mixed; boundary=c", parts(HTML, PICTURE, boundary=b"c"))),
        "plain ✓\n\n[1 picture left out]",
    ),
    "a boundary that begins like another": (
        MIXED + parts(part("multipart/mixed; boundary=bb", parts(PLAIN, boundary=b"bb")), HTML),
        "plain ✓\n\nrich text",
    ),
    "no closing boundary": (MIXED + b"--b\r\n" + PLAIN, "plain ✓"),
    "text around the parts": (MIXED + b"preamble\r\n" + parts(PLAIN) + b"epilogue", "plain ✓"),
    "a boundary that never comes": (MIXED + b"hello\r\n", "hello"),
    "no boundary": (part("multipart/mixed", "hello"), "hello"),
    "a signed mail": (
        MIXED + parts(PLAIN, part("application/pgp-signature", "-----BEGIN")),
        "plain ✓",
    ),
    "an encrypted mail": (part("application/pkcs7-mime", "MII"), "[1 encrypted text left out]"),
    "an attached mail": (
        MIXED
        + parts(
            PLAIN,
            part("message/rfc822", b"From: Ann <ann@x.example>\r\nSubject: Dinner\r\n\r\nAt 8?"),
        ),
        "plain ✓\n\n[attached mail from ann@x.example: Dinner]\nAt 8?",
    ),
    "an attached mail in base64": (
        MIXED
        + parts(
            part(
                "message/rfc822",
                base64.b64encode(b"Subject: Dinner\r\n\r\nAt 8?"),
                "Content-Transfer-Encoding: base64",
                "Content-Disposition: attachment",
            )
        ),
        "[attached mail: Dinner]\nAt 8?",
    ),
    "a digest": (
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n"
        + parts(b"\r\nSubject: one\r\n\r\n1\r\n", b"\r\nSubject: two\r\n\r\n2\r\n"),
        "[attached mail: one]\n1\n\n[attached mail: two]\n2",
    ),
    "a bounce": (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        + parts(
            part("text/plain", "ann@x.example does not exist"),
            part("message/delivery-status", "Reporting-MTA: dns; mx"),
            part("message/rfc822", "Subject: what I wrote\r\n\r\nlong"),
        ),
        "ann@x.example does not exist\n\n[1 mail left out]",
    ),
    "control characters": (b"Subject: x\r\n\r\na\x00b\x07c\td\x1b[0m", "abc d[0m"),
    "white space": (b"Subject: x\r\n\r\n\r\na  \r\n\r\n\r\n\r\n\r\n\r\nb \r\n\r\n", "a\n\nb"),
}


@pytest.mark.parametrize(("data", "text"), TEXTS.values(), ids=TEXTS.keys())
def test_the_text_of_a_mail(data: bytes, text: str) -> None:
    assert read_mail(data).text == text


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("hello", "hello"),
        ("  spread\r\n over\r\n\tlines ", "spread over lines"),
        ("=?utf-8?q?caf=C3=A9?= today", "café today"),
        ("=?utf-8?b?4pyT?=\r\n =?utf-8?b?4pyT?=", "✓✓"),
        ("=?UTF-8?B?4py?= =?UTF-8?B?T?=", "=?UTF-8?B?4py?= =?UTF-8?B?T?="),
        ("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?x-none?q?Gr=F6=DFe?=", "Größe"),
        ("=?utf-8?z?x?=", "=?utf-8?z?x?="),
        ("=?utf-8?q?a=0D=0ABcc:_b?=", "a Bcc: b"),
        ("Größe", "Größe"),
        ("日本 =?utf-8?q?x?=", "日本 x"),
        ("C:\\users =?utf-8?q?x?=", "C:\\users x"),
        ("a\x00b\x1b", "ab"),
        ("a\u202eb\u200b\u200c", "ab"),
        ("=?utf-8?Q?f=C3=B6=C3=B6 bär?=", "föö bär"),
        ('"=?utf-8?Q?K=C3=B6nig?=" x', '"König" x'),
        ("=?iso-2022-jp?Q?=1B$B300Y=1B(I5]W=1B(B?=", "外為ｵﾝﾗ"),
        ("=?utf-8?q?=F0=9F=91=A8=E2=80?= =?utf-8?q?=8D=F0=9F=91=A9?=", "👨\u200d👩"),
        ("=?utf-8?Q?Gr=C3=B6?==?utf-8?Q?=C3=9Fe?=", "Größe"),
        ("=?iso-8859-1?Q?Gr=C3=B6=C3=9Fe?=", "Größe"),
        ("=?iso-8859-1*de?Q?=F6?=", "ö"),
        ("=?utf-8?Q?Gr=C3=B6", "=?utf-8?Q?Gr=C3=B6"),
        ("x" * 5000, "x" * 997 + "…"),
    ],
)
def test_the_subject_of_a_mail(header: str, subject: str) -> None:
    found = read_mail(f"Subject: {header}\r\n\r\ntext".encode()).subject
    assert found.replace("�", "") == subject or found == subject


@pytest.mark.parametrize(
    ("header", "author"),
    [
        ("ann@x.example", "ann@x.example"),
        ("Ann <ann@x.example>", "ann@x.example"),
        ('"bob@y.example" <ann@x.example>', "ann@x.example"),
        ("=?utf-8?q?=C3=84nn?= <ann@x.example>", "ann@x.example"),
        ('"Doe, Ann" <ann@x.example>', "ann@x.example"),
        ("ann@x.example (Ann)", "ann@x.example"),
        ("bob@y.example (not ann@x.example)", "bob@y.example"),
        ('"Bob <bob@y.example>" <ann@x.example>', "ann@x.example"),
        ("Ann <mailto:ann@x.example>", "ann@x.example"),
        ("'ann@x.example'", "ann@x.example"),
        ("Ann <ann@x.example>, Ann <Ann@X.example>", "ann@x.example"),
        ("=?utf-8?q?Ann_=3Cann=40x=2Eexample=3E?=", "ann@x.example"),
        ("Ann <ann@x.example>, Bob <bob@y.example>", ""),
        ("ann@x.example, Bob <bob@y.example>", ""),
        ("bob@y.example <ann@x.example>", "ann@x.example"),
        ("Doe, Ann <ann@x.example>", "ann@x.example"),
        ("undisclosed:;", ""),
        ("nobody in particular", ""),
        ("@", ""),
    ],
)
def test_the_author_of_a_mail(header: str, author: str) -> None:
    assert read_mail(f"From: {header}\r\n\r\ntext".encode()).author == author


@pytest.mark.parametrize(
    ("header", "origin"),
    [
        ("Auto-Submitted: auto-replied (vacation)", Origin.ANSWER),
        ("auto-submitted: AUTO-GENERATED; x=y", Origin.MACHINE),
        ("Auto-Submitted: no", Origin.HUMAN),
        ("X-Other: 1", Origin.HUMAN),
        ("X-Autoreply: yes", Origin.ANSWER),
        ("Precedence: auto_reply", Origin.ANSWER),
        ("Content-Type: multipart/report; boundary=b", Origin.ANSWER),
        ("Precedence: Bulk", Origin.LIST),
        ("List-Id: <sailors.lists.example>", Origin.LIST),
        ("List-Unsubscribe: <mailto:x@y.example>", Origin.LIST),
        ("Precedence: first-class", Origin.HUMAN),
    ],
)
def test_the_header_declares_the_origin(header: str, origin: Origin) -> None:
    assert read_mail(f"{header}\r\n\r\ntext".encode()).origin is origin


@pytest.mark.parametrize(
    ("origin", "sender", "told"),
    [
        (Origin.HUMAN, "ann@x.example", True),
        (Origin.HUMAN, "", False),
        (Origin.HUMAN, "MAILER-DAEMON@x.example", False),
        (Origin.HUMAN, "no-reply@x.example", False),
        (Origin.HUMAN, "sailors-bounces+ann=y@x.example", False),
        (Origin.MACHINE, "ann@x.example", False),
        (Origin.LIST, "ann@x.example", False),
        (Origin.ANSWER, "ann@x.example", False),
    ],
)
def test_only_people_get_notices(origin: Origin, sender: str, told: bool) -> None:
    assert may_get_notice(origin, sender) is told


def test_only_the_header_counts_as_the_way_of_a_mail() -> None:
    way = b"Received: from a\r\n\tby b\r\nRECEIVED: from b by c\r\nX-Received: from c by d\r\n"
    assert read_mail(way + b"Subject: x\r\n\r\nReceived: quoted\r\n").hops == 2


def test_each_part_is_found_once() -> None:
    mail = part_of(MIXED + parts(PLAIN, HTML, PDF))
    first = next(mail.children())
    children = list(mail.children())
    assert len(children) == 3
    assert first is children[0]
    assert all(one is other for one, other in zip(children, mail.children(), strict=True))


def test_a_mail_is_freed_as_soon_as_it_is_read() -> None:
    mail = part_of(MIXED + parts(PLAIN, HTML))
    next(mail.children())
    freed = weakref.ref(mail)
    del mail
    assert freed() is None


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Ann Smith <ann@x.example>", "Ann Smith"),
        ('"Smith, Ann" <ann@x.example>', "Smith, Ann"),
        (r'"Ann \"Bo\" Smith" <ann@x.example>', 'Ann "Bo" Smith'),
        ("=?utf-8?q?S=C3=B8ren?= <soren@x.example>", "Søren"),
        ("ann@x.example (Ann Smith)", "Ann Smith"),
        ("ann@x.example", ""),
        ("<ann@x.example>", ""),
        ("Ann <ann@x.example>, Bob <bob@x.example>", ""),
        ("=?utf-8?q?mum=40home=2Eorg?= <evil@x.example>", "mum@home.org"),
    ],
)
def test_the_display_name_of_the_author_is_read(author: str, name: str) -> None:
    mail = read_mail(f"From: {author}\nSubject: s\n\nhi\n".encode())
    assert mail.display_name == name
