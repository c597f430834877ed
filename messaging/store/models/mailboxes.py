"""The tables of the mails about held messages: the mailboxes of subscribers, and the authors that had a note."""

from typing import ClassVar

from django.db import models

from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS
from messaging.store.models.people import Subscriber


class OwnerMailbox(models.Model):
    """The mailbox, elsewhere, that hears of the held messages of a subscriber once `confirmed_at` is set.

    `address` is empty where the subscriber gave it up. `code_made_at` is the time of the code that may confirm it, null
    once it is used. `codes` counts the codes since `codes_since`, a day at most. `digest_at` is when the next digest is
    due. The digests so far have named the messages held before `digest_until`.
    """

    owner = models.OneToOneField(
        Subscriber, on_delete=models.CASCADE, related_name="own_mailbox", primary_key=True
    )
    address = models.CharField(max_length=MAX_ADDRESS_CHARACTERS, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    code_made_at = models.DateTimeField(null=True)
    codes = models.PositiveIntegerField(default=0)
    codes_since = models.DateTimeField(null=True)
    digest_at = models.DateTimeField(null=True)
    digest_until = models.DateTimeField(null=True)

    class Meta:
        """Order, indexes and constraints."""

        verbose_name_plural = "owner mailboxes"
        indexes: ClassVar = [models.Index(fields=["digest_at"], name="mailbox_digest")]

    def __str__(self) -> str:
        return str(self.address)


class HeldNote(models.Model):
    """An author, in lower case, who had a note that a message to a subscriber is held, the last time at `sent_at`.

    For a note about the rest of a text, `author` is `rest of ` and the id of the message.
    """

    owner = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="held_notes", db_index=False
    )
    author = models.CharField(max_length=MAX_ADDRESS_CHARACTERS)
    sent_at = models.DateTimeField()

    class Meta:
        """Order, indexes and constraints."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "author"], name="held_note_of_owner")
        ]

    def __str__(self) -> str:
        return str(self.author)
