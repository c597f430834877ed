"""A DNS server on loopback, with the records of a test."""

import socket
import threading
from collections.abc import Mapping, Sequence

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.txtbase import TXTBase

from messaging.mail.authentication.settings import DnsSettings

Record = tuple[str, str | bytes | tuple[bytes, ...]]
Zone = Mapping[str, Sequence[Record]]
FAILS: Record = ("FAIL", "")
"""Beside records: the server answers SERVFAIL for all other types. `("FAIL", "A")` fails for one type only."""
SILENT: Record = ("SILENT", "")
"""Instead of records: the server does not answer."""


def zone_of(domain: str) -> Zone:
    """Return the records that a mail domain on this machine should have."""
    return {
        domain: [("MX", f"10 {domain}."), ("A", "127.0.0.1"), ("TXT", "v=spf1 ip4:127.0.0.1 -all")],
        f"_dmarc.{domain}": [("TXT", "v=DMARC1; p=reject")],
        "1.0.0.127.in-addr.arpa": [("PTR", f"{domain}.")],
    }


class DnsServer:
    """Answers from a zone by UDP until it is closed; `asked` are the names and types that it was asked for."""

    def __init__(self, zone: Zone | None = None, ttl: int = 300) -> None:
        self.zone: dict[str, list[Record]] = {}
        self.add(zone or {})
        self.ttl = ttl
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def add(self, zone: Zone) -> None:
        """Add names, or replace their records."""
        self.zone |= {name.lower(): list(records) for name, records in zone.items()}

    @property
    def address(self) -> str:
        """The address for SATBRIDGE_DNS_SERVERS."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def settings(self, seconds: float = 5) -> DnsSettings:
        return DnsSettings(servers=self.address, seconds=seconds)

    def __enter__(self) -> "DnsServer":
        return self

    def __exit__(self, *exc_info: object) -> None:
        # An empty datagram ends the thread.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(65_535)
            if not data:
                return
            answer = self._answer(dns.message.from_wire(data))
            if answer is not None:
                self._socket.sendto(answer.to_wire(max_size=65_535), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        name = b".".join(question.name.labels[:-1]).decode("latin-1").lower()
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        for _ in range(20):
            records = self.zone.get(name)
            if records is None:
                # A name with names below it exists (RFC 8020).
                if not any(one.endswith("." + name) for one in self.zone):
                    response.set_rcode(dns.rcode.NXDOMAIN)
                return response
            if SILENT in records:
                return None
            found = [_rdata(one) for one in records if one[0] == kind]
            if (FAILS in records and not found) or ("FAIL", kind) in records:
                response.set_rcode(dns.rcode.SERVFAIL)
                return response
            labels = [label.encode("latin-1") for label in name.split(".")]
            owner = dns.name.Name([*labels, b""])
            if found:
                response.answer.append(dns.rrset.from_rdata_list(owner, self.ttl, found))
                return response
            alias = next((str(value) for each, value in records if each == "CNAME"), None)
            if alias is None:
                return response
            response.answer.append(
                dns.rrset.from_rdata_list(owner, self.ttl, [_rdata(("CNAME", alias))])
            )
            name = alias.lower().removesuffix(".")
        return response


def _rdata(record: Record) -> dns.rdata.Rdata:
    kind, value = record
    rdtype = dns.rdatatype.from_text(kind)
    if kind in ("TXT", "SPF"):
        texts = value if isinstance(value, tuple) else (value,)
        data = [one.encode() if isinstance(one, str) else one for one in texts]
        strings = [one[at : at + 255] for one in data for at in range(0, len(one) or 1, 255)]
        kind_class: type[TXTBase] = TXT
        return kind_class(dns.rdataclass.IN, rdtype, strings or [b""])
    assert isinstance(value, str)
    origin = dns.name.root
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, value, origin=origin, relativize=False)
