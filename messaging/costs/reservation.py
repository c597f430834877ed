"""The rules of budgets: how much a message may use, and how its reservation ends. Pure."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

WARN_PERCENTS: Final = (50, 80, 100)
"""The shares of a limit at which its owner is warned, once in a period each."""


class Access(IntEnum):
    """How much of a budget a message may use: the ordinary part, the reserve too, or as much as it needs."""

    ORDINARY = 0
    RESERVE = 1
    ANY = 2


@dataclass(slots=True)
class Figures:
    """A budget in one period, in millionths: its limit with top-ups, and the sums reserved and spent."""

    limit: int
    reserve_percent: int
    reserved: int
    spent: int

    def has_room(self, millionths: int, access: Access) -> bool:
        """Return whether that much more fits. An amount of nothing always does."""
        if access is Access.ANY or millionths <= 0:
            return True
        withheld = self.reserve_percent * self.limit // 100 if access is Access.ORDINARY else 0
        return self.reserved + self.spent + millionths <= self.limit - withheld

    @property
    def used_percent(self) -> int:
        """The share of the limit that is reserved or spent, in percent rounded down."""
        used = self.reserved + self.spent
        if self.limit <= 0:
            return 100 if used else 0
        return used * 100 // self.limit

    def warning(self) -> int:
        """Return the highest percent of `WARN_PERCENTS` that is reached; 0 for none."""
        return max((one for one in WARN_PERCENTS if self.used_percent >= one), default=0)


@dataclass(frozen=True, slots=True)
class Booking:
    """The part of a budget that a delivery has: its price for a unit, and the amount, both in millionths.

    The amount is reserved until the delivery `is_spent`.
    """

    price: int
    amount: int
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryCharge:
    """The delivery of a booking: whether it waits, whether it was sent, and its estimated and reported units."""

    is_waiting: bool
    was_sent: bool
    estimated_units: int
    units: int | None


def next_booking(booking: Booking, charge: DeliveryCharge) -> Booking | None:
    """Return the booking as the delivery is now; None where all of it goes back to the budget.

    Reported units count instead of estimated ones. Without a report a delivery that was sent costs its estimate, and
    one that never was sent costs nothing.
    """
    price, reported = booking.price, charge.units
    if charge.is_waiting:
        # The next attempt costs anew where an earlier one was charged.
        units = charge.estimated_units + (reported or 0)
        return Booking(price, price * units)
    if reported is not None:
        return Booking(price, price * reported, is_spent=True) if reported else None
    if charge.was_sent or booking.is_spent:
        return Booking(price, price * charge.estimated_units, is_spent=True)
    return None
