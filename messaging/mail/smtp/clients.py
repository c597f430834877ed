"""The shares of the SMTP clients: connections, bytes, and unknown recipients. No I/O.

A client counts as its IPv4 address, or as its IPv6 networks of 64 and of 48 bits: providers assign one of these to
each customer.
"""

import ipaddress
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from weakref import WeakValueDictionary

from cachetools import TTLCache

from messaging.config.ip_allowlist import is_peer
from messaging.mail.smtp.settings import PATIENCE, SmtpSettings

KNOWN_SECONDS: Final = 7 * 86400.0
CLIENTS_KEPT: Final = 10_000
SITE_SHARES: Final = 2
"""A network of 48 bits may have the connections of two clients."""
UNKNOWN_WINDOW_SECONDS: Final = 600.0
FREE_SHARE: Final = 4
"""One unknown recipient in four is refused without delay."""
LONGEST_DELAY_SECONDS: Final = 5.0
KNOWN_FACTOR: Final = 10


@lru_cache(CLIENTS_KEPT)
def client_networks(address: str) -> tuple[str, ...]:
    """Return the address, or for IPv6 its networks of 64 and 48 bits; the text itself when it is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return (address,)
    if ip.version == 4:
        return (str(ip),)
    if ip.ipv4_mapped is not None:
        return (str(ip.ipv4_mapped),)
    return tuple(str(ipaddress.ip_network((ip, size), strict=False)) for size in (64, 48))


@lru_cache(CLIENTS_KEPT)
def client_site(address: str) -> str:
    """Return the network that is taken for one sender: of 24 bits, for IPv6 of 56; empty when it is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    size = 56 if ip.version == 6 and mapped is None else 24
    return str(ipaddress.ip_network((mapped or ip, size), strict=False))


@dataclass(slots=True, weakref_slot=True)
class ByteBudget:
    """The bytes that the mails being received may have; those of a client count in the budget of all, too."""

    max_bytes: int
    used: int = 0
    wholes: "tuple[ByteBudget, ...]" = ()

    def take(self, count: int) -> bool:
        """Count these bytes if every budget has room; return whether they are counted."""
        budgets = (self, *self.wholes)
        if any(one.used + count > one.max_bytes for one in budgets):
            return False
        for one in budgets:
            one.used += count
        return True

    def give_back(self, count: int) -> None:
        """Stop counting these bytes."""
        for one in (self, *self.wholes):
            one.used -= count


class Clients:
    """The clients that brought an accepted mail lately, and the shares of all clients."""

    def __init__(
        self,
        settings: SmtpSettings,
        whole: ByteBudget,
        first_delay_seconds: float = PATIENCE.first_delay_seconds,
    ) -> None:
        self._first_delay = first_delay_seconds
        self._settings = settings
        self._whole = whole
        share = settings.max_bytes_in_flight
        self._of_strangers = ByteBudget(max(settings.max_bytes, share * 3 // 4))
        self._share = max(settings.max_bytes, share // 4)
        self._budgets: WeakValueDictionary[str, ByteBudget] = WeakValueDictionary()
        # By the time of the last accepted mail, the oldest first. A cache with a time to live is slower.
        self._known: dict[str, float] = {}
        self._unknown_recipients: TTLCache[str, int] = TTLCache(
            CLIENTS_KEPT, UNKNOWN_WINDOW_SECONDS
        )

    def note_accepted(self, address: str) -> None:
        """Note that a mail of this client was accepted."""
        name = client_networks(address)[0]
        self._known.pop(name, None)
        self._known[name] = time.monotonic()
        if len(self._known) > CLIENTS_KEPT:
            del self._known[next(iter(self._known))]

    def is_known(self, address: str) -> bool:
        """Whether a mail of this client was accepted within a week, or SATBRIDGE_SMTP_PEERS names it."""
        last = self._known.get(client_networks(address)[0])
        is_recent = last is not None and time.monotonic() - last < KNOWN_SECONDS
        return is_recent or self._is_named(address)

    def budget_of(self, address: str) -> ByteBudget:
        """Return the budget of the bytes of one mail of this client.

        A client may have a quarter of all bytes, a known one half, one that SATBRIDGE_SMTP_PEERS names all. All clients
        that are not known may have three quarters together.
        """
        if self._is_named(address):
            return self._whole
        is_known = self.is_known(address)
        wholes = [self._budget_named(one, is_known) for one in client_networks(address)]
        if not is_known:
            wholes.append(self._of_strangers)
        return ByteBudget(self._whole.max_bytes, wholes=(*wholes, self._whole))

    def _budget_named(self, name: str, is_known: bool) -> ByteBudget:
        budget = self._budgets.get(name)
        if budget is None:
            budget = self._budgets[name] = ByteBudget(self._share)
        if is_known:
            budget.max_bytes = 2 * self._share
        return budget

    def _is_named(self, address: str) -> bool:
        return self._settings.peers is not None and is_peer(address, self._settings.peers)

    def note_unknown_recipient(self, address: str) -> float | None:
        """Count an unknown recipient; return the seconds to wait with the reply, None to end the connection.

        Each client has `max_unknown_recipients` in ten minutes, a known one ten times as many.
        """
        name = client_networks(address)[0]
        count = self._unknown_recipients.get(name, 0) + 1
        self._unknown_recipients[name] = count
        factor = KNOWN_FACTOR if self.is_known(address) else 1
        limit = self._settings.max_unknown_recipients * factor
        if count > limit:
            return None
        doublings = count - limit // FREE_SHARE - 1
        if doublings < 0:
            return 0.0
        return float(min(LONGEST_DELAY_SECONDS, self._first_delay * 2 ** min(doublings, 10)))
