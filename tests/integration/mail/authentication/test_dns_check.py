"""The comparison of DNS with what is wanted, line by line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.hazmat.primitives import serialization

from messaging.mail.authentication.dns_check import MailHost, check_dns, is_public_domain
from messaging.mail.authentication.resolver import Resolver
from messaging.mail.authentication.signing import Signer, SigningKey
from tests.support.mail.dns_server import FAILS, DnsServer, Record, Zone
from tests.support.mail.signed_mails import pem

pytestmark = pytest.mark.anyio
HOST = MailHost("sat.example", "mx.sat.example")


def _signer() -> Signer:
    key = serialization.load_pem_private_key(pem(), None)
    return Signer((SigningKey("s1", key),), ("sat.example",))  # type: ignore[arg-type]


def _good() -> dict[str, list[Record]]:
    return {
        "sat.example": [("MX", "10 mx.sat.example."), ("TXT", "v=spf1 mx -all")],
        "mx.sat.example": [("A", "192.0.2.25")],
        "25.2.0.192.in-addr.arpa": [("PTR", "mx.sat.example.")],
        "s1._domainkey.sat.example": [("TXT", _signer().keys[0].record)],
        "_dmarc.sat.example": [("TXT", "v=DMARC1; p=reject")],
        "_mta-sts.sat.example": [("TXT", "v=STSv1; id=1;")],
    }


@contextmanager
def _policy(text: str) -> Iterator[str]:
    """Serve a policy of MTA-STS; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/mta-sts.txt"
        finally:
            server.shutdown()
            thread.join()


POLICY = "version: STSv1\r\nmode: enforce\r\nmx: *.sat.example\r\nmax_age: 86400\r\n"


async def _check(
    changes: Zone, host: MailHost = HOST, policy: str = POLICY, signer: Signer | None = None
) -> dict[str, tuple[bool | None, str]]:
    with DnsServer(_good() | dict(changes)) as server, _policy(policy) as url:
        found = await check_dns(Resolver(server.settings()), host, signer or _signer(), url)
    assert len({one.record for one in found}) == len(found)
    return {one.record: (one.is_right, one.text) for one in found}


async def test_everything_is_right() -> None:
    found = await _check({})
    assert found == {
        "MX": (True, "mx.sat.example"),
        "SPF": (True, "v=spf1 mx -all"),
        "DKIM": (True, "s1._domainkey.sat.example (rsa)"),
        "DMARC": (True, "p=reject at _dmarc.sat.example"),
        "PTR": (True, "192.0.2.25 is mx.sat.example"),
        "MTA-STS": (True, "mode enforce"),
    }


@pytest.mark.parametrize(
    ("changes", "record", "is_right", "text"),
    [
        ({"sat.example": []}, "MX", False, "none; wanted: sat.example. IN MX 10 mx.sat.example."),
        ({"sat.example": [("MX", "5 front.example.")]}, "MX", None, "front.example, which must pass mail on"),
        ({"sat.example": [("MX", "5 mx.sat.example.")]}, "SPF", False, "0 records; wanted: sat.example. IN"),
        ({"sat.example": [("TXT", "v=spf1 -all")]}, "SPF", False, "does not name 192.0.2.25 (fail)"),
        ({"s1._domainkey.sat.example": []}, "DKIM", False, "none; wanted: s1._domainkey.sat.example. IN TXT"),
        ({"s1._domainkey.sat.example": [("TXT", "v=DKIM1; p=AAAA")]}, "DKIM", False, "another key; wanted:"),
        ({"_dmarc.sat.example": []}, "DMARC", False, "no usable records; wanted: _dmarc.sat.example."),
        ({"_dmarc.sat.example": [("TXT", "v=DMARC1; p=none")]}, "DMARC", None, "others may write in our name"),
        ({"25.2.0.192.in-addr.arpa": []}, "PTR", False, "192.0.2.25 is without a name; wanted: mx.sat.example"),
        ({"mx.sat.example": []}, "PTR", False, "mx.sat.example has no address"),
        ({"_mta-sts.sat.example": []}, "MTA-STS", None, "_mta-sts.sat.example is not set"),
        ({"_dmarc.sat.example": [FAILS]}, "DMARC", False, "DNS did not answer"),
    ],
)  # fmt: skip
async def test_one_record_is_wrong(
    changes: Zone, record: str, is_right: bool | None, text: str
) -> None:
    found = await _check(changes)
    assert found[record][0] is is_right
    assert text in found[record][1]


@pytest.mark.parametrize(
    ("policy", "is_right", "text"),
    [
        (POLICY.replace("enforce", "testing"), None, "mode testing"),
        (POLICY.replace("*.sat", "*.other"), False, "it does not name mx.sat.example"),
        ("hello", False, "it does not name mx.sat.example"),
    ],
)
async def test_policies_of_mta_sts(policy: str, is_right: bool | None, text: str) -> None:
    found = await _check({}, policy=policy)
    assert found["MTA-STS"][0] is is_right
    assert text in found["MTA-STS"][1]


async def test_mail_that_a_relay_sends() -> None:
    host = MailHost("sat.example", "mx.sat.example", "relay.example")
    changes: Zone = {"relay.example": [("A", "192.0.2.99")], "25.2.0.192.in-addr.arpa": []}
    found = await _check(changes, host)
    assert found["SPF"][0] is False
    assert found["PTR"][0] is None
    spf: list[Record] = [("MX", "10 mx.sat.example."), ("TXT", "v=spf1 a:relay.example -all")]
    assert (await _check({**changes, "sat.example": spf}, host))["SPF"][0] is True


async def test_one_line_when_dns_does_not_answer() -> None:
    assert list(await _check({"sat.example": [FAILS]})) == ["dns"]


@pytest.mark.parametrize(
    ("domain", "is_public"),
    [
        ("sat.example.se", True),
        ("satbridge.io", True),
        ("localhost", False),
        ("example.org", False),
        ("sat.example.org", False),
        ("mail.local", False),
        ("boat.home.arpa", False),
    ],
)
async def test_only_public_domains_are_compared(domain: str, is_public: bool) -> None:
    assert is_public_domain(domain) is is_public
