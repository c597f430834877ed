"""Amounts of billed units or of money in one currency, exact to a millionth, without any float. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from messaging.model.message import Message

MILLION: Final = 1_000_000
"""The store counts in whole millionths, which every database adds up exactly."""
UNITS: Final = "units"

_AMOUNT: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([A-Za-z]+)")
_CURRENCY: Final = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of millionths, of a unit without a `currency` (ISO 4217), else of that currency."""

    millionths: int
    currency: str = ""

    def __str__(self) -> str:
        return f"{format_millionths(self.millionths)} {self.currency or UNITS}"


def parse_amount(text: str) -> Amount:
    """Return the amount of a text such as `20 EUR` or `500 units`. Raises ValueError for any other."""
    found = _AMOUNT.fullmatch(text.strip())
    unit = found[2] if found else ""
    is_units = unit.lower() in (UNITS, "unit")
    currency = "" if is_units else parse_currency(unit)
    if found is None:
        raise ValueError("an amount is a number and a currency or units: 20 EUR, 500 units")
    return Amount(to_millionths(Decimal(found[1])), currency)


def parse_currency(text: str) -> str:
    """Return the code of a currency in capitals. Raises ValueError unless it has three letters."""
    if not _CURRENCY.fullmatch(text.upper()):
        raise ValueError("an amount is a number and a currency or units: 20 EUR, 500 units")
    return text.upper()


def parse_share(text: str) -> int:
    """Return the percent of a text such as `20%`. Raises ValueError for any other."""
    digits = text.strip().removesuffix("%").strip()
    if not (digits.isascii() and digits.isdigit() and int(digits) <= 100):
        raise ValueError("a share is a whole number of percent: 20%")
    return int(digits)


def to_millionths(number: Decimal) -> int:
    """Return a number of at most six decimal places as millionths."""
    return int((number * MILLION).to_integral_value())


def from_millionths(millionths: int) -> Decimal:
    """Return millionths as a number."""
    return Decimal(millionths) / MILLION


def format_millionths(millionths: int) -> str:
    """Return millionths as a number without zeros at its end; money keeps what it needs, `4.2` or `20`."""
    text = f"{from_millionths(millionths):.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class UnitCounter(Protocol):
    """Counts the units of a message by one account: the same arithmetic as its sender's."""

    def count_units(self, message: Message, codec: str = "", alphabet: str = "") -> int:
        """Return the units, for a device with this codec and alphabet; 0 for a message that cannot be sent."""
