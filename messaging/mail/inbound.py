"""Verifies recipients with the router, submits received mail to it, and turns its answers into SMTP replies."""

import asyncio
import logging
import secrets
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from cachetools import LRUCache, TTLCache

from messaging.errors import AuthorRefused, GatewayError, Rejected, Unavailable
from messaging.logs.records import details
from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.classify import ReceivedMail, Record, add_authorship, classify
from messaging.mail.message_ids import find_reference
from messaging.mail.parse.mail import ParsedMail, read_mail
from messaging.mail.parse.process import ParserProcess
from messaging.mail.parse.reader import TooExpensive
from messaging.mail.smtp.replies import (
    ACCEPTED,
    BAD_CONTENT_CODE,
    OUR_OWN,
    RECIPIENT_OK,
    TOO_MANY_HOPS,
    UNKNOWN_RECIPIENT_CODE,
    joint_refusal,
    refusal,
)
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.address_syntax import own_mailbox
from messaging.model.authentication import Authentication
from messaging.model.message import (
    Address,
    Emit,
    Message,
    Network,
    RecipientCheck,
    message_id,
)
from messaging.model.raw_mail import MailboxHandler, RawMail

log = logging.getLogger(__name__)

# Mails within these limits, and those of the inline reader, are parsed on the event loop. Of 130 kinds of hostile mails
# at the limits the slowest took 12 to 18 ms: odd header lines in 30 multiparts, 500 lines of disclaimers. A
# mail of a person takes 0.05 to 0.5 ms: `python -m bench words`.
INLINE_BYTES: Final = 64 * 1024
INLINE_LINES: Final = 2000  # the fields of the header among them
INLINE_DASHES: Final = 1000  # each pair may begin a boundary
INLINE_BOUNDARIES: Final = 40  # of 20 parts, each within another one
CACHE_ENTRIES: Final = 10_000
MAX_IDS_IN_REPLY: Final = 5  # a reply line has at most 512 bytes

MailKey = tuple[bytes, str, str]


