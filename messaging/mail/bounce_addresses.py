"""Makes the envelope senders of outgoing mails, by which a bounce names its delivery, and reads them. Pure."""

import hmac
import logging
import re
from base64 import b32decode, b32encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from messaging.errors import ConfigurationError
from messaging.mail.message_ids import Reference

log = logging.getLogger(__name__)

_MESSAGE_ID: Final = re.compile("[0-9a-f]{32}")
MARK: Final = "b."
MAX_LOCAL_CHARS: Final = 64  # RFC 5321 section 4.5.3.1.1
_MESSAGE_BYTES: Final = 16
_PROOF_BYTES: Final = 6
_MAX_ID_BYTES: Final = 8
_PURPOSE: Final = b"bounce address"
NO_KEY: Final = "bounces are not found by their address: there is no secret key"


@dataclass(frozen=True)
class BounceAddresses:
    """The addresses `boop+b.…@example.org`, each for the bounces of one delivery.

    The sub-address has the message and the delivery, and a proof that this gateway made it. `secret` returns the key;
    where it raises ConfigurationError there are no such addresses.
    """

    secret: Callable[[], str]

    def make(self, mailbox: str, reference: Reference) -> str:
        """Return the address for the bounces of a delivery; the mailbox itself where the address would be too long."""
        local, at, domain = mailbox.rpartition("@")
        number, message = reference.delivery_id, reference.message_id
        is_plain = local.isascii() and not {"+", '"'} & {*local}
        if self._key is None or not is_plain or not _MESSAGE_ID.fullmatch(message):
            return mailbox
        size = max(1, (number.bit_length() + 7) // 8)
        data = bytes.fromhex(message) + number.to_bytes(size, "big")
        token = b32encode(data + self._prove(self._key, data)).decode().rstrip("=").lower()
        longer = f"{local}+{MARK}{token}"
        return f"{longer}{at}{domain}" if len(longer) <= MAX_LOCAL_CHARS else mailbox

    def read(self, sub_address: str) -> Reference | None:
        """Return the delivery that a sub-address in small letters is for; None for any that was not made here."""
        token = sub_address.removeprefix(MARK).upper()
        if token == sub_address.upper() or len(token) > MAX_LOCAL_CHARS or self._key is None:
            return None
        try:
            content = b32decode(token + "=" * (-len(token) % 8))
        except ValueError:
            return None
        data, proof = content[:-_PROOF_BYTES], content[-_PROOF_BYTES:]
        is_sized = _MESSAGE_BYTES < len(data) <= _MESSAGE_BYTES + _MAX_ID_BYTES
        if not is_sized or not hmac.compare_digest(self._prove(self._key, data), proof):
            return None
        number = int.from_bytes(data[_MESSAGE_BYTES:], "big")
        return Reference(data[:_MESSAGE_BYTES].hex(), number)

    @cached_property
    def _key(self) -> bytes | None:
        try:
            return hmac.digest(self.secret().encode(), _PURPOSE, "sha256")
        except ConfigurationError:
            log.warning(NO_KEY)
            return None

    @staticmethod
    def _prove(key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, "sha256")[:_PROOF_BYTES]
