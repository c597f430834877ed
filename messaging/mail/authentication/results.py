"""Reads Authentication-Results (RFC 8601) of trusted servers by authres, and removes those that others forged. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import authres

MAX_FIELD_BYTES: Final = 8192
MAX_DEPTH: Final = 10  # of comments within comments: the library recurses
_ID: Final = re.compile(rb"\s*(?:\([^()]*\)\s*)*\"?([A-Za-z0-9._-]+)")
_FIELD: Final = re.compile(
    rb"^authentication-results[ \t]*:([^\n]*\n?(?:[ \t][^\n]*\n?)*)", re.IGNORECASE | re.MULTILINE
)
_HEADER_END: Final = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class ForeignResult:
    """A result of another server: the method, its result, and the domain it is about."""

    method: str
    result: str
    domain: str


def authserv_id(value: bytes) -> str:
    """Return the name of the server that wrote a field, in lower case; empty if there is none."""
    match = _ID.match(value[:MAX_FIELD_BYTES])
    return match[1].decode().lower() if match else ""


def read_results(value: bytes) -> list[ForeignResult]:
    """Return the results for SPF, DKIM, DMARC and ARC; none of a malformed field, or of one with two for DMARC."""
    if len(value) > MAX_FIELD_BYTES or value.count(b"(") > MAX_DEPTH * 5:
        return []
    text = value.decode("utf-8", "replace")
    try:
        header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    except (authres.AuthResError, RecursionError, ValueError):
        return []
    results = [
        ForeignResult(str(one.method).lower(), str(one.result).lower(), _domain_of(one))
        for one in header.results
    ]
    # A mail has one author: a server that quotes an address badly wrote the second.
    is_single = sum(one.method == "dmarc" for one in results) <= 1
    return results if is_single else []


_PROPERTIES: Final = {
    "spf": (("smtp", "mailfrom"), ("smtp", "mfrom")),
    "dkim": (("header", "d"), ("header", "i")),
    "dmarc": (("header", "from"),),
}


def _domain_of(result: authres.AuthenticationResult) -> str:
    """Return the domain of a result, in the order of its properties above; empty without one."""
    found = {(str(one.type), str(one.name)): str(one.value) for one in result.properties}
    for key in _PROPERTIES.get(str(result.method).lower(), ()):
        if key in found:
            return found[key].strip('"').rpartition("@")[2].lower()
    return ""


def remove_results(content: bytes, ids: Iterable[str]) -> bytes:
    """Return a mail without the Authentication-Results that bear one of these names (RFC 8601 section 5)."""
    unwanted = {id.lower() for id in ids if id}
    end = _HEADER_END.search(content)
    size = end.end() if end else len(content)

    def replace(match: re.Match[bytes]) -> bytes:
        return b"" if authserv_id(match[1]) in unwanted else match[0]

    header = _FIELD.sub(replace, content[:size])
    return content if len(header) == size else header + content[size:]
