"""The tables of what networks report: how each thing that they were handed fares, and where devices were."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from messaging.model.message import ReceiptState, Sos

MAX_NETWORK_ID_CHARACTERS = 255
RECEIPT_STATES = [(state.value, state.value) for state in ReceiptState]
SOS = [(sos.value, sos.value) for sos in Sos]


class HandedPart(models.Model):
    """One thing that the account `via` was handed and calls `network_id`: a whole delivery, or a part of one.

    Without a `delivery` it is news that came before the sender's own report, or about something that is not ours.
    """

    delivery = models.ForeignKey(
        "Delivery", null=True, on_delete=models.CASCADE, related_name="handed"
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
        """The order of the table, and what keeps it fast and consistent."""

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


class Sighting(models.Model):
    """Where a device was `at` a time, how full its battery was, and an emergency, as far as it said so."""

    id = models.CharField(primary_key=True, max_length=32)
    device = models.ForeignKey(
        "Device", on_delete=models.CASCADE, related_name="sightings", db_index=False
    )
    at = models.DateTimeField()
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    altitude_meters = models.FloatField(null=True)
    accuracy_meters = models.FloatField(null=True)
    battery_percent = models.PositiveSmallIntegerField(null=True)
    sos = models.CharField(max_length=16, choices=SOS, blank=True)

    class Meta:
        """The order of the table, and what keeps it fast and consistent."""

        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [models.Index(fields=["device", "at"], name="sighting_of_device")]

    def __str__(self) -> str:
        return f"{self.device_id} at {self.at}"
