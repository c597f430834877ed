"""Compares the DNS records of the mail domain with those that it should have, line by line."""

import asyncio
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.reversename
import httpx

from messaging.mail.authentication.dmarc import parse_record, walk
from messaging.mail.authentication.resolver import Lookups, Resolver
from messaging.mail.authentication.signing import Signer, zone_line
from messaging.mail.authentication.spf import check_spf

CHECK_SECONDS: Final = 15.0
POLICY_SECONDS: Final = 5.0
MAX_POLICY_BYTES: Final = 65_536
NOT_PUBLIC: Final = (
    *("localhost", "local", "test", "example", "invalid", "internal", "lan", "onion"),
    *("home.arpa", "example.com", "example.net", "example.org"),
)
"""The domains that public DNS has no mail servers of (RFC 2606, RFC 6761, RFC 6762)."""

NO_ANSWER: Final = "DNS did not answer"


@dataclass(frozen=True, slots=True)
class DnsFinding:
    """One line: the record, whether it is right (None: not set, which is a choice), and its text or the wanted one."""

    record: str
    is_right: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class MailHost:
    """The mail domain, the name of its mail server, and the server that sends its mail (empty: the same)."""

    domain: str
    hostname: str
    relay: str = ""


def is_public_domain(domain: str) -> bool:
    """Whether others can find a domain in DNS."""
    names = (domain, *(domain[at + 1 :] for at, one in enumerate(domain) if one == "."))
    return "." in domain and not any(name in NOT_PUBLIC for name in names)


async def check_dns(
    resolver: Resolver, host: MailHost, signer: Signer | None, policy_url: str = ""
) -> list[DnsFinding]:
    """Compare MX, SPF, DKIM, DMARC, PTR and MTA-STS with the records that are wanted. `policy_url` is for tests."""
    lookups = Lookups(resolver, CHECK_SECONDS)
    first = await lookups.find(host.domain, "MX")
    if first.failed:
        return [
            DnsFinding("dns", False, f"{NO_ANSWER} for {host.domain}; see SATBRIDGE_DNS_SERVERS")
        ]
    found = await asyncio.gather(
        _check_mx(lookups, host),
        _check_spf(lookups, host),
        _check_dkim(lookups, host, signer),
        _check_dmarc(lookups, host),
        _check_ptr(lookups, host),
        _check_mta_sts(lookups, host, policy_url),
    )
    return [finding for each in found for finding in each]


async def _check_mx(lookups: Lookups, host: MailHost) -> list[DnsFinding]:
    answer = await lookups.find(host.domain, "MX")
    names = [name.lower() for _, name in sorted(answer.exchanges)]
    wanted = f"wanted: {host.domain}. IN MX 10 {host.hostname}."
    if answer.failed:
        return [DnsFinding("MX", False, NO_ANSWER)]
    if not names:
        return [DnsFinding("MX", False, f"none; {wanted}")]
    if host.hostname in names:
        return [DnsFinding("MX", True, ", ".join(names))]
    text = f"{', '.join(names)}, which must pass mail on to {host.hostname}; else {wanted}"
    return [DnsFinding("MX", None, text)]


async def _check_spf(lookups: Lookups, host: MailHost) -> list[DnsFinding]:
    """Check whether SPF names the addresses of the server that sends our mail."""
    sender = host.relay or host.hostname
    wanted = f'wanted: {host.domain}. IN TXT "v=spf1 a:{sender} -all"'
    answer = await lookups.find(host.domain, "TXT")
    records = [text for text in answer.texts if text.lower().split(b" ", 1)[0] == b"v=spf1"]
    if answer.failed:
        return [DnsFinding("SPF", False, NO_ANSWER)]
    if len(records) != 1:
        return [DnsFinding("SPF", False, f"{len(records)} records; {wanted}")]
    text = records[0].decode("ascii", "replace")
    addresses = await _addresses(lookups, sender)
    if not addresses:
        return [DnsFinding("SPF", None, f"{text}; {sender} has no address to compare it with")]
    checks = await asyncio.gather(
        *(check_spf(lookups, one, host.hostname, f"check@{host.domain}") for one in addresses)
    )
    wrong = [
        f"{address} ({check.result})"
        for address, check in zip(addresses, checks, strict=True)
        if check.result != "pass"
    ]
    if wrong:
        return [DnsFinding("SPF", False, f"{text} does not name {', '.join(wrong)}; {wanted}")]
    return [DnsFinding("SPF", True, text)]


