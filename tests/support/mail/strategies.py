"""Strategies of Hypothesis for structured mails: what people write, what programs add, nested parts, odd headers."""

from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

WORDS: Final = st.sampled_from((
    "Yes", "No", "tide", "anchor", "Größe", "dîner", "łódź", "привет", "їжак", "günaydin", "天気", "ありがとう", "안녕",
    "👍", "18:30", "27.11.", "+47", "a@b.example", "http://x.example/y", "wrote:", "schrieb", "From:", "begin", "-",
    "--", ">", "*", "...", "①", "“ok”",
))  # fmt: skip
SENTENCES: Final = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)
PARAGRAPHS: Final = st.lists(SENTENCES, min_size=1, max_size=4).map("\n".join)
ATTRIBUTIONS: Final = st.sampled_from((
    "On Fri, 27 Nov 2026 at 15:14, Boop <b@x.example> wrote:", "Am 27.11.26 um 15:14 schrieb Boop:",
    "Le 27/11/2026 à 15:14, Boop a écrit :", "El 27/11/26, Boop (<b@x.example>) escribió:",
    "pe 27.11.2026 klo 15.14 Boop kirjoitti:", "27.11.2026 15:14, Boop пишет:", "27.11.26 15:14, Boop пише:",
    "27.11.2026 15:14 tarihinde Boop yazdı:", "2026年11月27日(金) 15:14 Boop <b@x.example>:",
    "在 2026/11/27, Boop 写道:",
    "2026. 11. 27. 오후 3:14, Boop <b@x.example> 작성:", "W dniu 27.11.2026 o 15:14, Boop pisze:",
    "-----Original Message-----", "---------- Forwarded message ---------", "Begin forwarded message:",
    "Von: Boop <b@x.example>\nGesendet: Freitag\nAn: Ann\nBetreff: Tide",
    "差出人: Boop\n送信日時: 金\n宛先: Ann\n件名: x",
    "________________________________\nFrom: Boop\nSent: Friday\nTo: Ann\nSubject: x",
))  # fmt: skip
FOOTERS: Final = st.sampled_from((
    "-- \nAnn\nTel. +47 12345678", "--\nAnn", "Sent from my iPhone", "Von meinem Handy gesendet", "iPhoneから送信",
    "Mit freundlichen Grüßen\nAnn\nwww.ann.example",
    "_______________________________________________\nSea mailing list",
    "This e-mail is confidential. If you are not the intended recipient, delete it.", "[cid:image001.png@01D]",
    "-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----", "begin 644 a.jpg\n#86)C\n`\nend",
    "=ybegin line=128 size=3 name=a.jpg\nabc\n=yend", "[K7Q2MZ-4X9P1]",
    "----------------\nMarta, Nov 27, 2026, 15:14\nOff.",
))  # fmt: skip
SUBJECTS: Final = st.sampled_from(
    (
        "",
        "Tide",
        "Re: Tide",
        "AW: Tide",
        "Fwd: Tide",
        "WG: x",
        "=?utf-8?q?Gr=C3=B6=C3=9Fe?=",
        "=?x?z?",
    )
)


def _quote(text: str, depth: int) -> str:
    return "\n".join(f"{'>' * depth} {line}" for line in text.split("\n"))


QUOTES: Final = st.builds(_quote, st.one_of(PARAGRAPHS, ATTRIBUTIONS), st.integers(1, 4))
TEXTS: Final = st.lists(
    st.one_of(PARAGRAPHS, ATTRIBUTIONS, QUOTES, FOOTERS, st.text(max_size=12)),
    min_size=1,
    max_size=8,
).map("\n\n".join)
"""Texts of mails: paragraphs, attributions, quotations of several levels and footers in any order."""

_HIDING: Final = st.sampled_from((
    'style="display:none"', "hidden", 'style="max-height:0;overflow:hidden"', 'style="font-size:0"', "class=pre",
    'style="position:absolute;left:-9999px"', 'style="visibility:hidden"', 'style="opacity:0"',
))  # fmt: skip
_TAGS: Final = st.sampled_from(("div", "span", "blockquote", "center", "section", "article"))


