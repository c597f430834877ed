"""Adds where its device was to a text that leaves by mail or SMS: one line with a link to a map. Pure."""

from dataclasses import replace

from messaging.model.message import Message, Network
from messaging.model.position import Position
from messaging.store.accept.policy import Route


def with_place(message: Message, route: Route, map_url: str) -> Message:
    """Return the message as people get it. To another device nothing is added, because each letter is paid for."""
    leaves = any(leg.recipient.network is not Network.SATELLITE for leg in route.deliveries)
    if message.position is None or not leaves:
        return message
    line = place_line(message.position, map_url)
    return replace(message, text=f"{message.text}\n{line}" if message.text else line)


def place_line(position: Position, map_url: str) -> str:
    """Return one line that says where, since when that is known, and how well."""
    when = "" if position.at is None else f" {position.at:%Y-%m-%d %H:%M} UTC"
    error = position.accuracy_meters
    about = "" if error is None else f" within {error:.0f} m or so"
    return f"Position{when}{about}: {position.map_link(map_url)}"
