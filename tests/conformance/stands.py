"""THE list of providers in the tables. One line registers a provider."""

from collections.abc import Mapping

from tests.conformance.bandwidth import bandwidth
from tests.conformance.directip import directip_stand
from tests.conformance.garmin import garmin
from tests.conformance.hive import hive
from tests.conformance.modems import cloudloop, rockblock
from tests.conformance.sbdmail import sbdmail
from tests.conformance.spot import spot
from tests.conformance.stand import MakeStand
from tests.conformance.twilio import twilio, twilio_list

STANDS: Mapping[str, MakeStand] = {
    "hive": hive,
    "twilio": twilio,
    "rockblock": rockblock,
    "cloudloop": cloudloop,
    "garmin": garmin,
    "spot": spot,
    "bandwidth": bandwidth,
    "directip": directip_stand,
    "sbdmail": sbdmail,
}

LISTS: Mapping[str, MakeStand] = {"twilio-list": twilio_list}
"""Providers whose texts are fetched when their webhooks reach nothing, for the table of receivers."""

LACKING: Mapping[str, frozenset[str]] = {
    "messages to devices": frozenset({"spot"}),
    "a webhook": frozenset({"hive", "spot", "directip", "sbdmail"}),
    "a wish to wait": frozenset({"spot", "sbdmail"}),
    "a secret": frozenset({"directip"}),
    "HTTP": frozenset({"directip", "sbdmail"}),
}
"""Features that some providers lack; a table that needs one leaves those providers out."""


def stands_with(*wanted: str) -> list[str]:
    """Return the names of the providers with all these features."""
    return [name for name in STANDS if not any(name in LACKING[thing] for thing in wanted)]
