"""Asks DNS: asynchronous, with a cache by TTL, and bounded for each mail."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import dns.asyncresolver
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from cachetools import TLRUCache

from messaging.mail.authentication.settings import DnsSettings

MAX_CACHED: Final = 20_000
MAX_RESULTS: Final = 5000  # made of answers
MAX_CACHED_BYTES: Final = 4096  # of one answer; a longer one is asked again
MAX_RECORDS: Final = 100  # of one answer; further ones are left out
MAX_TTL_SECONDS: Final = 3600.0
NO_TTL_SECONDS: Final = 60.0  # of an answer "there is none" without a time (RFC 2308)
FAILURE_SECONDS: Final = 5.0  # for as long a failure is not asked again (RFC 9520 section 3.2)
MAX_LOOKUPS: Final = 100  # for one mail: SPF alone may need 60
TRY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of one name and type.

    `texts` are TXT records, `names` addresses and names (A, AAAA, PTR, NS), `exchanges` MX records. `exists` is false
    when the name has no record of any type (NXDOMAIN), `failed` when DNS did not answer.
    """

    texts: tuple[bytes, ...] = ()
    names: tuple[str, ...] = ()
    exchanges: tuple[tuple[int, str], ...] = ()
    exists: bool = True
    failed: bool = False


FAILED: Final = Answer(failed=True)
NOTHING: Final = Answer()
NXDOMAIN: Final = Answer(exists=False)
Key = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Cached:
    """An answer, or a result that was made of answers, and the time of the clock when it ends."""

    value: Any
    ends_at: float


class Resolver:
    """Asks DNS servers, and caches their answers as long as they say, an hour at most. Belongs to one event loop.

    Several lookups of one record at a time are one query. A failure is cached for `FAILURE_SECONDS`. Results that were
    made of answers are cached until the first of these ends.
    """

    def __init__(self, settings: DnsSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolver = _make_resolver(settings)
        self._clock = clock
        self._pending: dict[Key, asyncio.Task[Answer]] = {}
        self._cache: TLRUCache[Key, _Cached] = TLRUCache(
            MAX_CACHED, ttu=lambda _key, cached, _now: cached.ends_at, timer=clock
        )
        self._results: TLRUCache[tuple[Any, ...], _Cached] = TLRUCache(
            MAX_RESULTS, ttu=lambda _key, cached, _now: cached.ends_at, timer=clock
        )

    def peek(self, key: Key) -> Answer | None:
        """Return an answer from the cache; None when it is not there."""
        try:
            found: Answer = self._cache[key].value
        except KeyError:
            return None
        return found

    def recall(self, kind: type[T], key: tuple[str, ...]) -> T | None:
        """Return the result of this kind from the cache; None when it is not there."""
        try:
            found: T = self._results[kind, *key].value
        except KeyError:
            return None
        return found

    def remember(self, result: object, key: tuple[str, ...], used: Mapping[Key, Answer]) -> None:
        """Cache a result as long as all the answers that it was made of are in the cache."""
        cached = [(self._cache.get(name), answer) for name, answer in used.items()]
        ends = [one.ends_at for one, answer in cached if one is not None and one.value is answer]
        # A newer answer of another content may have taken the place of one that was used.
        if ends and len(ends) == len(cached):
            self._results[type(result), *key] = _Cached(result, min(ends))

    async def ask(self, key: Key) -> Answer:
        """Return the records of a name and type, not from the cache. Never raises but when it is cancelled."""
        task = self._pending.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key))
            self._pending[key] = task
            task.add_done_callback(lambda _: self._pending.pop(key, None))
        # One mail that gives up does not end the query of another.
        return await asyncio.shield(task)

    async def _ask(self, key: Key) -> Answer:
        name, kind = key
        try:
            # Of labels, not of text: a backslash is no escape here.
            labels = [label.encode("ascii") for label in name.split(".")]
            found = await self._resolver.resolve(
                dns.name.Name([*labels, b""]), kind, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN:
            answer, seconds = NXDOMAIN, NO_TTL_SECONDS
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, UnicodeError):
            return NXDOMAIN  # no name that DNS can have
        except (dns.resolver.YXDOMAIN, dns.message.ChainTooLong):
            return NOTHING
        except Exception:
            # Failures of DNS, of the network, and of the library on malformed answers.
            answer, seconds = FAILED, FAILURE_SECONDS
        else:
            answer = _read_answer(found, kind)
            seconds = float(found.rrset.ttl) if found.rrset is not None else NO_TTL_SECONDS
        seconds = min(seconds, MAX_TTL_SECONDS)
        # Names have at most 255 bytes, and there are at most `MAX_RECORDS`.
        if seconds > 0 and sum(map(len, answer.texts)) <= MAX_CACHED_BYTES:
            self._cache[key] = _Cached(answer, self._clock() + seconds)
        return answer