class MailIngest:
    """The way of all mail of one receiver to the router. Made within a running event loop.

    With an `authenticator` the authors of messages are checked; without one they are unproved.
    A mail that is offered again gets the same message ids: they are made of Message-ID, envelope sender, recipient,
    subject and text; those of a proved mail of recipient and signed fields. A mail without a Message-ID gets random
    ids, kept by its bytes until a permanent reply, so that a repeat after 451 is the same message.
    """

    def __init__(
        self,
        emit: Emit,
        mail_domain: str,
        settings: SmtpSettings,
        mailboxes: Sequence[MailboxHandler] = (),
        authenticator: Authenticator | None = None,
    ) -> None:
        self._emit = emit
        self._authenticator = authenticator
        self._mailboxes = {f"{box.local_part}@{mail_domain}": box for box in mailboxes}
        self._mail_domain = mail_domain
        self._max_received = settings.max_received
        self._verified: TTLCache[RecipientCheck, bool] = TTLCache(
            CACHE_ENTRIES, settings.inquiry_cache_seconds
        )
        self._random_ids: LRUCache[MailKey, str] = LRUCache(CACHE_ENTRIES)
        self._parser = ParserProcess()
        self._parser_thread = ThreadPoolExecutor(1, "mail-parser")
        self.accepted = 0
        self.refused = 0
        self.deferred = 0
        self.not_kept = 0

    def close(self) -> None:
        """Stop the process that parses big mails, and the thread that waits for it."""
        self._parser.kill()
        self._parser_thread.submit(self._parser.close)
        self._parser_thread.shutdown(wait=False)

    async def verify_recipient(self, mailbox: str, client: str, is_report: bool = False) -> str:
        """Return the reply to RCPT. Caches acceptance for a few seconds, and refusals never.

        `is_report`: the mail has no sender, so it goes to no device, and a recipient who takes no messages accepts it.
        """
        if self._mailboxes and self._find_handler(mailbox, client):
            return RECIPIENT_OK
        check = RecipientCheck(recipient=Address(Network.EMAIL, mailbox), is_report=is_report)
        if check in self._verified:
            return RECIPIENT_OK
        try:
            await self._emit(check)
        except Exception as error:
            log_error(error)
            reply = refusal(error, UNKNOWN_RECIPIENT_CODE)
            text = "recipient %s by %s refused: %s"
            kind = f"recipient {mailbox} by {client} refused"
            log.info(text, mailbox, client, reply, extra=details(kind=kind))
            return reply
        self._verified[check] = True
        return RECIPIENT_OK

    async def submit(self, mail: ReceivedMail) -> str:
        """Return the reply to a mail; 250 only after the router has committed all of its messages."""
        if self._mailboxes:
            reply, others = await self._submit_to_handlers(mail)
            if not others:
                return reply
            mail = replace(mail, recipients=others)
        if self._authenticator is not None:
            content = self._authenticator.remove_forged_results(mail.content, mail.client)
            mail = replace(mail, content=content)
        try:
            parsed = await self._parse(mail.content)
        except (Rejected, Unavailable) as error:
            log_error(error)
            return self.record_reply(mail, refusal(error, BAD_CONTENT_CODE))
        if parsed.hops > self._max_received:
            return self.record_reply(mail, TOO_MANY_HOPS)
        header = parsed.message_id_header
        if header and find_reference(header, self._mail_domain):
            return self.record_reply(mail, OUR_OWN)
        ids, keys = self._make_ids(mail, parsed)
        records = classify(mail, parsed, ids, self._mail_domain)
        found = None
        if self._authenticator is not None and any(isinstance(one, Message) for one in records):
            found = await self._authenticator.authenticate(
                mail.content, mail.client, mail.helo, mail.sender, parsed.author or mail.sender
            )
        records = [add_authorship(one, found) for one in records]
        ids = [one.id for one in records] or ids
        # No record: an automatic answer to nothing of ours, which is accepted and not kept.
        reply = await self._emit_records(records) if records else ACCEPTED
        self.not_kept += not records
        if not reply.startswith("4"):
            for key in keys:
                self._random_ids.pop(key, None)
        return self.record_reply(mail, reply, " ".join(ids), header or "", found)

    async def _parse(self, content: bytes) -> ParsedMail:
        """Parse a mail of little work in place, and any other in the process for it. Raises Rejected, Unavailable."""
        if is_small(content):
            with suppress(TooExpensive):
                return read_mail(content, is_inline=True)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parser_thread, self._parser.read_mail, content)

    def _make_ids(self, mail: ReceivedMail, parsed: ParsedMail) -> tuple[list[str], list[MailKey]]:
        """Return an id for each recipient, and the keys of those that are random."""
        header = parsed.message_id_header
        # Bounces of several deliveries may be alike but for their addresses.
        bounced = () if mail.bounced is None else (str(mail.bounced.delivery_id),)
        if header:
            content = (parsed.subject, parsed.whole_text, *bounced)
            ids = [message_id("mail", header, mail.sender, r, *content) for r in mail.recipients]
            return ids, []
        digest = sha256(b"".join((mail.content, *map(str.encode, bounced)))).digest()
        keys = [(digest, mail.sender, recipient) for recipient in mail.recipients]
        ids = [
            self._random_ids.setdefault(key, message_id("mail", secrets.token_bytes(16)))
            for key in keys
        ]
        return ids, keys

    def record_reply(
        self,
        mail: ReceivedMail,
        reply: str,
        ids: str = "",
        author_id: str = "",
        found: Authentication | None = None,
    ) -> str:
        """Count and log the reply to a mail, and return it. `author_id` is the Message-ID of its author."""
        match reply[0]:
            case "2":
                self.accepted += 1
            case "4":
                self.deferred += 1
            case _:
                self.refused += 1
        if not log.isEnabledFor(logging.INFO):
            return reply
        log.info(
            "mail %s from %s by %s to %s, %d bytes%s: %s",
            ids,
            mail.sender or "<>",
            mail.client,
            ",".join(mail.recipients),
            mail.size,
            f", {found.line}" if found else "",
            reply[:9] if reply.startswith("2") else reply,
            extra=details(message_id=ids, author_id=author_id),
        )
        return reply

    def _find_handler(self, mailbox: str, client: str) -> MailboxHandler | None:
        """Return the handler of a network's mailbox; other clients than the network's own get None."""
        name = own_mailbox(mailbox, self._mail_domain)
        handler = self._mailboxes.get(f"{name}@{self._mail_domain}")
        return handler if handler and handler.admits(client) else None

    async def _submit_to_handlers(self, mail: ReceivedMail) -> tuple[str, tuple[str, ...]]:
        """Return the reply for the mailboxes of networks, and the other recipients; none of them after a failure."""
        found = [(one, self._find_handler(one, mail.client)) for one in mail.recipients]
        others = tuple(recipient for recipient, handler in found if handler is None)
        if len(others) == len(found):
            return ACCEPTED, others
        errors: list[BaseException | None] = []
        for recipient, handler in found:
            if handler is None:
                continue
            raw_mail = RawMail(
                sender=mail.sender, recipient=recipient, content=mail.content, client=mail.client
            )
            try:
                await handler.take(raw_mail, self._emit)
                errors.append(None)
            except Exception as error:
                log_error(error)
                errors.append(error)
        if any(errors):
            return self.record_reply(mail, joint_refusal(errors)), ()
        return self.record_reply(mail, ACCEPTED), others

    async def _emit_records(self, records: list[Record]) -> str:
        errors = await self._emit_each(records)
        # One reply stands for all recipients: a copy that is refused for its author ends in the history.
        if None in errors:
            refused = [n for n, one in enumerate(errors) if isinstance(one, AuthorRefused)]
            kept = [
                replace(one, keeps_refusal=True)
                for one in (records[n] for n in refused)
                if isinstance(one, Message)
            ]
            for number, error in zip(refused, await self._emit_each(kept), strict=True):
                errors[number] = error
        for record, failure in zip(records, errors, strict=True):
            if failure is not None:
                if record.recipient is not None:  # the next RCPT asks the router again
                    self._verified.pop(RecipientCheck(recipient=record.recipient), None)
                log_error(failure, record.id)
        if any(errors):
            return joint_refusal(errors)
        ids = " ".join(record.id for record in records[:MAX_IDS_IN_REPLY])
        return f"{ACCEPTED} {ids}"

    async def _emit_each(self, records: Sequence[Record]) -> list[BaseException | None]:
        """Offer the records side by side, and return the failure of each, None for one that was accepted."""
        if len(records) > 1:
            emits = (self._emit(record) for record in records)
            return await asyncio.gather(*emits, return_exceptions=True)
        for record in records:
            try:
                await self._emit(record)
            except Exception as error:
                return [error]
        return [None] * len(records)


def is_small(content: bytes) -> bool:
    """Whether the structure of a mail is small enough for the event loop; the reader counts its HTML and its lines."""
    return (
        len(content) <= INLINE_BYTES
        and max(content.count(b"\n"), content.count(b"\r")) <= INLINE_LINES
        and content.count(b"--") <= INLINE_DASHES
        and content.count(b"\n--") + content.count(b"\r--") <= INLINE_BOUNDARIES
    )


def log_error(error: BaseException, id: str = "") -> None:
    """Log the reason of an Unavailable, and the type and place of a bug; not its text, which may hold secrets."""
    if isinstance(error, GatewayError):
        if isinstance(error, Unavailable):
            log.info("not taken now: %s", error.reason, extra={"message_id": id})
        return
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    log.error("%s at %s", type(error).__name__, place, extra={"message_id": id})
