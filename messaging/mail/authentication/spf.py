"""Checks SPF (RFC 7208) by pyspf over records that were looked up before."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import spf

from messaging.mail.authentication.resolver import Answer, Key, Lookups
from messaging.mail.text import one_line
from messaging.model.address_syntax import ascii_domain
from messaging.model.authentication import MechanismResult

MAX_LOOKUPS: Final = 60
MAX_RECORD_BYTES: Final = 4096  # of one TXT record; RFC 7208 section 3.4 recommends 450
INLINE_BYTES: Final = 2048  # more text than this is evaluated in a thread
MAX_REASON_CHARS: Final = 200


class _Missing(Exception):
    """The evaluation needs a record that was not looked up yet."""

    def __init__(self, key: Key) -> None:
        super().__init__(*key)
        self.key = key


async def check_spf(lookups: Lookups, client: str, helo: str, sender: str) -> MechanismResult:
    """Check whether the domain of the envelope sender names the client; of HELO for an empty sender.

    Starts again for each record that is missing: the library is synchronous, and this needs no thread that waits.
    A record may name each of the three arguments, so a result holds for no others.
    """
    if (earlier := lookups.recall(MechanismResult, client, helo, sender)) is not None:
        return earlier
    known: dict[Key, Answer] = {}

    def find(key: Key) -> Answer:
        answer = known.get(key) or lookups.peek(*key)
        if answer is None:
            raise _Missing(key)
        known[key] = answer
        return answer

    for _ in range(MAX_LOOKUPS):
        size = sum(len(text) for answer in known.values() for text in answer.texts)
        try:
            if size > INLINE_BYTES:
                found = await asyncio.to_thread(_evaluate, find, client, helo, sender)
            else:
                found = _evaluate(find, client, helo, sender)
        except _Missing as missing:
            known[missing.key] = await lookups.find(*missing.key)
        else:
            lookups.remember(found, client, helo, sender, used=known)
            return found
    return MechanismResult("spf", "permerror", "", "the record needs too many lookups")


def sender_domain(helo: str, sender: str) -> str:
    """Return the domain that SPF is about: of the envelope sender, else of HELO."""
    return ascii_domain(sender.rpartition("@")[2] if sender else helo)


def _evaluate(
    find: Callable[[Key], Answer], client: str, helo: str, sender: str
) -> MechanismResult:
    """Evaluate SPF on known records. Raises _Missing for the first one that is not known."""
    local, at, own = sender.rpartition("@")
    domain = sender_domain(helo, sender)
    sender = f"{local}@{ascii_domain(own)}" if at else sender
    try:
        query = _Query(find, client, ascii_domain(helo), sender)
        result, _, reason = query.check()
    except _Missing:
        raise
    except spf.PermError as error:
        result, reason = "permerror", str(error)
    except Exception as error:
        # The library fails in many ways on malformed records and names.
        result, reason = "permerror", f"the record cannot be read ({type(error).__name__})"
    return MechanismResult(
        "spf", result, domain, _REASONS.get(result, "") or one_line(reason, MAX_REASON_CHARS)
    )


_REASONS: Final = {
    "pass": "the domain names the client",
    "fail": "the domain says that the client may not send for it",
    "softfail": "the domain says that the client should not send for it",
    "neutral": "the domain says nothing about the client",
    "none": "the domain has no SPF record",
}


class _Query(spf.query):  # type: ignore[misc]
    """A query of pyspf that takes every record from those that are known: the one place where it meets DNS."""

    def __init__(self, find: Callable[[Key], Answer], client: str, helo: str, sender: str) -> None:
        super().__init__(i=client, s=sender, h=helo, strict=True, querytime=0)
        self._find = find

    def dns(
        self, name: Any, qtype: str, cnames: object = None, ignore_void: bool = False
    ) -> list[Any]:
        """Return the records in the form that the library expects, and count empty answers (RFC 7208 section 4.6.4)."""
        name = str(name).lower().removesuffix(".")
        is_name = name.isascii() and all(0 < len(label) < 64 for label in name.split("."))
        if not is_name or len(name) > 253:
            return []
        answer = self._find((name, qtype))
        if answer.failed:
            raise spf.TempError("DNS did not answer")
        if any(len(text) > MAX_RECORD_BYTES for text in answer.texts if spf.RE_SPF.match(text)):
            raise spf.PermError("the record is too long")
        records: list[Any] = [(text,) for text in answer.texts]
        records += [*answer.names, *answer.exchanges]
        if not records and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many lookups without an answer")
        return records

    def validated_ptrs(self) -> list[str]:
        """Return the names of the client that lead back to it; leaves out those that DNS fails for (section 5.5)."""
        found = []
        try:
            for name in self.dns_ptr(self.i)[: spf.MAX_PTR]:
                with suppress(spf.TempError):
                    if self.cidrmatch(self.dns_a(name, self.A), self.cidrmax):
                        found.append(name)
        except spf.TempError:
            return []
        return found

    def get_explanation(self, spec: object) -> None:
        """Return nothing: the text of the domain is for its own senders, and would cost a lookup."""
