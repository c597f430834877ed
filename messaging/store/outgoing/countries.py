"""Decides which numbers the devices of a subscriber may text: texts to some countries cost fifty times more. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from messaging.model.address_syntax import country_of

ANY_COUNTRY: Final = "*"


@dataclass(frozen=True, slots=True)
class KnownNumbers:
    """The phone numbers that a subscriber knows.

    `contacts` are those of the contacts. `others` wrote to the subscriber, or got a text before; they are looked up
    only when `contacts` and the subscriber's own number do not allow a text.
    """

    own: str | None = None
    contacts: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CountryRule:
    """The rule of SATBRIDGE_SMS_COUNTRIES: ISO codes and prefixes such as `DE,+33`, `*` for every country.

    Without a setting, texts go to the countries of the numbers that the subscriber knows, the own one among them: so
    an installation without contacts reaches its own country. A contact can always be reached.
    """

    listed: Sequence[str] = ()

    def allows(self, number: str, known: KnownNumbers) -> bool:
        """Return whether the devices of a subscriber that knows these numbers may text this one."""
        if number in known.contacts or ANY_COUNTRY in self.listed:
            return True
        country = country_of(number)
        if self.listed:
            return country in self.listed or number.startswith(
                tuple(one for one in self.listed if one.startswith("+"))
            )
        # Satellite phones and services of no country are the dearest: the very number must be known.
        if not country.isalpha():
            return number in known.others
        own = () if known.own is None else (known.own,)
        return any(country_of(one) == country for one in (*own, *known.contacts, *known.others))
