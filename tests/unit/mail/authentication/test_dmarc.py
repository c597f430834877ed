"""Policy records and the tree walk (RFC 9989 section 4.10 and appendix B.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.authentication.dmarc import Walk, parse_record, walk, walk_names
from messaging.mail.authentication.resolver import Lookups, Resolver
from tests.support.mail.dns_server import FAILS, DnsServer, Zone

DEEP = "a.b.c.d.e.f.g.h.i.j.mail.example.com"


def test_a_deep_domain_is_looked_up_eight_times() -> None:
    assert walk_names(DEEP) == [
        DEEP,
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ]
    assert walk_names("a.mail.example.com") == [
        "a.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ]
    assert walk_names("b.c.d.e.f.g.h.i")[1] == "c.d.e.f.g.h.i"
    assert walk_names("com") == ["com"]


@pytest.mark.parametrize(
    ("text", "policies"),
    [
        ("v=DMARC1; p=reject", ("reject", "reject", "reject")),
        ("v=DMARC1;p=none;sp=quarantine", ("none", "quarantine", "quarantine")),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", ("none", "quarantine", "reject")),
        ("v = DMARC1 ; P = REJECT ; unknown=1", ("reject", "reject", "reject")),
        ("v=DMARC1; p=refuse; rua=mailto:a@x.example", ("none", "none", "none")),
        ("v=DMARC1; p=reject; sp=x; rua=mailto:a@x.example", ("none", "none", "none")),
        ("v=DMARC1; p=refuse", ("", "", "")),
        ("v=DMARC1", ("", "", "")),
    ],
)
def test_policies(text: str, policies: tuple[str, str, str]) -> None:
    record = parse_record(text.encode(), "x.example")
    assert record is not None
    found = (record.policy, record.subdomain_policy, record.nonexistent_policy)
    assert found == policies


@pytest.mark.parametrize(
    "text", ["", "v=spf1 -all", "v=DMARC2; p=reject", "p=reject; v=DMARC1", "v=dmarc1; p=none"]
)
def test_other_records(text: str) -> None:
    assert parse_record(text.encode(), "x.example") is None


async def _walk(zone: Zone, domain: str) -> Walk:
    with DnsServer({f"_dmarc.{name}": records for name, records in zone.items()}) as server:
        return await walk(Lookups(Resolver(server.settings()), 5), domain)


NONE, REJECT = ("TXT", "v=DMARC1; p=none"), ("TXT", "v=DMARC1; p=reject")
PSD = ("TXT", "v=DMARC1; p=reject; psd=y; np=reject; sp=quarantine")
NO_PSD = ("TXT", "v=DMARC1; p=quarantine; psd=n")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("zone", "domain", "organization", "policy"),
    [
        # Section 4.10.2: three examples.
        ({"mail.example.com": [NONE], "example.com": [REJECT]}, "a.mail.example.com", "example.com", "reject"),
        ({"m.example.com": [NO_PSD], "example.com": [REJECT]}, "a.m.example.com", "m.example.com", "quarantine"),
        ({"com": [PSD]}, "a.mail.example.com", "example.com", "quarantine"),
        # B.4.1 and B.4.2.
        ({"example.com": [REJECT], "signing.example.com": [NONE]}, "example.com", "example.com", "reject"),
        ({"example.com": [REJECT], "signing.example.com": [NONE]}, "signing.example.com", "example.com", "none"),
        ({"example.com": [REJECT]}, DEEP, "example.com", "reject"),
        # B.4.3: a public suffix of two labels.
        ({"bank.example": [PSD]}, "giant.bank.example", "giant.bank.example", "quarantine"),
        ({"bank.example": [PSD]}, "mail.mega.bank.example", "mega.bank.example", "quarantine"),
        ({"bank.example": [PSD]}, "bank.example", "bank.example", "reject"),
        # Two records are none.
        ({"example.com": [NONE, REJECT]}, "example.com", "example.com", ""),
        ({}, "a.example.com", "a.example.com", ""),
    ],
)  # fmt: skip
async def test_walks(zone: Zone, domain: str, organization: str, policy: str) -> None:
    found = await _walk(zone, domain)
    assert (found.organization, found.policy(True), found.failed) == (organization, policy, False)


@pytest.mark.anyio
async def test_a_domain_that_does_not_exist_and_one_in_test_mode() -> None:
    found = await _walk({"com": [PSD]}, "no.example.com")
    assert (found.policy(True), found.policy(False)) == ("quarantine", "reject")
    found = await _walk({"example.com": [("TXT", "v=DMARC1; p=reject; t=y")]}, "example.com")
    assert found.policy(True) == "quarantine"


@pytest.mark.anyio
async def test_a_failure_counts_below_the_top_level() -> None:
    assert not (await _walk({"com": [FAILS], "example.com": [REJECT]}, "example.com")).failed
    assert (await _walk({"example.com": [FAILS]}, "a.example.com")).failed


@given(st.binary(max_size=200))
def test_no_record_fails(text: bytes) -> None:
    record = parse_record(b"v=DMARC1;" + text, "x.example")
    assert record is not None
    assert record.policy in ("", "none", "quarantine", "reject")


@given(st.lists(st.text(alphabet="ab-", min_size=1, max_size=5), min_size=1, max_size=40))
def test_no_domain_costs_more_than_eight_lookups(labels: list[str]) -> None:
    names = walk_names(".".join(labels))
    assert len(names) == len(set(names)) == min(8, len(labels))
    assert names[-1] == labels[-1]
