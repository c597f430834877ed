"""The tables of the reports of networks: on submitted parts, and on devices."""

from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from messaging.model.message import ReceiptState, Sos
from messaging.store.db.encryption import decrypt_value, encrypt_value

MAX_NETWORK_ID_CHARACTERS = 255
RECEIPT_STATES = [(state.value, state.value) for state in ReceiptState]
SOS = [(sos.value, sos.value) for sos in Sos]


class DeliveryPart(models.Model):
    """A submitted part, which the account `via` calls `network_id`, and the last receipt about it.

    Without a `delivery` the receipt came before the outcome of the attempt, or is about no message of ours.
    """

    delivery = models.ForeignKey(
        "Delivery", null=True, on_delete=models.CASCADE, related_name="parts"
    )
    via = models.CharField(max_length=32)
    network_id = models.CharField(max_length=MAX_NETWORK_ID_CHARACTERS)
    state = models.CharField(
        max_length=16, choices=RECEIPT_STATES, default=ReceiptState.ON_ITS_WAY.value
    )
    reason = models.TextField(blank=True)
    units = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        """Order, indexes and constraints."""

        # The tables keep their first names, so that an older version can work beside this one.
        db_table = "users_handedpart"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["via", "network_id"], name="handed_part_of_network")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["updated_at"],
                name="handed_part_of_nobody",
                condition=Q(delivery__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.via} {self.network_id}"


class DevicePosition(models.Model):
    """The position of a device `at` a time, its battery level, and an emergency; null where not reported.

    `encrypted` holds the numbers of the position where the store has a key; their own columns are null then. A row that
    is read has its numbers in their fields either way.

    `claimed_at` is the impossible time that the device gave; `at` is the time of receipt then.
    """

    NUMBERS: ClassVar = ("latitude", "longitude", "altitude_meters", "accuracy_meters")

    id = models.CharField(primary_key=True, max_length=32)
    device = models.ForeignKey(
        "Device", on_delete=models.CASCADE, related_name="positions", db_index=False
    )
    at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    altitude_meters = models.FloatField(null=True)
    accuracy_meters = models.FloatField(null=True)
    # Null, because SQLite would copy the whole table for a column with a default.
    encrypted = models.TextField(null=True)  # noqa: DJ001
    battery_percent = models.PositiveSmallIntegerField(null=True)
    battery_low = models.BooleanField(null=True)
    sos = models.CharField(max_length=16, choices=SOS, blank=True)

    class Meta:
        """Order, indexes and constraints."""

        db_table = "users_sighting"
        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [models.Index(fields=["device", "at"], name="sighting_of_device")]

    def __str__(self) -> str:
        return f"{self.device_id} at {self.at}"

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any
    ) -> Self:
        """Return a row that was read, with its numbers decrypted."""
        row = super().from_db(db, field_names, values, **more)
        if "encrypted" in field_names and row.encrypted:
            for name, number in zip(cls.NUMBERS, decrypt_value(row.encrypted), strict=True):
                setattr(row, name, number)
        return row

    @property
    def has_numbers(self) -> bool:
        """Whether the row has any number of a position."""
        return any(getattr(self, name) is not None for name in self.NUMBERS)

    def hide_numbers(self) -> None:
        """Move the numbers of the position into `encrypted` where the store has a key, before the row is saved."""
        numbers = [getattr(self, name) for name in self.NUMBERS]
        stored = encrypt_value(numbers) if self.has_numbers else None
        self.encrypted = stored if isinstance(stored, str) else None
        if self.encrypted:
            for name in self.NUMBERS:
                setattr(self, name, None)
