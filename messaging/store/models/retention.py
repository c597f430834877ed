"""The tables of retention: how much is kept, ids of removed messages, keys of encrypted values, and marks of lists."""

from django.db import models

from messaging.store.db.encryption import NAME_CHARACTERS


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
    """The id of a message that was removed, or of an opt-out: offered again by its network, it is a repeat."""

    id = models.CharField(primary_key=True, max_length=32)

    def __str__(self) -> str:
        return self.id


class StoreKey(models.Model):
    """A key that has encrypted values of the store since a time, by its name. The key itself is not in the store."""

    name = models.CharField(primary_key=True, max_length=NAME_CHARACTERS)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class FetchMark(models.Model):
    """How far the list `history` of a provider was read: every text from `since` until `until` is taken."""

    history = models.CharField(primary_key=True, max_length=96)
    since = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.history} until {self.until}"