@dataclass(frozen=True, slots=True)
class Page:
    """Markup, the words that a reader sees, and those that are hidden."""

    markup: str
    visible: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def _wrap(tag: str, attribute: str, pages: list[Page]) -> Page:
    inner = "".join(page.markup for page in pages)
    visible = tuple(word for page in pages for word in page.visible)
    hidden = tuple(word for page in pages for word in page.hidden)
    if attribute:
        return Page(f"<{tag} {attribute}>{inner}</{tag}>", (), visible + hidden)
    return Page(f"<{tag}>{inner}</{tag}>", visible, hidden)


_LEAVES: Final = st.integers(100, 999).map(lambda number: Page(f" w{number} ", (f"w{number}",)))
PAGES: Final = st.recursive(
    _LEAVES,
    lambda inner: st.builds(
        _wrap, _TAGS, st.one_of(st.just(""), _HIDING), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
).map(
    lambda page: Page(
        f"<style>.pre{{display:none}}</style>{page.markup}", page.visible, page.hidden
    )
)
"""Trees of elements, some of which are hidden in one of many ways."""

_FIELDS: Final = st.sampled_from((
    "X-Mailer: 1", "X Mailer: 1", "this is no field", "Received: from a by b", "From: Ann <a@x.example>",
    "Subject : odd", "Content-Language: de", " continued", "\tcontinued", "In-Reply-To: <1@x.example>",
    "Auto-Submitted: no", "List-Id: <l.example>", ":", "Bcc", "Ünicode: x",
))  # fmt: skip
_CHARSETS: Final = st.sampled_from(
    ("utf-8", "iso-8859-1", "x-none", "utf-16", "iso-2022-jp", "gb18030", "koi8-r")
)
_ENCODINGS: Final = st.sampled_from(
    ("", "8bit", "base64", "quoted-printable", "x-uuencode", "rot13")
)
_LEAF_TYPES: Final = st.sampled_from((
    "text/plain", "text/html", "text/calendar", "text/enriched", "application/pdf", "image/png", "text/x-odd",
    "message/rfc822", "message/delivery-status", "application/ms-tnef", "application/pkcs7-mime", "text", "",
    "application/pgp-signature", "application/octet-stream; name=a.txt", "text/plain; format=flowed; delsp=yes",
))  # fmt: skip
_MULTIPARTS: Final = st.sampled_from((
    "multipart/mixed", "multipart/alternative", "multipart/related", "multipart/report", "multipart/signed",
    "multipart/encrypted", "multipart/digest", "multipart/x-odd", "text/html",
))  # fmt: skip
_DISPOSITIONS: Final = st.sampled_from(
    ("", "Content-Disposition: attachment; filename=a.txt\n", "Content-Disposition: inline\n")
)


def _leaf(kind: str, charset: str, encoding: str, disposition: str, body: str) -> bytes:
    header = f"Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n{disposition}\n"
    return header.encode() + body.encode("utf-8", "replace")


def _multipart(
    kind: str, boundary: str, declared: str, children: list[bytes], closing: str
) -> bytes:
    inner = b"".join(f"--{boundary}\n".encode() + child + b"\n" for child in children)
    return (
        f"Content-Type: {kind}; boundary={declared or boundary}\n\n".encode()
        + inner
        + closing.encode()
    )


PARTS: Final = st.recursive(
    st.builds(_leaf, _LEAF_TYPES, _CHARSETS, _ENCODINGS, _DISPOSITIONS, TEXTS),
    lambda inner: st.builds(
        _multipart,
        _MULTIPARTS,
        st.sampled_from(("b", "bb", "=_x", "b")),
        st.sampled_from(("", "", "", '"other"', "b")),
        st.lists(inner, max_size=4),
        st.sampled_from(("--b--\n", "", "--b\n", "epilogue")),
    ),
    max_leaves=8,
)
MAILS: Final = st.builds(
    lambda subject, fields, part, end: (f"Subject: {subject}\n{fields}\n".encode() + part).replace(
        b"\n", end
    ),
    SUBJECTS,
    st.lists(_FIELDS, max_size=5).map("\n".join),
    PARTS,
    st.sampled_from((b"\n", b"\r\n", b"\r", b"\r\r\n")),
)
"""Whole mails: odd fields, nested multiparts, leaves of many types and encodings, in each kind of line end."""
