"""Encrypts what the store has with the first key, or decrypts it, batch by batch.

May run beside the gateway, be interrupted and be run again.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.db import models, transaction
from django.db.models import ExpressionWrapper, F

from messaging.errors import ConfigurationError
from messaging.store.audit.record import Action, record
from messaging.store.db.connection import guard
from messaging.store.db.encryption import (
    StoreCipher,
    UnknownKey,
    bytes_added,
    current_cipher,
    decrypt_bytes,
    decrypt_text,
    decrypt_value,
    is_key_name_of,
)
from messaging.store.db.locks import lock_rows
from messaging.store.models import DevicePosition, Message, StoreKey
from messaging.store.retention.quota import Kept, write_changes

BATCH_ROWS: Final = 200
"""The most rows of one transaction: few enough to be quick, so that the router is not kept waiting."""


@dataclass(frozen=True, slots=True)
class Reencryption:
    """The number of messages and positions that were encrypted or decrypted, and the name of the key; "" for none."""

    messages: int
    positions: int
    key: str


@guard
def reencrypt() -> Reencryption:
    """Bring every value of the store to the first key of this process, or to plain text if it only decrypts.

    Raises ConfigurationError when a value is encrypted with another key than those of the settings.
    """
    cipher = current_cipher()
    if cipher is None:
        raise ConfigurationError("SATBRIDGE_STORE_KEY: is not set")
    try:
        done = Reencryption(_walk_messages(cipher), _walk_positions(cipher), cipher.name)
    except UnknownKey as error:
        raise ConfigurationError(str(error)) from None
    StoreKey.objects.exclude(name=cipher.name).delete()
    record(Action.ENCRYPT if cipher.name else Action.DECRYPT, "store")
    return done


def _walk_messages(cipher: StoreCipher) -> int:
    last, changed = "", 0
    while True:
        with transaction.atomic(durable=True):
            rows = lock_rows(Message.objects.filter(id__gt=last)).values_list(
                "id",
                "subscriber_id",
                ExpressionWrapper(F("subject"), models.TextField()),
                ExpressionWrapper(F("text"), models.TextField()),
                ExpressionWrapper(F("whole_text"), models.TextField()),
                ExpressionWrapper(F("raw"), models.BinaryField()),
                ExpressionWrapper(F("failure"), models.JSONField()),
            )[:BATCH_ROWS]
            grown: Counter[int | None] = Counter()
            for last, owner, subject, text, whole_text, raw, failure in rows:
                raw = None if raw is None else bytes(raw)
                stored = (subject, text, whole_text, raw, failure)
                if all(is_key_name_of(cipher.name, value) for value in stored):
                    continue
                plain = None if raw is None else decrypt_bytes(raw)
                Message.objects.filter(id=last).update(
                    subject=decrypt_text(subject),
                    text=decrypt_text(text),
                    whole_text=decrypt_text(whole_text),
                    raw=plain,
                    failure=decrypt_value(failure),
                )
                if raw is not None and plain is not None:
                    grown[owner] += len(plain) + bytes_added() - len(raw)
                changed += 1
            write_changes({owner: Kept(0, size) for owner, size in grown.items() if size})
        if len(rows) < BATCH_ROWS:
            return changed


def _walk_positions(cipher: StoreCipher) -> int:
    last, changed = "", 0
    while True:
        with transaction.atomic(durable=True):
            rows = lock_rows(DevicePosition.objects.filter(id__gt=last))[:BATCH_ROWS]
            for row in rows:
                last = row.id
                if row.has_numbers and not is_key_name_of(cipher.name, row.encrypted or "plain"):
                    row.hide_numbers()
                    row.save(update_fields=["encrypted", *DevicePosition.NUMBERS])
                    changed += 1
        if len(rows) < BATCH_ROWS:
            return changed
