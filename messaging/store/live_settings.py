"""The settings that change while a router runs: limits, countries, words and operators."""

from collections.abc import Mapping
from typing import Any, Final

from messaging.config.settings import Settings

LIVE_FIELDS: Final = frozenset(
    {
        "max_waiting_per_subscriber",
        "max_hourly_per_pair",
        "burst_hourly_per_author",
        "burst_hourly_per_device",
        "burst_hourly_per_domain",
        "burst_hourly_per_client",
        "burst_hourly_in_total",
        "max_hourly_hints_per_device",
        "max_hourly_per_device",
        "max_daily_per_device",
        "max_daily_units_per_device",
        "max_kept",
        "max_kept_mb",
        "max_kept_per_subscriber",
        "max_kept_mb_per_subscriber",
        "max_hourly_kept_per_subscriber",
        "sms_countries",
        "emergency_words",
        "operator_addresses",
    }
)
"""The fields of `Settings` that routers read anew. Of the workers, nothing but a router reads them."""

# For the routers of this process: the function that changes it is called in the process, not on an object.
_changes: Mapping[str, Any] = {}


def change_live_settings(changes: Mapping[str, Any]) -> None:
    """Let the routers of this process decide by these values from their next batch on.

    `changes` has validated values of `LIVE_FIELDS` by field. They replace all earlier changes. Raises KeyError for
    another field.
    """
    global _changes
    if unknown := set(changes) - LIVE_FIELDS:
        raise KeyError(*sorted(unknown))
    _changes = dict(changes)


def live_settings(settings: Settings) -> Settings:
    """Return the settings of the start with all changes; the same object while there are none."""
    return settings.model_copy(update=dict(_changes)) if _changes else settings


def live_changes() -> Mapping[str, Any]:
    """Return the changes; the same object until there are others."""
    return _changes
