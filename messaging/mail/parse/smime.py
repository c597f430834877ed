"""Finds the signed content of an opaque S/MIME mail (RFC 8551, CMS SignedData of RFC 5652). Pure.

Reads the few fields on the way to the content; no signature is checked. The libraries at hand sign and decrypt, but
do not give the content of such a mail.
"""

from typing import Final

_SEQUENCE: Final = 0x30
_OBJECT: Final = 0x06
_OCTETS: Final = 0x04
_CONSTRUCTED: Final = 0x20
_CONTEXT_0: Final = 0xA0
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_MAX_PIECES: Final = 100_000


class _Malformed(ValueError):
    """These bytes are no such structure."""


def extract_content(data: bytes) -> bytes | None:
    """Return the mail within signed data; None for encrypted data and anything else. Never raises."""
    try:
        at = _enter(data, 0, _SEQUENCE)
        start, at = _enter(data, at, _OBJECT), _skip(data, at)
        if data[start:at] != _SIGNED_DATA:
            return None
        at = _enter(data, _enter(data, at, _CONTEXT_0), _SEQUENCE)
        for _ in range(2):  # the version, and the digest algorithms
            at = _skip(data, at)
        at = _enter(data, at, _SEQUENCE)
        at = _enter(data, _skip(data, at), _CONTEXT_0)
        return _octets(data, at)
    except (_Malformed, IndexError):
        return None


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the tag at a position, where its content begins, and its length, -1 for an indefinite one."""
    tag, first = data[at], data[at + 1]
    at += 2
    if first < 0x80:
        return tag, at, first
    count = first & 0x7F
    if count > 4:
        raise _Malformed
    length = int.from_bytes(data[at : at + count], "big") if count else -1
    return tag, at + count, length


def _enter(data: bytes, at: int, wanted: int) -> int:
    tag, start, _ = _header(data, at)
    if tag != wanted:
        raise _Malformed
    return start


def _skip(data: bytes, at: int) -> int:
    _, start, length = _header(data, at)
    if length < 0:
        raise _Malformed  # no signed mail has these fields in pieces
    return start + length


def _octets(data: bytes, at: int) -> bytes:
    """Return the octets at a position, which may come in pieces, with or without a length."""
    tag, start, length = _header(data, at)
    if tag == _OCTETS:
        return data[start : start + length] if length >= 0 else b""
    if tag != _OCTETS | _CONSTRUCTED:
        raise _Malformed
    end = len(data) if length < 0 else min(len(data), start + length)
    pieces: list[bytes] = []
    while start < end and len(pieces) < _MAX_PIECES:
        tag, content, size = _header(data, start)
        if tag != _OCTETS or size < 0:
            break
        pieces.append(data[content : content + size])
        start = content + size
    return b"".join(pieces)