async def _check_dkim(lookups: Lookups, host: MailHost, signer: Signer | None) -> list[DnsFinding]:
    if signer is None:
        text = "SATBRIDGE_DKIM_KEYS is not set: mail leaves unsigned; see `satbridge dkim new`"
        return [DnsFinding("DKIM", None, text)]
    found = []
    for domain in signer.domains:
        for key in signer.keys:
            name = key.name(domain)
            answer = await lookups.find(name, "TXT")
            texts = [_without_spaces(text.decode("ascii", "replace")) for text in answer.texts]
            if answer.failed:
                found.append(DnsFinding("DKIM", False, f"{name}: {NO_ANSWER}"))
            elif _public_part(key.record) in map(_public_part, texts):
                found.append(DnsFinding("DKIM", True, f"{name} ({key.kind})"))
            else:
                there = "another key" if texts else "none"
                text = f"{there}; wanted: {zone_line(name, key.record)}"
                found.append(DnsFinding("DKIM", False, text))
    return found


async def _check_dmarc(lookups: Lookups, host: MailHost) -> list[DnsFinding]:
    wanted = f'wanted: _dmarc.{host.domain}. IN TXT "v=DMARC1; p=reject"'
    found = await walk(lookups, host.domain)
    if found.failed:
        return [DnsFinding("DMARC", False, NO_ANSWER)]
    record = found.record
    if record is None:
        answer = await lookups.find(f"_dmarc.{host.domain}", "TXT")
        count = sum(parse_record(text, host.domain) is not None for text in answer.texts)
        return [DnsFinding("DMARC", False, f"{count or 'no'} usable records; {wanted}")]
    policy = found.policy(True)
    text = f"p={policy} at _dmarc.{record.domain}"
    if policy == "none":
        return [DnsFinding("DMARC", None, f"{text}: others may write in our name; {wanted}")]
    return [DnsFinding("DMARC", True, text)]


async def _check_ptr(lookups: Lookups, host: MailHost) -> list[DnsFinding]:
    """Check whether the addresses of the mail server have its name: many servers refuse mail from others."""
    addresses = await _addresses(lookups, host.hostname)
    if not addresses:
        return [DnsFinding("PTR", False, f"{host.hostname} has no address (A, AAAA)")]
    found = []
    for address in addresses:
        name = dns.reversename.from_address(address).to_text(True)
        answer = await lookups.find(name, "PTR")
        names = [one.lower().removesuffix(".") for one in answer.names]
        if host.hostname in names:
            found.append(DnsFinding("PTR", True, f"{address} is {host.hostname}"))
        else:
            there = ", ".join(names) or ("unknown" if answer.failed else "without a name")
            text = f"{address} is {there}; wanted: {host.hostname} (your provider sets it)"
            # Mail that a relay sends comes from the relay's address.
            found.append(DnsFinding("PTR", None if host.relay else False, text))
    return found


async def _check_mta_sts(lookups: Lookups, host: MailHost, policy_url: str) -> list[DnsFinding]:
    name = f"_mta-sts.{host.domain}"
    answer = await lookups.find(name, "TXT")
    records = [text for text in answer.texts if text.startswith(b"v=STSv1;")]
    if answer.failed:
        return [DnsFinding("MTA-STS", False, NO_ANSWER)]
    if len(records) != 1:
        return [DnsFinding("MTA-STS", None, f"{name} is not set: servers may fall back to no TLS")]
    url = policy_url or f"https://mta-sts.{host.domain}/.well-known/mta-sts.txt"
    try:
        text = await _fetch(url)
    except (httpx.HTTPError, UnicodeDecodeError) as error:
        return [DnsFinding("MTA-STS", False, f"{url}: {type(error).__name__}")]
    pairs = [line.partition(":") for line in text.splitlines()]
    values = {key.strip(): value.strip() for key, _, value in pairs}
    exchanges = {value.strip().lower() for key, _, value in pairs if key.strip() == "mx"}
    mail = await lookups.find(host.domain, "MX")
    # `*.example.org` stands for one label (RFC 8461 section 4.1).
    missing = [
        one
        for _, one in mail.exchanges
        if not {one.lower(), f"*.{one.lower().partition('.')[2]}"} & exchanges
    ]
    if values.get("version") != "STSv1" or missing:
        said = f"it does not name {', '.join(missing)}" if missing else "it is malformed"
        return [DnsFinding("MTA-STS", False, f"{url}: {said}")]
    mode = values.get("mode", "")
    return [DnsFinding("MTA-STS", True if mode == "enforce" else None, f"mode {mode}")]


async def _fetch(url: str) -> str:
    async with (
        httpx.AsyncClient(timeout=POLICY_SECONDS, trust_env=False) as client,
        client.stream("GET", url) as response,
    ):
        response.raise_for_status()
        data = b""
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > MAX_POLICY_BYTES:
                break
    return data.decode()


async def _addresses(lookups: Lookups, name: str) -> list[str]:
    try:
        dns.reversename.from_address(name)
    except dns.exception.SyntaxError:
        v4, v6 = await asyncio.gather(lookups.find(name, "A"), lookups.find(name, "AAAA"))
        return [*v4.names, *v6.names]
    return [name]


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _public_part(record: str) -> str:
    tags = dict(part.partition("=")[::2] for part in _without_spaces(record).split(";"))
    return tags.get("p", "")
