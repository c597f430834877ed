"""Reads what mail servers report about a mail (RFC 3464, in a multipart/report of RFC 6522). Pure, and bounded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from messaging.mail.parse.bodies import decoded_body
from messaging.mail.parse.parts import Part, part_of
from messaging.mail.parse.statuses import in_words
from messaging.mail.text import one_line

MAX_PARTS: Final = 10
MAX_STATUS_BYTES: Final = 64 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_RECIPIENTS: Final = 100
MAX_SAID_CHARS: Final = 300

_STATUS: Final = frozenset(("message/delivery-status", "message/global-delivery-status"))
_RETURNED: Final = frozenset(
    (
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
    )
)
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_GROUP_END: Final = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Report:
    """What is reported. `named` holds every text in which the mail in question may be named, the surest first.

    `recipients` are whom it was for; `failed` is false when it is only late, or when all went well.
    """

    named: tuple[str, ...]
    recipients: tuple[str, ...]
    failed: bool
    reason: str


def read_report(mail: Part) -> Report | None:
    """Return what a mail reports; None when it is no delivery report that can be read."""
    if mail.content_type != "multipart/report":
        return None
    children = list(islice(mail.children(), MAX_PARTS))
    status = next((child for child in children if child.content_type in _STATUS), None)
    if status is None:
        return None
    text = decoded_body(status)[:MAX_STATUS_BYTES].decode("utf-8", "replace")
    groups = [group for group in _groups(text) if "action" in group]
    if not groups:
        return None
    failed = [group for group in groups if group["action"].lower().startswith("failed")]
    told = (failed or groups)[0]
    return Report(
        named=(*_returned(children), mail.field(b"in-reply-to"), mail.field(b"references"), text),
        recipients=tuple(filter(None, map(_recipient, failed or groups))),
        failed=bool(failed),
        reason=_reason(told, bool(failed)),
    )


def _groups(text: str) -> Iterator[dict[str, str]]:
    """Yield the groups of fields: one about the report, then one for each recipient."""
    blocks = _GROUP_END.split(text.replace("\r\n", "\n"))
    for block in islice(filter(str.strip, blocks), MAX_RECIPIENTS):
        pairs = (line.partition(":") for line in _FOLD.sub(" ", block).split("\n"))
        yield {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _returned(children: list[Part]) -> Iterator[str]:
    """Yield the Message-ID of the mail that was sent back, or of its header."""
    for child in children:
        if child.content_type in _RETURNED:
            returned = part_of(decoded_body(child)[:MAX_HEADER_BYTES])
            yield returned.field(b"message-id")


def _recipient(group: dict[str, str]) -> str:
    """Return the address of a group; it stands behind its type: `rfc822; ann@example.net`."""
    value = group.get("final-recipient") or group.get("original-recipient") or ""
    return one_line(value.partition(";")[2], 320).strip(" <>").lower()


def _reason(group: dict[str, str], failed: bool) -> str:
    action = group["action"].lower()
    if not failed:
        late = action.startswith("delayed")
        return "the recipient's mail server says: " + (
            "late, still trying" if late else action[:40]
        )
    meaning = in_words(group.get("status", ""))
    said = group.get("diagnostic-code", "")
    words = one_line(said.partition(";")[2] or said, MAX_SAID_CHARS).strip()
    quoted = f"; the mail server said: {words}" if words else ""
    return f"the mail came back: {meaning}{quoted}"
