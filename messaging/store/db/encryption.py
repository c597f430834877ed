"""Encrypts texts, bytes and positions of the store with keys that are kept outside of it (AES-256-GCM).

The first key encrypts, all of them decrypt. A value that is encrypted begins with a mark and the name of its key, so
plain values and values of several keys stand side by side. The keys protect a store that is copied; who can change the
store can still exchange values.
"""

import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK: Final = "\ufdd0"
"""No character of any text: Unicode reserves it for use within programs, and `validate.storable` replaces it."""

SEARCHED_START: Final = "SOS: "
"""Stays readable at the beginning of a subject: `status` looks for emergencies by it."""

NAME_CHARACTERS: Final = 8
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_TEXT: Final = re.compile(f"({SEARCHED_START})?{MARK}([0-9a-f]{{{NAME_CHARACTERS}}}):")
_MARK_BYTES: Final = MARK.encode()
_HEAD_BYTES: Final = len(_MARK_BYTES) + NAME_CHARACTERS + 1
BYTES_ADDED: Final = _HEAD_BYTES + NONCE_BYTES + TAG_BYTES
"""How much longer bytes become."""


class UnknownKey(Exception):
    """A text is encrypted with a key that this process does not have. Not sent, and not lost."""

    def __init__(self, name: str) -> None:
        super().__init__(f"SATBRIDGE_STORE_KEY: lacks the key {name}")


class StoreCipher:
    """Encrypts with the first of these keys, which `name` is, and decrypts with all of them. Or decrypts only."""

    def __init__(self, keys: Sequence[bytes], *, encrypts: bool = True) -> None:
        self._ciphers = {name_of(key): AESGCM(key) for key in keys}
        self.names = tuple(self._ciphers)
        self.name = self.names[0] if self.names and encrypts else ""

    def __repr__(self) -> str:
        return f"StoreCipher({', '.join(self.names)})"

    def encrypt_text(self, text: str) -> str:
        """Return the text encrypted; an empty one stays empty."""
        start = SEARCHED_START if text.startswith(SEARCHED_START) else ""
        secret = text[len(start) :]
        if not (secret and self.name):
            return text
        sealed = b64encode(self._seal(secret.encode())).decode()
        return f"{start}{MARK}{self.name}:{sealed}"

    def decrypt_text(self, text: str) -> str:
        """Return the plain text; a text that is not encrypted stays as it is. Raises UnknownKey."""
        found = _TEXT.match(text)
        if not found:
            return text
        try:
            return (found[1] or "") + self._open(found[2], b64decode(text[found.end() :])).decode()
        except (KeyError, ValueError, InvalidTag):
            raise UnknownKey(found[2]) from None

    def encrypt_bytes(self, content: bytes) -> bytes:
        """Return the bytes encrypted."""
        if not self.name:
            return content
        return b"%b%b:%b" % (_MARK_BYTES, self.name.encode(), self._seal(content))

    def decrypt_bytes(self, content: bytes) -> bytes:
        """Return the plain bytes; those that are not encrypted, or not with one of these keys, stay as they are.

        Bytes come from others: some may begin as if they were encrypted.
        """
        if not content.startswith(_MARK_BYTES):
            return content
        name = content[len(_MARK_BYTES) : _HEAD_BYTES - 1].decode("latin-1")
        try:
            return self._open(name, content[_HEAD_BYTES:])
        except (KeyError, ValueError, InvalidTag):
            return content

    def _seal(self, content: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[self.name].encrypt(nonce, content, None)

    def _open(self, name: str, sealed: bytes) -> bytes:
        return self._ciphers[name].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)


def name_of(key: bytes) -> str:
    """Return the name of a key, which tells nothing about it."""
    return sha256(b"name of a key of the store" + key).hexdigest()[:NAME_CHARACTERS]


class _Current:
    cipher: StoreCipher | None = None


def use_keys(keys: str | None, *, encrypts: bool = True) -> None:
    """Encrypt in this process with these keys, in base64, separated by commas; None for no encryption."""
    _Current.cipher = _cipher_of(keys, encrypts) if keys else None


def current_cipher() -> StoreCipher | None:
    """Return the cipher of this process, None without encryption."""
    return _Current.cipher


@lru_cache(maxsize=8)
def _cipher_of(keys: str, encrypts: bool) -> StoreCipher:
    parts = [b64decode(key.strip()) for key in keys.split(",") if key.strip()]
    return StoreCipher(parts, encrypts=encrypts)


def encrypt_text(text: str) -> str:
    """Return the text as it is stored."""
    cipher = _Current.cipher
    return cipher.encrypt_text(text) if cipher else text


def decrypt_text(text: str) -> str:
    """Return the plain text of a stored one. Raises UnknownKey."""
    if MARK not in text:
        return text
    return (_Current.cipher or _NO_KEYS).decrypt_text(text)


def encrypt_bytes(content: bytes) -> bytes:
    """Return the bytes as they are stored."""
    cipher = _Current.cipher
    return cipher.encrypt_bytes(content) if cipher else content


def decrypt_bytes(content: bytes) -> bytes:
    """Return the plain bytes of stored ones."""
    cipher = _Current.cipher
    return cipher.decrypt_bytes(content) if cipher else content


def bytes_added() -> int:
    """Return how much longer bytes become when they are stored."""
    return BYTES_ADDED if _Current.cipher and _Current.cipher.name else 0


def encrypt_value(value: Any) -> Any:
    """Return a value of JSON as it is stored: a string of JSON when it is encrypted."""
    if value is None or _Current.cipher is None or not _Current.cipher.name:
        return value
    return _Current.cipher.encrypt_text(json.dumps(value))


def decrypt_value(stored: Any) -> Any:
    """Return the plain value of a stored one. Raises UnknownKey."""
    if isinstance(stored, str) and MARK in stored:
        return json.loads(decrypt_text(stored))
    return stored


def is_key_name_of(name: str, stored: object) -> bool:
    """Whether a stored value is encrypted with the key of this name, or is plain for the name ""; so are empty ones."""
    if stored in (None, "", b"", SEARCHED_START):
        return True
    if isinstance(stored, bytes):
        stored = stored[:_HEAD_BYTES].decode("utf-8", "replace")
    found = _TEXT.match(stored) if isinstance(stored, str) else None
    return (found[2] if found else "") == name


_NO_KEYS: Final = StoreCipher(())
