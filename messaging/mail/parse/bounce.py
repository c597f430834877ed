"""Reads delivery reports of mail servers (RFC 3464, in a multipart/report of RFC 6522). Pure, and bounded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from messaging.mail.parse.parts import MailPart, part_of
from messaging.mail.text import one_line

MAX_PARTS: Final = 10
MAX_STATUS_BYTES: Final = 64 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_RECIPIENTS: Final = 100
MAX_DIAGNOSTIC_CHARS: Final = 300

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
_STATUS_CODE: Final = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})")

# Subject and detail of RFC 3463, then the subject alone.
_MEANINGS: Final = {
    (1, 1): "there is no such mailbox",
    (1, 2): "there is no such mail domain",
    (1, 3): "the address is malformed",
    (1, 6): "the mailbox has moved",
    (1, 10): "the domain accepts no mail",
    (2, 1): "the mailbox accepts no mail now",
    (2, 2): "the mailbox is full",
    (2, 3): "the mail is too big for the mailbox",
    (3, 4): "the mail is too big",
    (4, 1): "the mail server does not answer",
    (4, 4): "the mail cannot be routed",
    (4, 6): "the mail was caught in a mail loop",
    (4, 7): "the mail could not be delivered in time",
    (1,): "something is wrong with the address",
    (2,): "something is wrong with the mailbox",
    (3,): "the mail system of the recipient cannot take it",
    (4,): "the network or the mail's route failed",
    (5,): "the mail servers disagreed about the protocol",
    (6,): "the content cannot be delivered",
    (7,): "the mail server does not allow it",
}


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A report about a mail. `references` are the texts that may name that mail, the most reliable first.

    `recipients` are the recipients of that mail; `failed` is false for a delay or a success.
    """

    references: tuple[str, ...]
    recipients: tuple[str, ...]
    failed: bool
    reason: str


def read_report(mail: MailPart) -> DeliveryReport | None:
    """Return the delivery report in a multipart/report, None when it has none that can be read."""
    children = list(islice(mail.children(), MAX_PARTS))
    status = next((child for child in children if child.content_type in _STATUS), None)
    if status is None:
        return None
    text = status.body(MAX_STATUS_BYTES).decode("utf-8", "replace")
    groups = [group for group in _read_groups(text) if "action" in group]
    if not groups:
        return None
    failures = [group for group in groups if group["action"].lower().startswith("failed")]
    # The Message-ID of the mail that was sent back, or of its header.
    returns = [
        part_of(child.body(MAX_HEADER_BYTES)).field(b"message-id")
        for child in children
        if child.content_type in _RETURNED
    ]
    return DeliveryReport(
        references=(*returns, mail.field(b"in-reply-to"), mail.field(b"references"), text),
        recipients=tuple(filter(None, map(_recipient_of, failures or groups))),
        failed=bool(failures),
        reason=_describe(failures[0] if failures else groups[0], bool(failures)),
    )


def explain_status(status: str) -> str:
    """Return the meaning of a status such as `5.1.1` in plain words."""
    match = _STATUS_CODE.search(status)
    subject, detail = (int(match[1]), int(match[2])) if match else (0, 0)
    return _MEANINGS.get((subject, detail)) or _MEANINGS.get((subject,)) or "no reason was given"


def _read_groups(text: str) -> Iterator[dict[str, str]]:
    """Yield the groups of fields: one about the report, then one for each recipient."""
    blocks = _GROUP_END.split(text.replace("\r\n", "\n"))
    for block in islice(filter(str.strip, blocks), MAX_RECIPIENTS):
        pairs = (line.partition(":") for line in _FOLD.sub(" ", block).split("\n"))
        yield {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _recipient_of(group: dict[str, str]) -> str:
    """Return the address of a group, which follows its type: `rfc822; ann@example.net`."""
    value = group.get("final-recipient") or group.get("original-recipient") or ""
    return one_line(value.partition(";")[2], 320).strip(" <>").lower()


def _describe(group: dict[str, str], failed: bool) -> str:
    if not failed:
        action = group["action"].lower()
        state = "delayed, still trying" if action.startswith("delayed") else action[:40]
        return f"the recipient's mail server reports: {state}"
    diagnostic = group.get("diagnostic-code", "")
    text = one_line(diagnostic.partition(";")[2] or diagnostic, MAX_DIAGNOSTIC_CHARS).strip()
    quote = f"; the mail server said: {text}" if text else ""
    return f"the mail bounced: {explain_status(group.get('status', ''))}{quote}"
