"""The arithmetic of costs: amounts, periods, and the rules of reservations."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.costs.amounts import (
    MILLION,
    Amount,
    format_millionths,
    from_millionths,
    parse_amount,
    parse_share,
    to_millionths,
)
from messaging.costs.periods import Period, start_of
from messaging.costs.reservation import (
    Access,
    Booking,
    DeliveryCharge,
    Figures,
    next_booking,
)

TRIP = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("20 EUR", Amount(20 * MILLION, "EUR")),
        ("0.07eur", Amount(70_000, "EUR")),
        ("500 units", Amount(500 * MILLION)),
        ("1 unit", Amount(MILLION)),
    ],
)
def test_amounts_are_read(text: str, amount: Amount) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize("text", ["", "20", "EUR", "-1 EUR", "1.1234567 EUR", "1 EURO", "1e3 EUR"])
def test_other_texts_are_no_amounts(text: str) -> None:
    with pytest.raises(ValueError, match="an amount is"):
        parse_amount(text)


@pytest.mark.parametrize("text", ["", "120%", "-5%", "a fifth", "²%"])
def test_other_texts_are_no_shares(text: str) -> None:
    with pytest.raises(ValueError, match="a share is"):
        parse_share(text)


@given(st.integers(0, 10**15))
def test_numbers_are_exact(millionths: int) -> None:
    assert to_millionths(from_millionths(millionths)) == millionths
    assert to_millionths(Decimal(format_millionths(millionths))) == millionths


@pytest.mark.parametrize(
    ("period", "time_zone", "start"),
    [
        (Period.DAY, "UTC", datetime(2026, 3, 29, tzinfo=UTC)),
        # In Berlin the clock goes forward on that day.
        (Period.DAY, "Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (Period.WEEK, "Europe/Berlin", datetime(2026, 3, 22, 23, tzinfo=UTC)),
        (Period.MONTH, "Europe/Berlin", datetime(2026, 2, 28, 23, tzinfo=UTC)),
        (Period.DAY, "Pacific/Auckland", datetime(2026, 3, 29, 11, tzinfo=UTC)),
        (Period.TRIP, "Pacific/Auckland", TRIP),
        (Period.DAY, "No/Where", datetime(2026, 3, 29, tzinfo=UTC)),
    ],
)
def test_periods_begin_at_midnight_of_the_zone(
    period: Period, time_zone: str, start: datetime
) -> None:
    now = datetime(2026, 3, 29, 12, 30, 15, tzinfo=UTC)
    assert start_of(period, now, time_zone, TRIP) == start


def test_the_reserve_is_kept_for_those_who_may_use_it() -> None:
    figures = Figures(limit=100, reserve_percent=20, reserved=50, spent=20)
    assert figures.has_room(10, Access.ORDINARY)
    assert not figures.has_room(11, Access.ORDINARY)
    assert figures.has_room(30, Access.RESERVE)
    assert not figures.has_room(31, Access.RESERVE)
    assert figures.has_room(1000, Access.ANY)


@pytest.mark.parametrize(
    ("used", "warning"), [(0, 0), (49, 0), (50, 50), (79, 50), (80, 80), (99, 80), (130, 100)]
)
def test_warnings_name_the_share_that_is_reached(used: int, warning: int) -> None:
    assert Figures(limit=100, reserve_percent=0, reserved=used, spent=0).warning() == warning


RESERVED, SPENT = Booking(price=7, amount=21), Booking(price=7, amount=21, is_spent=True)


@pytest.mark.parametrize(
    ("before", "charge", "after"),
    [
        (RESERVED, DeliveryCharge(True, False, 3, None), RESERVED),
        # An attempt that failed was charged; the next one costs again.
        (RESERVED, DeliveryCharge(True, False, 3, 2), Booking(7, 35)),
        (RESERVED, DeliveryCharge(False, True, 3, None), SPENT),
        (RESERVED, DeliveryCharge(False, True, 3, 4), Booking(7, 28, is_spent=True)),
        (RESERVED, DeliveryCharge(False, True, 3, 0), None),
        (RESERVED, DeliveryCharge(False, False, 3, None), None),
        (RESERVED, DeliveryCharge(False, False, 3, 1), Booking(7, 7, is_spent=True)),
        # It was sent, and lost on the way.
        (SPENT, DeliveryCharge(False, False, 3, None), SPENT),
        (SPENT, DeliveryCharge(True, False, 3, 4), Booking(7, 49)),
    ],
)
def test_a_booking_follows_its_delivery(
    before: Booking, charge: DeliveryCharge, after: Booking | None
) -> None:
    assert next_booking(before, charge) == after
