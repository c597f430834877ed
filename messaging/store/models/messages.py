"""The tables of messages, deliveries with their attempts, task leases and opt-outs."""

from typing import ClassVar

from django.db import models
from django.db.models import Case, F, Q, When

from messaging.model.address_syntax import MAX_ADDRESS_CHARACTERS, MAX_NAME_CHARACTERS
from messaging.model.message import Network
from messaging.store.models.fields import (
    EncryptedBinaryField,
    EncryptedJSONField,
    EncryptedTextField,
)
from messaging.store.models.people import MAX_VIA_CHARACTERS, Device, Subscriber
from messaging.store.states import State

NETWORKS = [(network.value, network.value) for network in Network]
STATES = [(state.value, state.value.capitalize()) for state in State]


class Message(models.Model):
    """An accepted message as it came, plus the line with the position of its device. Or a dead letter.

    `reason` of a dead letter says why it has no recipient; its `raw` holds its bytes. `subscriber` is the subscriber
    that it counts for, `device` the device that sent it. `text_removed_at` is the time at which retention or a person
    removed the text. `author_level` is the `AuthorLevel`, empty for texts of the gateway itself, and `author_reason`
    why. `mail_kind` is the `MailKind` of a mail of the gateway itself, empty for every other. `whole_text`,
    `wants_notice`, `reference`, `return_path`, `answer_address`, `takes_answers` and `failure` are fields of
    `messaging.model.message.Message`; they have defaults in the database for an older version that works beside this
    one.
    """

    id = models.CharField(primary_key=True, max_length=32)
    sender_network = models.CharField(max_length=16, choices=NETWORKS)
    sender = models.CharField(max_length=MAX_ADDRESS_CHARACTERS, blank=True)
    recipient_network = models.CharField(max_length=16, choices=NETWORKS, blank=True)
    recipient = models.CharField(max_length=MAX_ADDRESS_CHARACTERS, blank=True)
    via = models.CharField(max_length=MAX_VIA_CHARACTERS)
    subject = EncryptedTextField(blank=True)
    text = EncryptedTextField(blank=True)
    whole_text = EncryptedTextField(blank=True, default="", db_default="")
    raw = EncryptedBinaryField(null=True)
    reason = models.TextField(blank=True)
    wants_notice = models.BooleanField(default=False, db_default=False)
    reference = models.TextField(blank=True, default="", db_default="")
    return_path = models.TextField(blank=True, default="", db_default="")
    answer_address = models.TextField(blank=True, default="", db_default="")
    takes_answers = models.BooleanField(default=True, db_default=True)
    author_level = models.CharField(max_length=16, blank=True, default="", db_default="")
    author_reason = models.TextField(blank=True, default="", db_default="")
    mail_kind = models.CharField(max_length=16, blank=True, default="", db_default="")
    failure = EncryptedJSONField(null=True)
    subscriber = models.ForeignKey(
        Subscriber, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False
    )
    device = models.ForeignKey(
        Device, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False
    )
    created_at = models.DateTimeField()
    text_removed_at = models.DateTimeField(null=True)

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="message_newest"),
            models.Index(fields=["subscriber", "created_at"], name="message_of_subscriber"),
            models.Index(
                fields=["device", "created_at"],
                name="message_of_device",
                condition=Q(device__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.id


WAITING = Q(due_at__isnull=False)
"""The condition of every partial index of the queue. Not `state`: SQLite uses a partial index only when the query has
the condition without a parameter, and `due_at <= …` implies this one."""
HELD = Q(held_until__isnull=False)
"""The condition of held deliveries, for the same reason not their state."""
PENDING = WAITING | HELD
"""The condition of deliveries that have not ended."""


class Delivery(models.Model):
    """One message to one recipient by one account. The waiting rows are the queue.

    `due_at` is the time from which the next attempt may be claimed; during an attempt (`leased`) it is the end of its
    lease. `attempts` counts the attempts and never decreases: the outcome of an older attempt is recognised by it.
    `attempts_forgiven` counts those before the last retry by an operator, and those by a blocked account. `reason` is
    the reason of the last attempt.
    `leased` stays set on a delivery that was cancelled during an attempt: the outcome of that attempt is unknown.
    `units` are the billed units, as far as the network reported them; `estimated_units` were estimated for its budgets,
    and are null where none needed them. An `is_urgent` delivery neither expires nor uses
    up its attempts. `losses` counts its attempts since the last retry by an operator that may have been charged and did
    not arrive; too many of them end it. `sender_name` is the name of the sender among the contacts of the device's
    owner at the time of acceptance, `display_name` that of a sender who is none of them: all attempts split the text
    alike.
    `held_until` is the end of the time that a held delivery waits for a decision, null in every other state. `hold` is
    the reason why it is held, kept when it expires or is refused, and empty for one that was released.
    `rest_characters` is set on the rest of a text whose first parts another delivery sent: so many characters at its
    end leave.
    """

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    via = models.CharField(max_length=MAX_VIA_CHARACTERS)
    sender_network = models.CharField(max_length=16, choices=NETWORKS)
    sender = models.CharField(max_length=MAX_ADDRESS_CHARACTERS, blank=True)
    recipient_network = models.CharField(max_length=16, choices=NETWORKS)
    recipient = models.CharField(max_length=MAX_ADDRESS_CHARACTERS)
    subscriber = models.ForeignKey(
        Subscriber, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    device = models.ForeignKey(
        Device, null=True, on_delete=models.SET_NULL, related_name="deliveries", db_index=False
    )
    state = models.CharField(max_length=16, choices=STATES, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    attempts_forgiven = models.PositiveIntegerField(default=0)
    leased = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    parts_sent = models.PositiveIntegerField(default=0)
    uncertain = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0, db_default=0)
    reason = models.TextField(blank=True)
    network_id = models.TextField(blank=True)
    units = models.PositiveIntegerField(null=True)
    estimated_units = models.PositiveIntegerField(null=True)
    is_urgent = models.BooleanField(default=False, db_default=False)
    sender_name = models.CharField(
        max_length=MAX_NAME_CHARACTERS, blank=True, default="", db_default=""
    )
    display_name = models.CharField(
        max_length=MAX_NAME_CHARACTERS, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    hold = models.CharField(max_length=16, blank=True, default="", db_default="")
    held_until = models.DateTimeField(null=True)
    rest_characters = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["-id"]
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(state="waiting") & WAITING) | (~Q(state="waiting") & ~WAITING),
                name="delivery_due_while_waiting",
            ),
            models.CheckConstraint(
                condition=(Q(state="held") & HELD) | (~Q(state="held") & ~HELD),
                name="delivery_held_until",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["message"], name="delivery_of_message"),
            models.Index(
                # The last one so that the age of a long queue is read from the index alone.
                fields=["via", "due_at", "id", "created_at"],
                name="delivery_due",
                condition=WAITING,
            ),
            models.Index(
                fields=["via", "due_at", "id"],
                name="delivery_urgent",
                condition=WAITING & Q(is_urgent=True),
            ),
            # By lane, as `store/queue/lanes.py` reads it.
            models.Index(
                F("via"),
                Case(
                    When(recipient_network=Network.SATELLITE.value, then=F("recipient")),
                    default=F("sender"),
                ),
                F("id"),
                F("due_at"),
                name="delivery_lanes",
                condition=WAITING,
            ),
            models.Index(fields=["expires_at"], name="delivery_expiry", condition=WAITING),
            models.Index(fields=["held_until"], name="delivery_held_expiry", condition=HELD),
            models.Index(fields=["subscriber", "id"], name="delivery_held", condition=HELD),
            models.Index(
                fields=["subscriber", "via"],
                name="delivery_backlog",
                condition=WAITING,
            ),
            models.Index(fields=["state", "via"], name="delivery_counts"),
            models.Index(
                fields=["device", "id"],
                name="delivery_of_device",
                condition=Q(device__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.recipient}"


class DeliveryAttempt(models.Model):
    """One attempt at a delivery that has ended, with its outcome, its reason and its charge.

    `number` is the value of the delivery's `attempts` during it. `began_at` is null for an attempt that was refused
    before it began. `outcome` is a `Result`, or `UNREPORTED` when the lease ended without one.
    """

    UNREPORTED = "not reported"

    # Not checked by the database: an older version that works beside this one deletes deliveries without them.
    delivery = models.ForeignKey(
        Delivery,
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


class Task(models.Model):
    """A task lease: one `holder` runs the task `until` a time. `number` counts the holders."""

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.name)


class OptOut(models.Model):
    """An opt-out: a phone (`peer`) refuses messages from one of our numbers (`number`)."""

    number = models.CharField(max_length=MAX_ADDRESS_CHARACTERS)
    peer = models.CharField(max_length=MAX_ADDRESS_CHARACTERS)
    since = models.DateTimeField()

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["-since"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["peer", "number"], name="opt_out_pair")
        ]

    def __str__(self) -> str:
        return f"{self.peer} from {self.number}"
