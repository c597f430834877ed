"""The tables of admission: further addresses of contacts, correspondents, blocked authors, and counts of an hour."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS
from messaging.store.models.fields import check_address, contact_address
from messaging.store.models.people import Contact, Subscriber


class ContactAddress(models.Model):
    """A further address that a contact writes from."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="addresses")
    address = models.CharField(max_length=MAX_ADDRESS_CHARACTERS, validators=[check_address])

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["contact", "id"]
        verbose_name_plural = "contact addresses"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["contact", "address"],
                name="contact_address",
                violation_error_message="This contact has that address already.",
            )
        ]

    def __str__(self) -> str:
        return str(self.address)

    def clean(self) -> None:
        """Store the address as it is compared."""
        self.address = contact_address(self.address) or self.address


class Correspondent(models.Model):
    """An address, in lower case, that the devices of a subscriber wrote to, the last time at `written_at`."""

    owner = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="correspondents", db_index=False
    )
    address = models.CharField(max_length=MAX_ADDRESS_CHARACTERS)
    written_at = models.DateTimeField()

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["owner", "address"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "address"], name="correspondent_of_owner")
        ]

    def __str__(self) -> str:
        return str(self.address)


class BlockedAuthor(models.Model):
    """A mailbox, a number or a `@domain`, in lower case, that a subscriber refuses; without an `owner` all do."""

    owner = models.ForeignKey(
        Subscriber, null=True, blank=True, on_delete=models.CASCADE, related_name="blocked"
    )
    address = models.CharField(max_length=MAX_ADDRESS_CHARACTERS, db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["owner", "address"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "address"],
                name="blocked_author",
                violation_error_message="This address is blocked already.",
            )
        ]

    def __str__(self) -> str:
        return str(self.address)

    def clean(self) -> None:
        """Store the address as it is compared."""
        self.address = parse_block(self.address)


class BurstCount(models.Model):
    """How many messages one writer counted in a period of five minutes; `key` is a hash of what it counts."""

    key = models.BigIntegerField()
    period = models.IntegerField()
    writer = models.SmallIntegerField()
    number = models.IntegerField()

    class Meta:
        """Indexes and constraints."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "period", "writer"], name="burst_count")
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.key} in {self.period}"


def parse_block(text: str) -> str:
    """Return a mailbox, a number or a `@domain` as blocks hold it. Raises ValidationError for every other text."""
    text = text.strip()
    if text.startswith("@"):
        # The domain of a mailbox: checked as one.
        found = contact_address("x" + text)
        address = found and found[1:]
    else:
        address = contact_address(text)
    if address is None:
        raise ValidationError(
            "A mailbox, a number such as +15551230000, or a domain such as @example.org."
        )
    return address.lower()
