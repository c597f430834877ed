"""A mail of twice the size costs at most two and a half times the processor time, whatever it is made of.

Two doublings are measured together, since one may just leave the processor's cache.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from messaging.errors import Rejected
from messaging.mail.parse.mail import read_mail
from messaging.mail.parse.reader import MAX_PARTS
from messaging.mail.text import _CHARSETS, _load_codec, decode_text
from tests.support.mail.hostile import KINDS
from tests.support.mail.mails import MIXED

TRIES = 6
NOISE_SECONDS = 0.01
TWO_DOUBLINGS = 2.5**2


def cpu_seconds(data: bytes) -> float:
    begin = time.thread_time()
    with suppress(Rejected):
        read_mail(data)
    return time.thread_time() - begin


@pytest.mark.no_cover  # measures time, which tracing would multiply
@pytest.mark.parametrize("size", [32_000, 1_000_000])
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_twice_the_size_costs_twice_the_time(make: Callable[[int], bytes], size: int) -> None:
    small, big = make(size), make(4 * size)
    smalls, bigs = [], []
    for _ in range(TRIES):
        smalls.append(cpu_seconds(small))
        bigs.append(cpu_seconds(big))
        if min(bigs) <= TWO_DOUBLINGS * min(smalls) + NOISE_SECONDS:
            break
    assert min(bigs) <= TWO_DOUBLINGS * min(smalls) + NOISE_SECONDS


def test_no_more_than_a_hundred_parts_are_read() -> None:
    mail = MIXED + b"".join(b"--b\r\n\r\npart %d.\r\n" % number for number in range(200))
    text = read_mail(mail).text
    assert f"part {MAX_PARTS - 2}." in text
    assert f"part {MAX_PARTS}." not in text
    assert "[cut after" in text


def test_unknown_charsets_leave_nothing_behind() -> None:
    _load_codec.cache_clear()
    for number in range(1000):
        decode_text(b"caf\xe9", f"x-{number}", guess=False)
        decode_text(b"caf\xe9", f"utf{'-' * number}8", guess=False)
    assert _load_codec.cache_info().currsize <= len(_CHARSETS)
