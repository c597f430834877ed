"""Mail accepted with the check of its author, beside a gateway that checks none: unsigned, and signed by RSA-2048."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import dkim

from bench.figures import Line, in_turn, part_of
from bench.gateway_under_load import gateway, make_network_hang
from tests.support.mail.signed_mails import SELECTOR, key_record, pem

ROUNDS = 5
CONNECTIONS = 20
MAILS = 2000
DOMAIN = "friend.example"
FIELDS = (b"from", b"to", b"subject", b"date")
MAIL = (
    b"From: Alice <alice@friend.example>\r\n"
    b"To: boop@example.org\r\n"
    b"Subject: Hello\r\n"
    b"Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n"
    b"\r\n" + b"See you at the harbour, on the pier.\r\n" * 10
)
REACH = {"unsigned": 0.9, "signed (RSA-2048)": 0.5}


@dataclass
class Load:
    """Offers mails that differ by an unsigned Message-ID, over kept connections."""

    content: bytes
    sent: int = 0

    def mails_per_second(self, port: int) -> float:
        """Send the mails of one round; return how many a second were answered with 250."""
        mails = part_of(MAILS)
        began = time.monotonic()
        asyncio.run(self._send(port, mails))
        return mails / (time.monotonic() - began)

    async def _send(self, port: int, mails: int) -> None:
        numbers = iter(range(self.sent, self.sent + mails))
        self.sent += mails
        await asyncio.gather(*(self._connect(port, numbers) for _ in range(CONNECTIONS)))

    async def _connect(self, port: int, numbers: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        writer.write(b"HELO client.example\r\n")
        await reader.readline()
        for number in numbers:
            writer.write(
                b"MAIL FROM:<alice@friend.example>\r\nRCPT TO:<boop@example.org>\r\nDATA\r\n"
            )
            replies = [await reader.readline() for _ in range(3)]
            writer.write(b"Message-ID: <%d@friend.example>\r\n" % number + self.content + b".\r\n")
            replies.append(await reader.readline())
            if [one[:3] for one in replies] != [b"250", b"250", b"354", b"250"]:
                raise RuntimeError(f"a mail was not taken: {replies}")
        writer.close()


def measure() -> list[Line]:
    """Measure both gateways in turn, with each kind of mail."""
    field = dkim.sign(
        MAIL, SELECTOR.encode(), DOMAIN.encode(), pem(2048), include_headers=list(FIELDS)
    )
    loads = {"unsigned": Load(MAIL), "signed (RSA-2048)": Load(bytes(field) + MAIL)}
    note = f"{CONNECTIONS} kept connections, SQLite, DNS on this machine, median of {ROUNDS}"
    lines = []
    with ExitStack() as exits:
        checking = exits.enter_context(gateway())
        other = exits.enter_context(gateway(MAIL_AUTHENTICATION="false"))
        checking.dns.zone |= {
            DOMAIN: [("TXT", "v=spf1 -all")],
            f"_dmarc.{DOMAIN}": [("TXT", "v=DMARC1; p=none")],
            f"{SELECTOR}._domainkey.{DOMAIN}": [key_record(pem(2048))],
        }
        for one in (checking, other):
            make_network_hang(one)
        for kind, load in loads.items():
            runs = {
                name: partial(load.mails_per_second, found.smtp_port)
                for name, found in (("ours", checking), ("without the check", other))
            }
            found = in_turn(ROUNDS, runs)
            lines.append(
                Line(
                    f"mail accepted with the check of its author, {kind}",
                    found["ours"],
                    "mails/s",
                    "without the check",
                    found["without the check"],
                    REACH[kind],
                    note,
                )
            )
    return lines
