"""Steady traffic in every direction while something breaks: mails, webhooks and uplinks, each with its token."""

import smtplib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from types import TracebackType
from typing import Self

from chaos.gateway import TargetGateway
from chaos.record import Direction, Offer, Record

# Enough that at any moment some mail is between its last byte and its answer: that is when a kill can lose it.
MAIL_CONNECTIONS = 10
MAIL_PAUSE_SECONDS = 0.1
TEXT_PAUSE_SECONDS = 0.2
UPLINK_PAUSE_SECONDS = 0.2
AGAIN_SECONDS = 0.3
LAST_TRIES_SECONDS = 90.0


class Load:
    """A context manager: sends traffic until its exit, then repeats what was begun until it is answered."""

    def __init__(
        self, gateway: TargetGateway, record: Record, mail_connections: int = MAIL_CONNECTIONS
    ) -> None:
        self._gateway = gateway
        self._record = record
        self._mail_connections = mail_connections
        self._stop = threading.Event()
        self._deadline = float("inf")
        self._threads = [threading.Thread(target=job, daemon=True) for job in self._jobs()]
        self.began = self.ended = 0.0

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended = time.monotonic()
        self._deadline = self.ended + LAST_TRIES_SECONDS
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _jobs(self) -> list[Callable[[], None]]:
        """Return the function of each thread."""
        return [*[self._mails] * self._mail_connections, self._texts, self._uplinks]

    def _begins(self, pause_seconds: float) -> bool:
        """Wait before another message; return whether there is to be one."""
        return not self._stop.wait(pause_seconds)

    def _mails(self) -> None:
        client = MailClient(self._gateway)
        while self._begins(MAIL_PAUSE_SECONDS):
            offer = self._record.offer(Direction.MAIL)
            offer.recipient = self._gateway.device_of(offer.number)
            offer.compose()
            self._until_answered(offer, client.send)
        client.close()

    def _texts(self) -> None:
        while self._begins(TEXT_PAUSE_SECONDS):
            offer = self._record.offer(Direction.TEXT)
            offer.recipient = self._gateway.device_of(offer.number)
            offer.compose()
            self._until_answered(offer, self._text)

    def _text(self, offer: Offer) -> tuple[int, str]:
        # Twilio tries again under the same sid.
        sid = "SM" + sha256(offer.token.encode()).hexdigest()[:32]
        taken = self._gateway.text_again(offer.number, offer.text or "", sid)
        return (250, "") if taken else (451, "")

    def _uplinks(self) -> None:
        number = 0
        while self._begins(UPLINK_PAUSE_SECONDS):
            number += 1
            offer = self._record.offer(Direction.LETTER if number % 2 else Direction.NOTE)
            offer.packet = self._gateway.uplink_of(number, offer)

    def _until_answered(self, offer: Offer, send: Callable[[Offer], tuple[int, str]]) -> None:
        """Offer a deferred message again under the same id, as mail servers and Twilio do."""
        while time.monotonic() < self._deadline:
            code, text = send(offer)
            if code == 250:
                return self._record.yes(offer)
            if code >= 500:
                offer.refused = f"{code} {text}"
                return None
            self._record.later(offer, code)
            time.sleep(AGAIN_SECONDS)
        return None


class MailClient:
    """A mail client that keeps its connection as long as possible."""

    def __init__(self, gateway: TargetGateway) -> None:
        self._gateway = gateway
        self._smtp: smtplib.SMTP | None = None

    def send(self, offer: Offer) -> tuple[int, str]:
        """Return the code and text of the last reply; 0 when the connection broke."""
        try:
            if self._smtp is None:
                self._smtp = smtplib.SMTP("127.0.0.1", self._gateway.smtp_port, timeout=30)
                self._smtp.ehlo()
            return self._try(self._smtp, offer)
        except (OSError, smtplib.SMTPException):
            self.close()
            return 0, "the connection broke"

    def _try(self, smtp: smtplib.SMTP, offer: Offer) -> tuple[int, str]:
        mailbox = self._gateway.mailbox_of_device(offer.recipient or "") or (
            self._gateway.mailbox_of(offer.number)
        )
        for command in ("MAIL FROM:<alice@example.net>", f"RCPT TO:<{mailbox}>"):
            code, said = smtp.docmd(command)
            if code != 250:
                self._begin_anew(smtp, code)
                return code, said.decode()
        code, said = smtp.data(
            f"From: alice@example.net\r\nTo: {mailbox}\r\n"
            f"Message-ID: <{offer.token}@example.net>\r\n\r\n{offer.text}\r\n"
        )
        if code == 421:
            self.close()
        return code, said.decode()

    def _begin_anew(self, smtp: smtplib.SMTP, code: int) -> None:
        if code == 421:
            self.close()  # the server does
        else:
            smtp.rset()

    def close(self) -> None:
        """End the connection."""
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.close()
        self._smtp = None


def mark_taken(gateway: TargetGateway, record: Record) -> int:
    """Note a yes for every uplink that was acknowledged at the Hive; return the number that still wait."""
    taken = gateway.acknowledged()
    waiting = 0
    for offer in record.offers:
        if offer.packet in taken:
            record.yes(offer)
        elif offer.packet is not None:
            waiting += 1
    return waiting