class Lookups:
    """The lookups for one mail: at most `MAX_LOOKUPS` queries, and none after `seconds`. Beyond that each fails.

    Each record is asked once, also when it fails.
    """

    def __init__(self, resolver: Resolver, seconds: float) -> None:
        self._resolver = resolver
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._left = MAX_LOOKUPS
        self._known: dict[Key, Answer] = {}

    def peek(self, name: str, kind: str) -> Answer | None:
        """Return the records of a name and type without a query; None when it needs one."""
        key = (name.lower().removesuffix("."), kind)
        found = self._known.get(key)
        if found is None and (found := self._resolver.peek(key)):
            self._known[key] = found
        return found

    def recall(self, kind: type[T], *key: str) -> T | None:
        """Return a result that an earlier mail left; None when it has to be made."""
        return self._resolver.recall(kind, key)

    def remember(self, result: object, *key: str, used: Mapping[Key, Answer]) -> None:
        """Leave a result for later mails, as long as the answers that it was made of hold."""
        self._resolver.remember(result, key, used)

    async def find(self, name: str, kind: str) -> Answer:
        """Return the records of a name and type."""
        if found := self.peek(name, kind):
            return found
        key = (name.lower().removesuffix("."), kind)
        self._left -= 1
        answer = FAILED
        if self._left >= 0:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._deadline):
                    answer = await self._resolver.ask(key)
        self._known[key] = answer
        return answer

    async def find_texts(self, names: Iterable[str]) -> list[Answer]:
        """Return the TXT records of several names, which are asked at the same time."""
        found = {name: self.peek(name, "TXT") for name in names}
        missing = [name for name, answer in found.items() if answer is None]
        if missing:
            answers = await asyncio.gather(*(self.find(name, "TXT") for name in missing))
            found.update(zip(missing, answers, strict=True))
        return [answer for answer in found.values() if answer is not None]


def _make_resolver(settings: DnsSettings) -> dns.asyncresolver.Resolver:
    if settings.servers:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(address, port) for address, port in settings.addresses
        ]
    else:
        try:
            resolver = dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            # A machine without resolv.conf: as the C library does.
            resolver = dns.asyncresolver.Resolver(configure=False)
            resolver.nameservers = [dns.nameserver.Do53Nameserver("127.0.0.1")]
    resolver.timeout = min(TRY_SECONDS, settings.seconds)
    resolver.lifetime = settings.seconds
    return resolver


def _read_answer(found: dns.resolver.Answer, kind: str) -> Answer:
    records = list(found.rrset or ())[:MAX_RECORDS]
    match kind:
        case "TXT":
            return Answer(texts=tuple(b"".join(record.strings) for record in records))
        case "MX":
            return Answer(
                exchanges=tuple((one.preference, one.exchange.to_text(True)) for one in records)
            )
        case "A" | "AAAA":
            return Answer(names=tuple(record.address for record in records))
    return Answer(names=tuple(record.target.to_text(True) for record in records))
