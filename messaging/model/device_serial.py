"""The syntax of the numbers by which networks know devices. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class SerialSyntax(StrEnum):
    """The kind of number by which a provider knows a device. `ANY` is not checked."""

    ANY = "any"
    NUMBER = "number"
    IMEI = "imei"
    ESN = "esn"
    THING = "thing"


@dataclass(frozen=True, slots=True)
class DeviceNetwork:
    """An account that a device can have: the syntax of its serials, and the codec of new devices.

    An empty `new_codec` is the codec of the account.
    """

    serials: SerialSyntax = SerialSyntax.ANY
    new_codec: str = ""


_PATTERNS: Final[Mapping[SerialSyntax, re.Pattern[str]]] = {
    SerialSyntax.NUMBER: re.compile(r"[0-9]{1,18}"),
    SerialSyntax.IMEI: re.compile(r"[0-9]{15}"),
    SerialSyntax.ESN: re.compile(r"[0-9]-[0-9]{6,8}"),
    SerialSyntax.THING: re.compile(r"[A-Za-z0-9_-]{15,64}"),
}
_EXPECTED: Final[Mapping[SerialSyntax, str]] = {
    SerialSyntax.NUMBER: "a number such as 1001",
    SerialSyntax.IMEI: "an IMEI of 15 digits such as 300234010753370",
    SerialSyntax.ESN: "a number such as 0-8356068, which is on the device",
    SerialSyntax.THING: "the id of a thing, 32 letters and digits",
}
IMEI_DIGITS: Final = 15


def read_serial(text: str, syntax: SerialSyntax) -> str:
    """Return the serial as it is stored: an IMEI without spaces and dashes. Raises ValueError, with the reason."""
    serial = text.strip()
    if syntax is SerialSyntax.IMEI:
        serial = re.sub(r"[\s-]", "", serial)
    pattern = _PATTERNS.get(syntax)
    if pattern is None or pattern.fullmatch(serial):
        return serial
    has = (
        f" It has {len(serial)} digits."
        if syntax is SerialSyntax.IMEI and serial.isdecimal()
        else ""
    )
    raise ValueError(
        f"{text.strip()!r} is no serial of this network: it has to be {_EXPECTED[syntax]}.{has}"
    )


def doubt_about(serial: str, syntax: SerialSyntax) -> str:
    """Return why a serial in the right form may be mistyped; empty without a doubt."""
    if syntax is SerialSyntax.THING and len(serial) == IMEI_DIGITS and serial.isdecimal():
        return f"{serial} looks like an IMEI; this network knows devices by the id of their thing"
    if syntax is not SerialSyntax.IMEI:
        return ""
    if not serial.startswith("30"):
        return f"the IMEI {serial} does not begin with 30, as those of Iridium devices do"
    # Iridium writes 0 where other IMEIs have their check digit; some lists have the digit itself.
    if serial[-1] != "0":
        # Luhn's formula (3GPP TS 23.003 annex B).
        digits = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(serial))]
        if sum(value // 10 + value % 10 for value in digits) % 10 != 0:
            return f"the IMEI {serial} ends neither in 0, as those of Iridium devices do, nor in its check digit"
    return ""
