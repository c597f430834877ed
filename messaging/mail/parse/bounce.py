"""Reads delivery reports of mail servers: fields (RFC 3464), perhaps wrapped, or words alone. Pure, and bounded."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from messaging.mail.parse.automatic import Origin, origin_of
from messaging.mail.parse.parts import MailPart, part_of
from messaging.mail.text import one_line
from messaging.words.subject import strip_reply_marks

MAX_PARTS: Final = 10
MAX_STATUS_BYTES: Final = 64 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_RECIPIENTS: Final = 100
MAX_DIAGNOSTIC_CHARS: Final = 300
MAX_WORDS_CHARS: Final = 4000
MAX_REPORT_DEPTH: Final = 4

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
_SMTP_CODE: Final = re.compile(r"\b5\d\d[ -](?:5\.\d|[A-Za-z<#])|\b5\.\d{1,3}\.\d{1,3}\b")
_DELAY_CODE: Final = re.compile(r"\b4\d\d[ -]4\.\d|\b4\.\d{1,3}\.\d{1,3}\b")
_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]{1,255}")
_SERVERS: Final = (
    "mailer-daemon",
    "postmaster",
    "mail delivery s",
    "mdaemon",
    "mail.daemon",
    "maildaemon",
    "mailerdaemon",
)
_NOTICE_SUBJECTS: Final = tuple(
    phrase.casefold()
    for phrase in (
        "delivery failure", "delivery failed", "delivery status notification", "delivery notification",
        "failure notice", "failure delivery", "failed delivery", "mail delivery fail", "mail failure",
        "mail delivery problem", "mail system error", "message delivery failure", "message not delivered",
        "nondeliverable", "non delivery", "returned mail", "returned to sender", "undeliverable",
        "undelivered", "unable to deliver", "warning: could not send", "warning: message",
        "could not deliver", "message status - undeliverable", "mail could not be delivered", "your message",
        "unzustellbar", "zustellung fehlgeschlagen", "fehlgeschlagene zustellung", "nicht zustellbar",
        "benachrichtigung", "rückläufer", "échec", "non remis", "message non distribué", "courrier non remis",
        "error de entrega", "no se puede entregar", "correo devuelto", "no entregado", "não foi possível",
        "falha na entrega", "não entregue", "mancata consegna", "non recapitabile", "impossibile recapitare",
        "niet te bezorgen", "onbestelbaar", "kan ikke leveres", "kunne ikke leveres", "kan inte levereras",
        "olevererbart", "toimitus epäonnistui", "ei voitu toimittaa", "niedostarczalne", "nie dostarczono",
        "nedoručitelné", "nedoručiteľné", "недоставленное", "не доставлено", "сообщение не доставлено",
        "недоставлене", "teslim edilemedi", "配信不能", "配信できません", "無法傳遞", "无法投递", "退信", "系统退信",
        "전송 실패", "배달되지 않음",
    )
)  # fmt: skip
_DELAYS: Final = (
    "will be retried", "still trying", "will continue to try", "will keep trying", "not yet been delivered",
    "delayed", "you do not need to resend", "do not resend", "wird weiterhin versucht", "verzögert",
    "no action is required", "temporary problem", "will retry", "noch nicht zugestellt",
    "nouvelle tentative", "message has not been delivered yet",
)  # fmt: skip

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


def find_report(mail: MailPart, subject: str) -> DeliveryReport | None:
    """Return the report of a mail server in a mail, None when it is none.

    Scanners wrap reports, and several servers report in words alone.
    """
    level = [mail] if mail.content_type.startswith("multipart/") else []
    for _ in range(MAX_REPORT_DEPTH):
        if not level:
            break
        if found := next((one for one in level if one.content_type == "multipart/report"), None):
            return read_report(found, mail)
        level = [
            child
            for part in level
            if part.content_type.startswith("multipart/")
            for child in islice(part.children(), MAX_PARTS)
        ]
        if any(child.content_type in _STATUS for child in level):
            return read_report_of(level, mail)
    return read_report_in_words(mail, subject)


def read_report(part: MailPart, mail: MailPart | None = None) -> DeliveryReport | None:
    """Return the delivery report in a multipart/report of `mail`, None when it has none that can be read."""
    return read_report_of(list(islice(part.children(), MAX_PARTS)), mail or part)


def read_report_of(children: Sequence[MailPart], mail: MailPart) -> DeliveryReport | None:
    """Return the report in the parts of one multipart of `mail`."""
    status = next((child for child in children if child.content_type in _STATUS), None)
    if status is None:
        return None
    text = status.body(MAX_STATUS_BYTES).decode("utf-8", "replace")
    groups = list(_read_groups(text))
    for group in groups:
        if "final-recipient" in group and "status" in group:
            implied = "failed" if group["status"].startswith("5") else "delayed"
            group.setdefault("action", implied)
    groups = [group for group in groups if "action" in group]
    if not groups:
        return None
    failures = [group for group in groups if group["action"].lower().startswith("failed")]
    # The names of the mail that was sent back, or of its header: relays replace the Message-ID.
    returns = [
        part_of(child.body(MAX_HEADER_BYTES))
        for child in children
        if child.content_type in _RETURNED
    ]
    names = [
        one.field(name)
        for one in returns
        for name in (b"message-id", b"x-satbridge-delivery", b"references")
    ]
    return DeliveryReport(
        references=(*names, mail.field(b"in-reply-to"), mail.field(b"references"), text),
        recipients=tuple(filter(None, map(_recipient_of, failures or groups))),
        failed=bool(failures),
        reason=_describe(failures[0] if failures else groups[0], bool(failures)),
    )


def read_report_in_words(mail: MailPart, subject: str) -> DeliveryReport | None:
    """Return the report of a server such as qmail, Exim or hMailServer, which writes no fields for programs."""
    author = mail.field(b"from")[:MAX_DIAGNOSTIC_CHARS].lower()
    if not any(map(author.__contains__, _SERVERS)):
        return None
    # A postmaster who answers quotes codes, too.
    is_notice = subject.casefold().startswith(_NOTICE_SUBJECTS)
    is_notice = is_notice or b"x-failed-recipients" in mail.fields
    if not is_notice and (not _SMTP_CODE.search(_words_of(mail)) or strip_reply_marks(subject)[1]):
        return None
    return _read_words(mail, subject)


def find_report_by_signs(mail: MailPart, subject: str) -> DeliveryReport | None:
    """Return the report in a mail to an address for bounces, where one sign of a report is enough.

    None for the answer of a person's program, such as a holiday notice.
    """
    is_report = mail.content_type == "multipart/report"
    if is_report and mail.parameter("report-type").lower() == "disposition-notification":
        return None
    if not is_report and origin_of(mail, subject) is Origin.ANSWER:
        return None
    author = mail.field(b"from")[:MAX_DIAGNOSTIC_CHARS].lower()
    has_sign = (
        not author
        or any(map(author.__contains__, _SERVERS))
        or subject.casefold().startswith(_NOTICE_SUBJECTS)
        or (_SMTP_CODE.search(_words_of(mail)) and not strip_reply_marks(subject)[1])
    )
    return _read_words(mail, subject) if has_sign else None


def _words_of(mail: MailPart) -> str:
    # The copy of the mail follows its own header: the words of the server come first.
    end = min(mail.end, mail.start + MAX_STATUS_BYTES)
    return mail.data[mail.start : end].decode("utf-8", "replace")


def _read_words(mail: MailPart, subject: str) -> DeliveryReport:
    text = _words_of(mail)
    words = text.casefold()
    title = subject.casefold()
    code = _SMTP_CODE.search(text)
    delayed = "delay" in title or any(phrase in words[:MAX_WORDS_CHARS] for phrase in _DELAYS)
    failed = not delayed and (code is not None or not _DELAY_CODE.search(text))
    line = (
        one_line(
            text[code.start() : code.start() + MAX_DIAGNOSTIC_CHARS].split("\n")[0],
            MAX_DIAGNOSTIC_CHARS,
        )
        if code
        else ""
    )
    status = _STATUS_CODE.search(line)
    meaning = explain_status(status[0]) if status else "no reason was given"
    quote = f"; the mail server said: {line}" if line else ""
    failure = f"the mail bounced: {meaning}{quote}"
    named = mail.field(b"x-failed-recipients") or text[:MAX_WORDS_CHARS]
    recipients = dict.fromkeys(one.lower() for one in _ADDRESS.findall(named)[:MAX_RECIPIENTS])
    return DeliveryReport(
        references=(mail.field(b"in-reply-to"), mail.field(b"references"), text),
        recipients=tuple(recipients),
        failed=failed,
        reason=failure if failed else "the recipient's mail server reports: delayed, still trying",
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
    diagnostic = group.get("diagnostic-code") or group.get("x-supplementary-info", "")
    text = one_line(diagnostic.partition(";")[2] or diagnostic, MAX_DIAGNOSTIC_CHARS).strip(" <>")
    quote = f"; the mail server said: {text}" if text else ""
    return f"the mail bounced: {explain_status(group.get('status', ''))}{quote}"
