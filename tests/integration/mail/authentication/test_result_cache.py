"""Results of SPF and DMARC are kept as long as every answer that they were made of, and for the same question only."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.authentication.dmarc import walk
from messaging.mail.authentication.resolver import (
    FAILURE_SECONDS,
    NO_TTL_SECONDS,
    Lookups,
    Resolver,
)
from messaging.mail.authentication.settings import AuthenticationSettings
from messaging.mail.authentication.spf import check_spf
from tests.support.mail.authentication import FRIENDS_SERVER, SHARED_SENDER, STRANGER, world
from tests.support.mail.dns_server import FAILS, DnsServer, Record
from tests.support.mail.signed_mails import BODY, MAIL, sign

FRIEND = "alice@friend.example"


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Checks:
    """Checks SPF and DMARC as many mails do, one after another."""

    server: DnsServer
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.resolver = Resolver(self.server.settings(), self.clock)

    async def spf(
        self, client: str = FRIENDS_SERVER, helo: str = "x.example", sender: str = FRIEND
    ) -> str:
        return (await check_spf(Lookups(self.resolver, 5), client, helo, sender)).result

    async def policy(self, domain: str = "friend.example") -> str:
        return (await walk(Lookups(self.resolver, 5), domain)).policy(True)


class ForgetfulResolver(Resolver):
    """A resolver that caches answers, but no results."""

    def recall(self, kind: Any, key: tuple[str, ...]) -> Any:
        return None


@pytest.mark.anyio
async def test_a_result_is_made_once_while_its_answers_hold() -> None:
    with DnsServer(world()) as server:
        checks = Checks(server)
        first = [await checks.spf(), await checks.policy()]
        asked = len(server.asked)
        checks.clock.now += NO_TTL_SECONDS - 1
        assert [await checks.spf(), await checks.policy()] == first == ["pass", "reject"]
        assert len(server.asked) == asked


@pytest.mark.anyio
async def test_no_result_outlives_the_record_of_its_domain() -> None:
    with DnsServer(world()) as server:
        checks = Checks(server)
        assert [await checks.spf(), await checks.policy()] == ["pass", "reject"]
        server.add(
            {
                "friend.example": [("TXT", "v=spf1 -all")],
                "_dmarc.friend.example": [("TXT", "v=DMARC1; p=none")],
            }
        )
        checks.clock.now += server.ttl + 1
        assert [await checks.spf(), await checks.policy()] == ["fail", "none"]


@pytest.mark.anyio
async def test_no_result_outlives_the_first_of_its_answers() -> None:
    with DnsServer(world()) as server:
        checks = Checks(server)
        await Lookups(checks.resolver, 5).find("friend.example", "TXT")  # ends after 300 s
        server.ttl = 20
        assert await checks.spf(SHARED_SENDER) == "pass"  # by an include, which ends after 20 s
        server.add({"sender.example": [("TXT", "v=spf1 -all")]})
        checks.clock.now += 19
        assert await checks.spf(SHARED_SENDER) == "pass"
        checks.clock.now += 2
        assert await checks.spf(SHARED_SENDER) == "fail"


@pytest.mark.anyio
async def test_the_absence_of_a_policy_ends_too() -> None:
    with DnsServer({"quiet.example": [("A", "192.0.2.1")]}) as server:
        checks = Checks(server)
        assert [await checks.policy("quiet.example"), await checks.spf(sender="a@quiet.example")]
        server.add(
            {
                "quiet.example": [("TXT", f"v=spf1 ip4:{FRIENDS_SERVER} -all")],
                "_dmarc.quiet.example": [("TXT", "v=DMARC1; p=reject")],
            }
        )
        checks.clock.now += 61
        assert await checks.policy("quiet.example") == "reject"
        assert await checks.spf(sender="a@quiet.example") == "pass"


@pytest.mark.anyio
async def test_a_result_of_an_older_answer_is_not_kept() -> None:
    """A mail reads each record once: its answers may be older than those that the cache has when it ends."""
    with DnsServer(world()) as server:
        checks = Checks(server)
        slow = Lookups(checks.resolver, 5)
        for name in ("friend.example", "_dmarc.friend.example"):
            await slow.find(name, "TXT")
        checks.clock.now += server.ttl + 1
        server.add(
            {
                "friend.example": [("TXT", "v=spf1 -all")],
                "_dmarc.friend.example": [("TXT", "v=DMARC1; p=none")],
            }
        )
        for name in ("friend.example", "_dmarc.friend.example"):
            await Lookups(checks.resolver, 5).find(name, "TXT")
        assert (await check_spf(slow, FRIENDS_SERVER, "x.example", FRIEND)).result == "pass"
        assert (await walk(slow, "friend.example")).policy(True) == "reject"
        assert [await checks.spf(), await checks.policy()] == ["fail", "none"]


@pytest.mark.anyio
async def test_a_failure_is_kept_for_seconds_only() -> None:
    with DnsServer(world() | {"sender.example": [FAILS]}) as server:
        checks = Checks(server)
        assert await checks.spf(SHARED_SENDER) == "temperror"
        server.add(world())
        checks.clock.now += FAILURE_SECONDS + 1
        assert await checks.spf(SHARED_SENDER) == "pass"


@pytest.mark.anyio
async def test_a_record_without_a_time_is_asked_again() -> None:
    with DnsServer(world(), ttl=0) as server:
        checks = Checks(server)
        assert await checks.spf() == "pass"
        server.add({"friend.example": [("TXT", "v=spf1 -all")]})
        assert await checks.spf() == "fail"


@pytest.mark.anyio
async def test_a_result_holds_for_the_same_client_helo_and_sender_only() -> None:
    names: dict[str, list[Record]] = {
        "v4.alice.macro.example": [("A", "127.0.0.2")],
        "1.2.0.192.client.example": [("A", "127.0.0.2")],
        "good.helo.example": [("A", "127.0.0.2")],
    }
    records: dict[str, list[Record]] = {
        "local.example": [("TXT", "v=spf1 exists:v4.%{l}.macro.example -all")],
        "client.example": [("TXT", "v=spf1 exists:%{ir}.client.example -all")],
        "helo.example": [("TXT", "v=spf1 exists:%{h} -all")],
        "good.helo.example": [("A", "127.0.0.2"), ("TXT", "v=spf1 +all")],
        "bad.helo.example": [("TXT", "v=spf1 -all")],
    }
    with DnsServer(names | records) as server:
        checks = Checks(server)
        for _ in range(2):
            assert await checks.spf(sender="alice@local.example") == "pass"
            assert await checks.spf(sender="bob@local.example") == "fail"
            assert await checks.spf("192.0.2.1", sender="a@client.example") == "pass"
            assert await checks.spf("192.0.2.2", sender="a@client.example") == "fail"
            assert await checks.spf(helo="good.helo.example", sender="a@helo.example") == "pass"
            assert await checks.spf(helo="none.example", sender="a@helo.example") == "fail"
            assert await checks.spf(helo="good.helo.example", sender="") == "pass"
            assert await checks.spf(helo="bad.helo.example", sender="") == "fail"
            # Pieces that make the same text in a row are another question.
            assert await checks.spf("192.0.2.1", "x", "a@helo.example") == "fail"


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(2))
async def test_results_are_the_same_as_without_their_cache(seed: int) -> None:
    random = Random(seed)
    with DnsServer(world()) as server:
        clock = Clock()
        checking, other = (
            Authenticator(AuthenticationSettings(), made(server.settings(), clock))
            for made in (Resolver, ForgetfulResolver)
        )
        for _ in range(40):
            domain = random.choice(("friend", "evil", "quiet", "strict", "relaxed", "new"))
            server.ttl = random.choice((0, 5, 30, 300))
            if random.random() < 0.3:
                server.add({f"{domain}.example": [random.choice(_SPF)]})
                server.add({f"_dmarc.{domain}.example": [random.choice(_DMARC)]})
            clock.now += random.choice((0.0, 0.0, 1.0, 20.0, 400.0))
            author = f"{random.choice('ab')}@{domain}.example".encode()
            mail = random.choice((MAIL, sign())).replace(b"alice@friend.example", author)
            question = (
                mail + random.choice((b"", BODY)),
                random.choice((FRIENDS_SERVER, SHARED_SENDER, STRANGER)),
                random.choice(("x.example", "friend.example")),
                random.choice((author.decode(), FRIEND, "", f"c@sub.{domain}.example")),
            )
            assert await checking.authenticate(*question) == await other.authenticate(*question)


_SPF: list[Record] = [
    ("TXT", f"v=spf1 ip4:{STRANGER} -all"),
    ("TXT", "v=spf1 include:sender.example ?all"),
    ("TXT", "v=spf1 exists:%{l}.friend.example ~all"),
    ("TXT", "no record"),
    FAILS,
]
_DMARC: list[Record] = [
    ("TXT", "v=DMARC1; p=reject"),
    ("TXT", "v=DMARC1; p=none; aspf=s"),
    ("TXT", "v=DMARC1; p=quarantine; t=y"),
    ("TXT", "no record"),
    FAILS,
]
