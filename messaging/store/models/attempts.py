"""The table of the attempts at deliveries: the history that `messages show` prints."""

from typing import ClassVar

from django.db import models


class DeliveryAttempt(models.Model):
    """One attempt at a delivery that has ended, with its outcome, its reason and its charge.

    `number` is the value of the delivery's `attempts` during it. `began_at` is null for an attempt that was refused
    before it began. `outcome` is a `Result`, or `UNREPORTED` when the lease ended without one.
    """

    UNREPORTED = "not reported"

    # Not checked by the database: an older version that works beside this one deletes deliveries without them.
    delivery = models.ForeignKey(
        "Delivery",
        on_delete=models.CASCADE,
        related_name="history",
        db_index=False,
        db_constraint=False,
    )
    number = models.PositiveIntegerField()
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=16)
    reason = models.TextField(blank=True)
    units = models.PositiveIntegerField(null=True)

    class Meta:
        """Constraints."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_of_delivery")
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} at delivery {self.delivery_id}"
