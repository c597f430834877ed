"""The tables of costs: tariffs of accounts, budgets, their figures in each period, and the bookings of deliveries."""

from decimal import Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from messaging.costs.amounts import Amount, parse_currency, to_millionths
from messaging.costs.periods import Period
from messaging.store.models.messages import Delivery
from messaging.store.models.people import MAX_VIA_CHARACTERS, Contact, Device, Subscriber

PERIODS = [(period.value, period.value) for period in Period]
MAX_DIGITS, DECIMAL_PLACES = 15, 6
CURRENCY_CHARACTERS = 3


def check_currency(text: str) -> None:
    """Raise ValidationError unless the text is a code of ISO 4217, such as EUR."""
    try:
        parse_currency(text)
    except ValueError:
        raise ValidationError("A currency has three letters, such as EUR.") from None


class Tariff(models.Model):
    """The price of a billed unit that leaves by an account, and the number of units that are free in each month."""

    account = models.CharField(max_length=MAX_VIA_CHARACTERS, unique=True)
    price = models.DecimalField(
        max_digits=MAX_DIGITS,
        decimal_places=DECIMAL_PLACES,
        validators=[MinValueValidator(Decimal(0))],
    )
    currency = models.CharField(max_length=CURRENCY_CHARACTERS, validators=[check_currency])
    free_units = models.PositiveIntegerField(default=0)

    class Meta:
        """Order."""

        ordering: ClassVar = ["account"]

    def __str__(self) -> str:
        return f"{self.account}: {Amount(to_millionths(self.price), self.currency)} a unit"

    def clean(self) -> None:
        """Store the currency in capitals."""
        self.currency = self.currency.upper()


class Scope(models.TextChoices):
    """The kinds of targets of budgets."""

    GATEWAY = "gateway"
    ACCOUNT = "account"
    SUBSCRIBER = "subscriber"
    DEVICE = "device"
    CONTACT = "contact"


class Budget(models.Model):
    """A limit in money or units for a period: of all messages, or those of an account, subscriber, device or contact.

    `max_amount` is the limit, in units without a `currency`. Messages to and from emergency contacts alone may use the
    last `reserve_percent` of it. `trip_began_at` is the start of the period of a trip.
    """

    scope = models.CharField(max_length=16, choices=Scope.choices)
    account = models.CharField(max_length=MAX_VIA_CHARACTERS, blank=True, default="")
    subscriber = models.ForeignKey(
        Subscriber, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets"
    )
    max_amount = models.DecimalField(
        max_digits=MAX_DIGITS,
        decimal_places=DECIMAL_PLACES,
        validators=[MinValueValidator(Decimal(0))],
    )
    currency = models.CharField(
        max_length=CURRENCY_CHARACTERS, blank=True, default="", validators=[check_currency]
    )
    period = models.CharField(max_length=8, choices=PERIODS, default=Period.MONTH.value)
    reserve_percent = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(100)]
    )
    trip_began_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Order, indexes and constraints."""

        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["scope", "account"], name="budget_scope")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "scope",
                "account",
                Coalesce(F("subscriber"), 0),
                Coalesce(F("device"), 0),
                Coalesce(F("contact"), 0),
                "currency",
                "period",
                name="budget_once",
                violation_error_message="There is such a budget already: change that one.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.target}, {self.limit} per {self.period}"

    @property
    def limit(self) -> Amount:
        """The limit, without top-ups."""
        return Amount(to_millionths(self.max_amount), self.currency)

    @property
    def target(self) -> str:
        """The name of its target, as the command line takes it: `subscriber:boop`."""
        name = {
            Scope.ACCOUNT: self.account,
            Scope.SUBSCRIBER: self.subscriber and self.subscriber.name,
            Scope.DEVICE: self.device and f"{self.device.network}/{self.device.serial}",
            Scope.CONTACT: self.contact and f"{self.contact.owner.name}/{self.contact.name}",
        }.get(Scope(self.scope))
        return f"{self.scope}:{name}" if name else str(self.scope)

    def clean(self) -> None:
        """Require the one field of the scope and no other."""
        self.currency = self.currency.upper()
        given = {
            Scope.ACCOUNT: self.account,
            Scope.SUBSCRIBER: self.subscriber_id,
            Scope.DEVICE: self.device_id,
            Scope.CONTACT: self.contact_id,
        }
        if {scope for scope, value in given.items() if value} != {self.scope} - {Scope.GATEWAY}:
            raise ValidationError("A budget names what its scope says, and nothing else.")


class BudgetPeriod(models.Model):
    """The figures of a budget in one period, in millionths: `added` by top-ups, `reserved` and `spent`.

    `reserved` and `spent` are the sums of its bookings. `warned_percent` is the highest share of the limit of which
    a warning was given, at `warned_at`.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods")
    starts_at = models.DateTimeField()
    added = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0)
    warned_percent = models.PositiveSmallIntegerField(default=0)
    warned_at = models.DateTimeField(null=True)

    class Meta:
        """Order and constraints."""

        ordering: ClassVar = ["-starts_at", "budget"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["budget", "starts_at"], name="budget_period")
        ]

    def __str__(self) -> str:
        return f"{self.budget_id} since {self.starts_at:%Y-%m-%d}"


class BudgetBooking(models.Model):
    """The part of a budget that a delivery has reserved or spent: `amount`, and `price` of a unit, in millionths."""

    period = models.ForeignKey(
        BudgetPeriod, on_delete=models.CASCADE, related_name="bookings", db_index=False
    )
    # Not checked by the database: an older version that works beside this one deletes deliveries without them.
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="bookings", db_constraint=False
    )
    price = models.BigIntegerField()
    amount = models.BigIntegerField()
    is_spent = models.BooleanField(default=False)

    class Meta:
        """Constraints and indexes."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["period", "delivery"], name="booking_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["delivery"], name="booking_open", condition=Q(is_spent=False))
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.period_id} by {self.delivery_id}"
