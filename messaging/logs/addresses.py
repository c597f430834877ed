"""Hides addresses in log lines: mailboxes, phone numbers, serials and IP addresses become keyed hashes.

Equal addresses have equal hashes, in every process and at every time, as long as the key stays. Without the key nothing
can be tried against them.
"""

import hmac
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_address

HASH_CHARACTERS = 12
_PURPOSE = b"addresses in the log"

# Each pattern starts at the first character of a run, so that a long run is read once.
_QUOTED_MAILBOX = re.compile(r'"[^"\r\n]{1,64}"@[\w.\-]+')
_WORD = re.compile(r"[^\s<>()\[\],;:\"]+")
_AT = re.compile(r"@|%40", re.IGNORECASE)
_AROUND = "'`{}.!?…"
_IP = re.compile(r"(?<![\w.:~])(?:[0-9a-fA-F]*:[0-9a-fA-F:.]+|\d{1,3}(?:\.\d{1,3}){3})(?![\w~])")
_NUMBER = re.compile(
    r"(?:\+|%2B)\d(?:[ ().\-/]{0,2}\d){5,19}(?!\w)|(?<![A-Za-z0-9.~+])\d{7,20}(?![A-Za-z0-9~])",
    re.IGNORECASE,
)
_NO_DIGIT = re.compile(r"\D")
# Fields whose whole value is an address of any form.
_ADDRESS_FIELDS = frozenset(("device", "sender", "recipient", "client", "peer", "serial"))
# Ids that this gateway makes.
_ID_FIELDS = frozenset(("message_id", "account"))


class AddressHasher:
    """Replaces the addresses in texts by hashes with a key that `secret` yields."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), _PURPOSE, sha256)

    def __repr__(self) -> str:
        return "AddressHasher(…)"

    def hide(self, text: str) -> str:
        """Return the text with a hash in the place of every address."""
        text = _IP.sub(self._hide_ip, self.hide_mailboxes(text))
        return _NUMBER.sub(lambda found: self._number(found[0]), text)

    def hide_mailboxes(self, text: str) -> str:
        """Return the text with a hash in the place of every mailbox, and of every Message-ID."""
        text = _QUOTED_MAILBOX.sub(lambda found: self._mailbox(found[0]), text)
        return _WORD.sub(self._hide_word, text)

    def name(self, address: str) -> str:
        """Return the hash of one address, of any kind."""
        address = address.strip()
        hidden = self.hide(address)
        if hidden != address:
            return hidden
        return self._number(address) if address.isdecimal() else self._hash("name", address)

    def hide_message(self, record: logging.LogRecord) -> str:
        """Return the message of a record with its addresses hidden; numbers among its arguments stay as they are."""
        text, arguments = str(record.msg), record.args
        if not arguments:
            return self.hide(text)
        if isinstance(arguments, Mapping):
            text %= {name: self.hide_value(value) for name, value in arguments.items()}
        else:
            text %= tuple(map(self.hide_value, arguments))
        return self.hide_mailboxes(text)

    def hide_value(self, value: object) -> object:
        """Return the value with its addresses hidden; a count or a size stays as it is."""
        return value if value is None or isinstance(value, int | float) else self.hide(str(value))

    def hide_field(self, name: str, value: object) -> object:
        """Return the value of a field of a log record with its addresses hidden."""
        if name in _ID_FIELDS:
            return value
        if name in _ADDRESS_FIELDS:
            return self.name(str(value))
        return self.hide_value(value)

    def _hide_word(self, found: re.Match[str]) -> str:
        word = found[0]
        address = word.strip(_AROUND)
        return word.replace(address, self._mailbox(address)) if _AT.search(address) else word

    def _hide_ip(self, found: re.Match[str]) -> str:
        for text in (found[0], found[0].rstrip(".:")):
            with suppress(ValueError):
                address = ip_address(text)
                address = getattr(address, "ipv4_mapped", None) or address
                is_own = address.is_loopback or address.is_unspecified
                return (
                    found[0] if is_own else found[0].replace(text, self._hash("ip", str(address)))
                )
        return found[0]

    def _mailbox(self, text: str) -> str:
        return self._hash("mail", _AT.sub("@", text).lower())

    def _number(self, text: str) -> str:
        digits = _NO_DIGIT.sub("", text.lower().removeprefix("%2b"))
        return self._hash("number", digits)

    def _hash(self, kind: str, text: str) -> str:
        found = hmac.digest(self._key, f"{kind} {text}".encode(), sha256)
        return f"{kind}~{found.hex()[:HASH_CHARACTERS]}"
