"""A step for the gateway: place names become short codes, which cost fewer bytes on a satellite link.

Put this file where Python finds it, and set `SATBRIDGE_STEPS=place_codes.shorten`.
"""

import re
from dataclasses import replace

from messaging.model.message import Message, Network

CODES = {"Horta": "HOR", "Ponta Delgada": "PDL", "Santa Maria": "SMA", "the anchorage": "ANCH"}

_PLACES = re.compile("|".join(rf"\b{re.escape(place)}\b" for place in CODES), re.IGNORECASE)
_BY_NAME = {place.lower(): code for place, code in CODES.items()}


def shorten(message: Message) -> Message:
    """Shorten the places in what goes to a device; mail and SMS stay as they are."""
    if message.recipient.network is not Network.SATELLITE:
        return message
    text = _PLACES.sub(lambda place: _BY_NAME[place.group().lower()], message.text)
    return replace(message, text=text)
