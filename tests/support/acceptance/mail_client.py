"""A mail client that does what mail servers do: it sends again what was put off."""

import smtplib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What the server said."""

    accepted: int = 0
    put_off: int = 0
    refused: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, code: int, text: str) -> None:
        with self.lock:
            if code == 250:
                self.accepted += 1
            elif code < 500:
                self.put_off += 1
            else:
                self.refused.append(f"{code} {text}")


def mail(number: int, recipient: str, run: str) -> str:
    return (
        f"From: alice@example.net\r\nTo: {recipient}\r\nSubject: mail {number}\r\n"
        f"Message-ID: <{run}.{number}@example.net>\r\n\r\nThis is mail number {number}.\r\n"
    )


def send_all(
    port: int, mails: Sequence[tuple[str, str]], connections: int, tally: Tally
) -> list[threading.Thread]:
    """Start sending (recipient, mail) over so many connections at once; join the threads to wait."""
    threads = [
        threading.Thread(target=_send_some, args=(port, mails[n::connections], tally))
        for n in range(connections)
    ]
    for thread in threads:
        thread.start()
    return threads


def _send_some(port: int, mails: Sequence[tuple[str, str]], tally: Tally) -> None:
    client: smtplib.SMTP | None = None
    for recipient, content in mails:
        code = 0
        while code != 250 and code < 500:
            try:
                client = client or smtplib.SMTP("127.0.0.1", port, timeout=60)
                code, text = _send(client, recipient, content)
            except (OSError, smtplib.SMTPException) as error:
                code, text, client = 421, str(error), None
            tally.count(code, text)
            if code != 250:
                time.sleep(0.3)
    if client is not None:
        client.quit()


def _send(client: smtplib.SMTP, recipient: str, content: str) -> tuple[int, str]:
    client.ehlo_or_helo_if_needed()
    for command in ("MAIL FROM:<alice@example.net>", f"RCPT TO:<{recipient}>"):
        code, said = client.docmd(command)
        if code != 250:
            client.rset()
            return code, said.decode()
    code, said = client.data(content)
    return code, said.decode()
