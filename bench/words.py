"""The time to read one mail down to the own words of its author, against the stdlib parser on the same bytes."""

import email
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

from bench.figures import Line, in_turn
from messaging.mail.parse.mail import read_mail

CORPUS = Path(__file__).parents[1] / "tests" / "corpus" / "own_words"
ROUNDS = 25
REPEATS = 40
PEER = "ms (stdlib `email`, message_from_bytes)"
# The mail that `acceptance` sends, and mails of the corpus by their names.
BARE = b"Subject: x\r\nMessage-ID: <3.7.123456.5@example.net>\r\n\r\nhi\r\n"
PLAIN = (
    b"From: Ann Example <ann@example.com>\r\nTo: boop@example.org\r\nSubject: Weather\r\n"
    b"Date: Fri, 27 Nov 2026 19:20:18 +0100\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHello Boop,\r\n\r\n"
    b"all is well here. The wind drops on Sunday, wait until then.\r\nWe meet in Horta: call me from there.\r\n"
    b"\r\nLove, Ann\r\n"
)
NAMES = (
    "gmail-web-en-top",
    "outlook-web-en-top",
    "outlook-web-en-html-only",
    "thunderbird-de-interleaved",
    "mutt-pl-interleaved",
    "thunderbird-es-bottom-nested",
)


def measure() -> list[Line]:
    """Read each kind of mail many times, and the corpus as a whole."""
    mails = {"a bare mail": BARE, "a plain mail without history": PLAIN}
    mails |= {name: (CORPUS / f"{name}.eml").read_bytes() for name in NAMES}
    lines = [_compare(name, [data], f"{len(data):,} bytes") for name, data in mails.items()]
    corpus = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))]
    note = f"{len(corpus)} mails, {fmean(map(len, corpus)):,.0f} bytes each"
    return [*lines, _compare("the mean mail of the corpus", corpus, note)]


def _compare(name: str, mails: list[bytes], note: str) -> Line:
    repeats = max(1, REPEATS // len(mails))
    contestants = {
        "ours": lambda: _milliseconds(read_mail, mails, repeats),
        "peer": lambda: _milliseconds(email.message_from_bytes, mails, repeats),
    }
    found = in_turn(ROUNDS, contestants)
    return Line(name, found["ours"], "ms", PEER, found["peer"], None, note)


def _milliseconds(read: Callable[[bytes], object], mails: list[bytes], repeats: int) -> float:
    begin = time.thread_time()
    for _ in range(repeats):
        for mail in mails:
            read(mail)
    return (time.thread_time() - begin) * 1000 / (repeats * len(mails))
