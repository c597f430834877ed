"""The tables of retention: how much is kept, and the ids of removed messages."""

from django.db import models


class KeptChange(models.Model):
    """A change of the number and bytes of the dead letters of a subscriber; their sum is what is kept.

    `subscriber` is the subscriber's row, null for dead letters that are about none. Not a foreign key: the counts
    outlive the subscriber, as the dead letters do.
    """

    subscriber = models.BigIntegerField(null=True)
    rows = models.IntegerField()
    bytes = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.rows} of {self.subscriber}"


class RemovedMessage(models.Model):
    """The id of a message that was removed: offered again by its network, it is a repeat."""

    id = models.CharField(primary_key=True, max_length=32)

    def __str__(self) -> str:
        return self.id
