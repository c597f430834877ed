"""Splits a mail into raw header fields and body, as DKIM needs them, and reads the author. Pure, in linear time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from messaging.model.address_syntax import relay_mailbox

MAX_HEADER_BYTES: Final = 256 * 1024
MAX_FIELDS: Final = 1000
MAX_ADDRESSES: Final = 200
MAX_FROM_BYTES: Final = 4096

_NAME: Final = re.compile(rb"[!-9;-~]+")
_SPACE: Final = (b" ", b"\t")
_END: Final = re.compile(rb"(?:\A|\r?\n)\r?\n")
_LINE_END: Final = re.compile(rb"\r?\n")
_DOUBTFUL: Final = re.compile(rb"\r(?!\n)|\0")
# A header as nearly all are: CRLF alone ends lines, and each begins a field or goes on with one. Never steps back.
_PROPER: Final = re.compile(rb"(?:[!-9;-~]++:[^\r\n\0]*+(?:\r\n[ \t][^\r\n\0]*+)*+\r\n)*+")
_PROPER_FIELD: Final = re.compile(rb"([!-9;-~]++):([^\r\n\0]*+(?:\r\n[ \t][^\r\n\0]*+)*+\r\n)")
SINGLE: Final = (
    b"subject",
    b"reply-to",
    b"content-type",
    b"content-transfer-encoding",
    b"mime-version",
)
"""The fields beside From that decide what is shown, and where an answer goes: a second one is an addition."""

# An address, alone or behind a name of plain words, as most mails have it: nothing that quotes, comments or lists.
_PLAIN_ADDRESS: Final = re.compile(
    r"[ \w.'-]*<([\w.+=-]+@[\w.-]+)>\s*|\s*([\w.+=-]+@[\w.-]+)\s*", re.ASCII
)

Field = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class SplitMail:
    """The fields of a header as name and raw value, with their line ends, and the body; all line ends are CRLF.

    `problem` says why two readers may understand the header differently; empty for a proper one.
    """

    fields: tuple[Field, ...]
    body: bytes
    problem: str
    by_name: Mapping[bytes, list[bytes]] = field(default_factory=dict, compare=False)

    def values(self, name: bytes) -> list[bytes]:
        """Return the raw values of all fields of a name in lower case."""
        return self.by_name.get(name, [])


def split_mail(content: bytes) -> SplitMail:
    """Split a mail. Reads `MAX_HEADER_BYTES` and `MAX_FIELDS` of the header at most."""
    end = _END.search(content[: MAX_HEADER_BYTES + 4])
    if end is None and len(content) > MAX_HEADER_BYTES:
        return SplitMail((), b"", "its header is too long")
    header = content[: end.start()] if end else content
    body = content[end.end() :] if end else b""
    if body.count(b"\n") != body.count(b"\r\n"):
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    lines = header + b"\r\n" if header else b""
    if _PROPER.fullmatch(lines):
        fields, problem = tuple(_PROPER_FIELD.findall(lines)), ""
    else:
        fields, problem = _split_odd_header(header)
    if len(fields) > MAX_FIELDS:
        return SplitMail((), body, "its header has too many fields")
    by_name: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        by_name.setdefault(name.lower(), []).append(value)
    return SplitMail(fields, body, problem, by_name)


def _split_odd_header(header: bytes) -> tuple[tuple[Field, ...], str]:
    """Split a header line by line; return its fields, and why readers may understand it differently."""
    fields: list[tuple[bytes, list[bytes]]] = []
    problem = "its header has a bare CR or a NUL" if _DOUBTFUL.search(header) else ""
    for line in _LINE_END.split(header):
        if line.startswith(_SPACE) and fields:
            fields[-1][1].append(line)
            continue
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            problem = problem or "its header has a line that is no field"
        fields.append((name.strip(), [value]))
    return tuple((name, b"\r\n".join(lines) + b"\r\n") for name, lines in fields), problem


def duplicate_of(mail: SplitMail) -> str:
    """Return the name of a field that is there twice although it must not be; empty if none is."""
    for name in SINGLE:
        if len(mail.values(name)) > 1:
            return name.decode().title()
    return ""


def author_of(mail: SplitMail) -> tuple[str, str]:
    """Return the only address in From with its domain in ASCII, or an empty one and the reason."""
    values = mail.values(b"from")
    if len(values) != 1:
        return "", "it has no From" if not values else f"it has {len(values)} From fields"
    if len(values[0]) > MAX_FROM_BYTES:
        return "", "its From is too long"
    try:
        text = values[0].decode("utf-8")
    except UnicodeDecodeError:
        return "", "its From is not in UTF-8"
    addresses = read_addresses(text)
    if len(addresses) != 1:
        count = "no address" if not addresses else f"{len(addresses)} addresses"
        return "", f"its From has {count}"
    mailbox = relay_mailbox(addresses[0])
    return (mailbox, "") if mailbox else ("", "its From has a malformed address")


def read_addresses(text: str) -> list[str]:
    """Return the addresses of an address list (RFC 5322 section 3.4), without names, comments and groups.

    An element that is no address is returned as it is, so that a list with a malformed part is never a single address.
    """
    if plain := _PLAIN_ADDRESS.fullmatch(text):
        return [plain[1] or plain[2]]
    found: list[str] = []
    bracketed: list[str] = []
    outside, inside = "", None
    for one, is_plain in [*_characters(text), (",", True)]:
        if inside is None and is_plain and one in ",;":
            found += bracketed or ["".join(outside.split())]
            outside, bracketed = "", []
            if len(found) > MAX_ADDRESSES:
                break
        elif inside is None and one == "<" and is_plain:
            inside = ""
        elif inside is None and one == ":" and is_plain:
            outside = ""  # the name of a group
        elif inside is None:
            outside += one
        elif one == ">" and is_plain:
            bracketed.append("".join(inside.split()))
            inside = None
        else:
            inside += one
    return [*filter(None, found), *(["<"] if inside is not None else [])]


def _characters(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the characters outside comments, and whether each is plain: not quoted."""
    comments, is_quoted, at = 0, False, 0
    while at < len(text):
        one = text[at]
        at += 1
        if one == "\\" and (is_quoted or comments):
            if is_quoted:
                yield text[at : at + 1], False
            at += 1
        elif comments:
            comments += (one == "(") - (one == ")")
        elif one == '"':
            is_quoted = not is_quoted
            yield one, False
        elif one == "(" and not is_quoted:
            comments = 1
        else:
            yield one, not is_quoted
