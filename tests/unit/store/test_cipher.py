"""Encrypted values come back as they were, by any of the keys, and plain ones stay plain."""

from base64 import b64encode

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.accept.emergency import SUBJECT
from messaging.store.accept.validate import storable
from messaging.store.db.encryption import (
    BYTES_ADDED,
    MARK,
    SEARCHED_START,
    StoreCipher,
    UnknownKey,
    decrypt_text,
    name_of,
)

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.mark.parametrize("text", ["a", "Grüße ⚓", "SOS: boop calls", "x" * 100_000, f"{MARK}no"])
def test_a_text_comes_back(text: str) -> None:
    cipher = StoreCipher([NEW])
    stored = cipher.encrypt_text(text)
    assert cipher.decrypt_text(stored) == text
    assert len(text) < 3 or text.removeprefix(SEARCHED_START) not in stored
    assert stored.startswith(SEARCHED_START) == text.startswith(SEARCHED_START)
    assert cipher.encrypt_text(text) != stored


def test_status_finds_emergencies_by_the_start_that_stays_readable() -> None:
    assert SEARCHED_START == SUBJECT


@pytest.mark.parametrize("content", [b"", b"\0\xff", b"x" * 100_000])
def test_bytes_come_back_and_grow_by_a_fixed_number(content: bytes) -> None:
    cipher = StoreCipher([NEW])
    stored = cipher.encrypt_bytes(content)
    assert cipher.decrypt_bytes(stored) == content
    assert len(stored) == len(content) + BYTES_ADDED


def test_the_first_key_encrypts_and_each_decrypts() -> None:
    stored = StoreCipher([OLD]).encrypt_text("secret")
    both = StoreCipher([NEW, OLD])
    assert both.decrypt_text(stored) == "secret"
    assert name_of(NEW) in both.encrypt_text("secret")
    with pytest.raises(UnknownKey, match=name_of(OLD)) as caught:
        StoreCipher([NEW]).decrypt_text(stored)
    assert "secret" not in str(caught.value)
    with pytest.raises(UnknownKey):
        decrypt_text(stored)  # a process without keys


def test_a_changed_text_is_not_taken_for_the_true_one() -> None:
    stored = StoreCipher([NEW]).encrypt_text("secret")
    changed = stored[:-5] + ("A" if stored[-5] != "A" else "B") + stored[-4:]
    with pytest.raises(UnknownKey):
        StoreCipher([NEW]).decrypt_text(changed)


def test_plain_values_stay() -> None:
    cipher = StoreCipher([NEW])
    assert cipher.decrypt_text("plain") == "plain"
    assert cipher.encrypt_text("") == ""
    forged = f"{MARK}{name_of(NEW)}:".encode() + b"x" * 40
    assert cipher.decrypt_bytes(forged) == forged
    assert storable(f"{MARK}00000000:AAAA") == "\ufffd00000000:AAAA"


def test_no_key_is_in_a_repr() -> None:
    key = b64encode(NEW).decode()
    settings = read(Settings, store_key=key)
    assert key not in repr(settings)
    assert key not in repr(StoreCipher([NEW]))


@pytest.mark.parametrize("keys", ["short", "%%%", b64encode(b"x" * 16).decode(), ",", "a" * 43])
def test_a_wrong_key_is_named_and_never_quoted(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATBRIDGE_STORE_KEY", keys)
    with pytest.raises(ConfigurationError, match="SATBRIDGE_STORE_KEY: must be 32 bytes") as caught:
        read(Settings)
    assert keys == "," or keys not in str(caught.value)
