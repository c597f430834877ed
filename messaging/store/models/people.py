"""The tables of subscribers, their contacts and their devices."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS, MAX_NAME_CHARACTERS, WHATSAPP
from messaging.model.locale import (
    MAX_LANGUAGE_CHARACTERS,
    MAX_TIME_ZONE_CHARACTERS,
    Locale,
)
from messaging.model.message import Codec
from messaging.store.admission.terms import MayWrite, SenderMode
from messaging.store.models.fields import (
    NameField,
    check_address,
    check_language,
    check_name,
    check_number,
    check_time_zone,
    contact_address,
)
from messaging.words.alphabet import Alphabet

MAX_VIA_CHARACTERS = 32
MAX_SERIAL_CHARACTERS = 64
MAX_CODEC_CHARACTERS = 16
MAX_ALPHABET_CHARACTERS = 8
ALPHABETS = [(alphabet.value, alphabet.value) for alphabet in Alphabet]
SENDER_MODES = [(mode.value, mode.value) for mode in SenderMode]
MAY_WRITE = [(one.value, one.value) for one in MayWrite]
CODECS = [(codec.value, codec.value) for codec in Codec]


class Subscriber(models.Model):
    """A subscriber, who owns devices: `name` is the local part of the mailbox, `number` the sender of the SMS.

    Texts of the gateway to the devices have their times in `time_zone` and their words in `language`.
    `senders` is the `SenderMode`.
    """

    name = NameField(
        max_length=MAX_NAME_CHARACTERS,
        unique=True,
        validators=[check_name],
        error_messages={"unique": "This name is taken."},
    )
    number = models.CharField(
        max_length=16,
        unique=True,
        null=True,
        blank=True,
        validators=[check_number],
        error_messages={"unique": "This number belongs to another subscriber."},
    )
    time_zone = models.CharField(
        max_length=MAX_TIME_ZONE_CHARACTERS,
        blank=True,
        default="UTC",
        db_default="UTC",
        validators=[check_time_zone],
    )
    language = models.CharField(
        max_length=MAX_LANGUAGE_CHARACTERS,
        blank=True,
        default="en",
        db_default="en",
        validators=[check_language],
    )
    is_active = models.BooleanField(default=True)
    # Rows that an older version made take messages from all authors, as they did there.
    senders = models.CharField(
        max_length=8,
        choices=SENDER_MODES,
        default=SenderMode.OPEN.value,
        db_default=SenderMode.OPEN.value,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return str(self.name)

    def clean(self) -> None:
        """Store a missing number as null: many subscribers may have none. Without a zone it is UTC, in English."""
        self.number = self.number or None
        self.time_zone = self.time_zone or Locale().time_zone
        self.language = self.language or Locale().language


class Contact(models.Model):
    """A person whom the devices of a subscriber can address by `name`; `address` is a mailbox or a number.

    An `is_emergency` contact is told of every emergency that a device of the subscriber reports. `write_until` ends the
    permission `until`. Messages of a contact who `must_be_proved` count only with a proof. `ContactAddress` has the
    further addresses that the contact writes from.
    """

    owner = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="contacts")
    name = NameField(max_length=MAX_NAME_CHARACTERS, validators=[check_name])
    address = models.CharField(max_length=MAX_ADDRESS_CHARACTERS, validators=[check_address])
    is_emergency = models.BooleanField(default=False)
    may_write = models.CharField(
        max_length=8,
        choices=MAY_WRITE,
        default=MayWrite.ALWAYS.value,
        db_default=MayWrite.ALWAYS.value,
    )
    write_until = models.DateTimeField(null=True, blank=True)
    must_be_proved = models.BooleanField(default=False, db_default=False)
    sees_positions = models.BooleanField(default=True, db_default=True)
    gets_receipts = models.BooleanField(default=True, db_default=True)

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["owner", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="contact_name",
                violation_error_message="This subscriber has a contact of that name already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.address}"

    def clean(self) -> None:
        """Store the address as it is compared: E.164, or a mailbox with its domain in lower case."""
        self.address = contact_address(self.address) or self.address
        if self.is_emergency and self.address.startswith(WHATSAPP):
            # Meta carries a text to a person only within a day after the last one from there.
            raise ValidationError(
                {"address": "Emergencies go to mailboxes and phone numbers only."}
            )
        if (self.may_write == MayWrite.UNTIL) != (self.write_until is not None):
            raise ValidationError("The permission `until` needs a date, and no other has one.")


class Device(models.Model):
    """A satellite device. `network` is the account ("hive") on which `serial` is unique.

    `codec` and `alphabet` are empty for those of the account, `time_zone` and `language` for those of the owner. With
    `adds_position` a line with its position ends its texts. Messages for the owner go to the device that
    `is_primary`, else to the one that was last heard, at `heard_at`.
    """

    network = models.CharField(max_length=MAX_VIA_CHARACTERS)
    serial = models.CharField(max_length=MAX_SERIAL_CHARACTERS)
    nickname = models.CharField(max_length=64, blank=True)
    codec = models.CharField(
        max_length=MAX_CODEC_CHARACTERS, choices=CODECS, blank=True, default="", db_default=""
    )
    alphabet = models.CharField(
        max_length=MAX_ALPHABET_CHARACTERS,
        choices=ALPHABETS,
        blank=True,
        default="",
        db_default="",
    )
    adds_position = models.BooleanField(default=True, db_default=True)
    time_zone = models.CharField(
        max_length=MAX_TIME_ZONE_CHARACTERS,
        blank=True,
        default="",
        db_default="",
        validators=[check_time_zone],
    )
    language = models.CharField(
        max_length=MAX_LANGUAGE_CHARACTERS,
        blank=True,
        default="",
        db_default="",
        validators=[check_language],
    )
    owner = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="devices")
    is_active = models.BooleanField(default=True)
    is_primary = models.BooleanField(default=False, db_default=False)
    heard_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["network", "serial"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["network", "serial"],
                name="device_serial",
                violation_error_message="This serial is registered on this network already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.serial}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the device. Of the devices of a subscriber one is primary at most: the one that was saved last."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            if self.is_primary:
                others = Device.objects.filter(owner_id=self.owner_id, is_primary=True)
                others.exclude(pk=self.pk).update(is_primary=False)

    @property
    def locale(self) -> Locale:
        """Its time zone and language, else those of its owner."""
        return Locale(self.time_zone or self.owner.time_zone, self.language or self.owner.language)
