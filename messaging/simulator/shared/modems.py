"""The Iridium modems of a simulated provider, and the messages to them. Thread-safe."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

MOMSN_COUNT = 65_536
QUEUED, DELIVERED, FLUSHED = "queued", "delivered", "flushed"


@dataclass(frozen=True, slots=True)
class Modem:
    """A modem. `momsn` is the number of its next message. Unless `reachable`, it leaves its messages in the queue.

    `thing` is its id at Cloudloop. Without `line_rental` the provider sends it nothing.
    """

    imei: str
    thing: str = ""
    serial: int = 1234
    momsn: int = 1
    reachable: bool = True
    line_rental: bool = True
    latitude: float = 50.8981
    longitude: float = -1.1947
    cep: float = 3


@dataclass(frozen=True, slots=True)
class ModemDownlink:
    """A message to a modem, with its state. `carried` is the requested service or priority."""

    id: int
    imei: str
    data: bytes
    state: str = QUEUED
    carried: str = "sbd"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "id": self.id,
            "imei": self.imei,
            "state": self.state,
            "carried": self.carried,
            "data": self.data.hex(),
        }


class Modems:
    """All modems of one provider. `on_shown` is called with each downlink that reaches its modem."""

    def __init__(
        self, modems: Iterable[Modem] = (), on_shown: Callable[[ModemDownlink], None] | None = None
    ) -> None:
        self._on_shown = on_shown
        self._lock = threading.Lock()
        self._modems = {modem.imei: modem for modem in modems}
        self._downlinks: dict[int, ModemDownlink] = {}

    def add(self, modem: Modem) -> None:
        """Add a modem or replace the one with its IMEI; a reachable one gets its queue."""
        with self._lock:
            self._modems[modem.imei] = modem
        self.session(modem.imei)

    def all(self) -> list[Modem]:
        """Return all modems."""
        with self._lock:
            return list(self._modems.values())

    def get(self, imei: str) -> Modem | None:
        """Return the modem with this IMEI."""
        return self._modems.get(imei)

    def of_thing(self, thing: str) -> Modem | None:
        """Return the modem in this thing."""
        return next((modem for modem in self.all() if thing and modem.thing == thing), None)

    def next_momsn(self, imei: str) -> int:
        """Count one message from a modem and return its number, which wraps after 65535."""
        with self._lock:
            modem = self._modems[imei]
            self._modems[imei] = replace(modem, momsn=(modem.momsn + 1) % MOMSN_COUNT)
            return modem.momsn

    def queue(self, imei: str, data: bytes, carried: str = "sbd") -> int:
        """Queue a downlink and return its id; it arrives at once if the modem is reachable."""
        with self._lock:
            number = len(self._downlinks) + 1
            self._downlinks[number] = ModemDownlink(number, imei, data, carried=carried)
        self.session(imei)
        return number

    def flush(self, imei: str) -> None:
        """Delete the queue of a modem."""
        self._move(imei, FLUSHED)

    def session(self, imei: str) -> None:
        """Deliver the queue of a modem, if it is reachable."""
        modem = self._modems.get(imei)
        if modem is None or not modem.reachable:
            return
        for downlink in self._move(imei, DELIVERED):
            if self._on_shown is not None:
                self._on_shown(downlink)

    def downlinks(self, after: int = 0) -> list[ModemDownlink]:
        """Return the downlinks with an id above `after`, in the order they were queued."""
        with self._lock:
            return [downlink for downlink in self._downlinks.values() if downlink.id > after]

    def _move(self, imei: str, state: str) -> list[ModemDownlink]:
        with self._lock:
            waiting = [d for d in self._downlinks.values() if d.imei == imei and d.state == QUEUED]
            moved = [replace(downlink, state=state) for downlink in waiting]
            self._downlinks |= {downlink.id: downlink for downlink in moved}
            return moved
