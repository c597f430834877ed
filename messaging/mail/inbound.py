"""Takes a complete mail to the router, one message per recipient, and says what to answer."""

import asyncio
import logging
import secrets
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from cachetools import LRUCache, TTLCache

from messaging.errors import GatewayError, Rejected, Unavailable
from messaging.mail.classify import ReceivedMail, Record, classify
from messaging.mail.message_ids import find_reference
from messaging.mail.parse.mail import ParsedMail, read_mail
from messaging.mail.smtp.replies import OUR_OWN, TOO_MANY_HOPS, joint_refusal, refusal
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Address, Emit, Network, RecipientCheck, message_id
from messaging.model.raw_mail import MailboxHandler, RawMail

log = logging.getLogger(__name__)

INLINE_BYTES: Final = 64 * 1024
PARSER_THREADS: Final = 2
REMEMBERED: Final = 10_000
MAX_IDS_IN_REPLY: Final = 5  # a reply line has at most 512 bytes
RECIPIENT_OK: Final = "250 2.1.5 recipient ok"


Key = tuple[bytes, str, str]


class MailIngest:
    """Asks and tells the router. Made within a running event loop; used by all sessions of one receiver.

    A mail gets the same ids whenever it is offered again (Message-ID, envelope sender, recipient, subject and text).
    One without a Message-ID gets random ids, which are remembered by its bytes until it was answered for good, so
    that a repeat after 451 is the same message.
    """

    def __init__(
        self,
        emit: Emit,
        mail_domain: str,
        server: SmtpSettings,
        mailboxes: Sequence[MailboxHandler] = (),
    ) -> None:
        self._emit = emit
        self._mailboxes = {f"{box.local_part}@{mail_domain}": box for box in mailboxes}
        self._mail_domain = mail_domain
        self._max_received = server.max_received
        self._known: TTLCache[RecipientCheck, bool] = TTLCache(
            REMEMBERED, server.inquiry_cache_seconds
        )
        self._unanswered: LRUCache[Key, str] = LRUCache(REMEMBERED)
        self._parsers = ThreadPoolExecutor(PARSER_THREADS, "mail-parser")
        self.accepted = 0
        self.refused = 0
        self.put_off = 0

    def close(self) -> None:
        """Stop the threads that read big mails."""
        self._parsers.shutdown(wait=False, cancel_futures=True)

    async def answer_recipient(self, mailbox: str, client: str, is_report: bool = False) -> str:
        """Return the reply to RCPT. A yes is remembered for a short while, a no never.

        `is_report`: the mail has no sender, so it goes to no device, and whether one takes messages does not matter.
        """
        if self._network_mailbox(mailbox, client):
            return RECIPIENT_OK
        inquiry = RecipientCheck(recipient=Address(Network.EMAIL, mailbox), is_report=is_report)
        if inquiry in self._known:
            return RECIPIENT_OK
        try:
            await self._emit(inquiry)
        except Exception as error:
            log_bug(error)
            log.info("recipient %s by %s refused: %s", mailbox, client, type(error).__name__)
            return refusal(error, "550 5.1.1")
        self._known[inquiry] = True
        return RECIPIENT_OK

    async def answer_mail(self, mail: ReceivedMail) -> str:
        """Return the reply to a mail: 250 only after the router has committed all of its messages."""
        boxes = [self._network_mailbox(one, mail.client) for one in mail.recipients]
        if not any(boxes):
            return await self._answer_letter(mail)
        reply = await self._answer_network(mail, [box for box in boxes if box])
        others = tuple(r for r, box in zip(mail.recipients, boxes, strict=True) if not box)
        if not others or not reply.startswith("2"):
            return reply
        return await self._answer_letter(replace(mail, recipients=others))

    def _network_mailbox(self, mailbox: str, client: str) -> MailboxHandler | None:
        """Return the mailbox of a network, if the client may know of it."""
        box = self._mailboxes.get(mailbox)
        return box if box and box.admits(client) else None

    async def _answer_network(self, mail: ReceivedMail, boxes: Sequence[MailboxHandler]) -> str:
        errors: list[BaseException | None] = []
        for box in boxes:
            address = f"{box.local_part}@{self._mail_domain}"
            mailed = RawMail(
                sender=mail.sender, recipient=address, content=mail.content, client=mail.client
            )
            try:
                await box.take(mailed, self._emit)
                errors.append(None)
            except Exception as error:
                log_bug(error)
                errors.append(error)
        return self.turn_down(mail, joint_refusal(errors) or "250 2.0.0 accepted")

    async def _answer_letter(self, mail: ReceivedMail) -> str:
        try:
            letter = await self._read(mail.content)
        except Rejected as error:
            return self.turn_down(mail, refusal(error, "550 5.6.0"))
        if loop := self._loop(letter):
            return self.turn_down(mail, loop)
        keys = _keys(mail) if letter.message_id_header is None else []
        ids = [self._remembered(key) for key in keys] or _ids(mail, letter)
        records = classify(mail, letter, ids, self._mail_domain)
        reply = self._settle(records, await self._offer(records))
        if not reply.startswith("4"):
            for key in keys:
                self._unanswered.pop(key, None)
        _log(mail, " ".join(ids), reply)
        return reply

    def turn_down(self, mail: ReceivedMail, reply: str) -> str:
        """Count and log a mail that the router is not asked about as a message, and return the reply."""
        self._count(reply)
        _log(mail, "", reply)
        return reply

    async def _read(self, content: bytes) -> ParsedMail:
        if len(content) <= INLINE_BYTES:
            return read_mail(content)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parsers, read_mail, content)

    def _remembered(self, key: Key) -> str:
        if key not in self._unanswered:
            self._unanswered[key] = message_id("mail", secrets.token_bytes(16))
        return self._unanswered[key]

    def _loop(self, letter: ParsedMail) -> str | None:
        """Return how a mail that goes round in circles is refused: by its way, or because we wrote it."""
        if letter.hops > self._max_received:
            return TOO_MANY_HOPS
        ours = find_reference(letter.message_id_header or "", self._mail_domain)
        return OUR_OWN if ours else None

    async def _offer(self, messages: list[Record]) -> list[BaseException | None]:
        if len(messages) > 1:
            offers = (self._emit(message) for message in messages)
            return await asyncio.gather(*offers, return_exceptions=True)
        try:
            await self._emit(messages[0])
        except Exception as error:
            return [error]
        return [None]

    def _settle(self, messages: list[Record], errors: list[BaseException | None]) -> str:
        for message, error in zip(messages, errors, strict=True):
            if error is not None:
                if message.recipient is not None:  # RCPT shall ask again
                    self._known.pop(RecipientCheck(recipient=message.recipient), None)
                log_bug(error, message.id)
        ids = " ".join(message.id for message in messages[:MAX_IDS_IN_REPLY])
        reply = joint_refusal(errors) or f"250 2.0.0 accepted {ids}"
        self._count(reply)
        return reply

    def _count(self, reply: str) -> None:
        match reply[0]:
            case "2":
                self.accepted += 1
            case "4":
                self.put_off += 1
            case _:
                self.refused += 1


def log_bug(error: BaseException, id: str = "") -> None:
    """Log what no peer may know: which foreign exception it was, and where; not its text, which may hold secrets."""
    if isinstance(error, GatewayError):
        if isinstance(error, Unavailable):
            log.info("not taken now: %s", error.reason, extra={"message_id": id})
        return
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    log.error("%s at %s", type(error).__name__, place, extra={"message_id": id})


def _keys(mail: ReceivedMail) -> list[Key]:
    digest = sha256(mail.content).digest()
    return [(digest, mail.sender, recipient) for recipient in mail.recipients]


def _ids(mail: ReceivedMail, letter: ParsedMail) -> list[str]:
    facts = (letter.message_id_header or "", mail.sender)
    content = (letter.subject, letter.text)
    return [message_id("mail", *facts, recipient, *content) for recipient in mail.recipients]


def _log(mail: ReceivedMail, ids: str, reply: str) -> None:
    log.info(
        "mail %s from %s by %s to %s, %d bytes: %s",
        ids,
        mail.sender or "<>",
        mail.client,
        ",".join(mail.recipients),
        mail.size,
        reply[:9],
        extra={"message_id": ids},
    )
