"""Time zones and languages of devices and subscribers: checks them as people enter them. Frozen values."""

import re
from dataclasses import dataclass
from datetime import UTC, tzinfo
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

MAX_TIME_ZONE_CHARACTERS: Final = 64
MAX_LANGUAGE_CHARACTERS: Final = 16
_MAX_SUGGESTIONS: Final = 3
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Locale:
    """The time zone (`Europe/Berlin`) and the language (`de`) that texts for a device are written in."""

    time_zone: str = "UTC"
    language: str = "en"

    @property
    def zone(self) -> tzinfo:
        """The time zone; UTC for one that this machine does not know."""
        try:
            return ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError):
            return UTC


def time_zone_name(text: str) -> str:
    """Return the name of a time zone in its usual case. Raises ValueError, with the names that are near."""
    known = {name.lower(): name for name in available_timezones()}
    wanted = text.strip().lower().replace(" ", "_")
    if wanted in known:
        return known[wanted]
    cities = [name for name in sorted(known) if name.rpartition("/")[2] == wanted]
    near = cities or get_close_matches(wanted, sorted(known), _MAX_SUGGESTIONS)
    if not near:
        by_city = {name.rpartition("/")[2]: name for name in sorted(known)}
        near = [by_city[city] for city in get_close_matches(wanted, by_city, _MAX_SUGGESTIONS)]
    names = [known[name] for name in near[:_MAX_SUGGESTIONS]] or ["Europe/Berlin", "UTC"]
    raise ValueError(f"{text!r} is not a time zone; did you mean {' or '.join(names)}?")


def language_code(text: str) -> str:
    """Return a language code (BCP 47) in lower case. Raises ValueError."""
    code = text.strip().lower().replace("_", "-")
    if len(code) > MAX_LANGUAGE_CHARACTERS or not _LANGUAGE.fullmatch(code):
        raise ValueError(f"{text!r} is not a language code such as en or de")
    return code
