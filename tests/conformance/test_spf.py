"""The public test suite of SPF (RFC 7208), through our resolver and a DNS server with its zones."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from messaging.mail.authentication.resolver import Lookups, Resolver
from messaging.mail.authentication.spf import check_spf
from tests.support.mail.dns_server import DnsServer, Record

SUITE = Path(__file__).parent / "mail_suites" / "rfc7208-tests.yml"
pytestmark = pytest.mark.anyio

Scenario = tuple[dict[str, list[Record]], dict[str, Any]]


def _records(entries: list[Any]) -> list[Record]:
    """Translate the records of one name. A record of type SPF stands for TXT, unless there is a TXT."""
    has_text = any("TXT" in one for one in entries if isinstance(one, dict))
    found: list[Record] = []
    for entry in entries:
        pairs = entry.items() if isinstance(entry, dict) else [("FAIL", "")]
        for kind, value in pairs:
            if value != "NONE" and not (kind == "SPF" and has_text):
                found.append(_record("TXT" if kind == "SPF" else kind, value))
    return found


def _record(kind: str, value: Any) -> Record:
    if value == "TIMEOUT":
        return "FAIL", kind
    if kind == "TXT":
        texts = [value] if isinstance(value, str) else value
        return kind, tuple(text.encode() for text in texts)
    if kind == "MX":
        return kind, f"{value[0]} {value[1] or '.'}"
    if kind in ("A", "AAAA", "FAIL"):
        return kind, str(value)
    return kind, f"{value.removesuffix('.')}."


def _scenarios() -> list[Any]:
    cases = []
    for document in yaml.safe_load_all(SUITE.read_text("utf-8")):
        zone = {str(name): _records(entries) for name, entries in document["zonedata"].items()}
        for name, case in document["tests"].items():
            cases.append(pytest.param((zone, case), id=name))
    return cases


def test_the_suite_is_complete() -> None:
    assert len(_scenarios()) == 203


@pytest.mark.parametrize("scenario", _scenarios())
async def test_rfc7208(scenario: Scenario) -> None:
    zone, case = scenario
    with DnsServer(zone) as server:
        lookups = Lookups(Resolver(server.settings()), 5)
        sender = str(case["mailfrom"])
        result = await check_spf(lookups, str(case["host"]), str(case["helo"]), sender)
    expected = case["result"] if isinstance(case["result"], list) else [case["result"]]
    assert result.result in expected, result.reason
