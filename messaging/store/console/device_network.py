"""The accounts that a device can have, and the check of its serial: for the command line and the admin alike."""

from collections.abc import Mapping
from typing import cast

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from messaging.model.device_serial import DeviceNetwork, doubt_about, read_serial
from messaging.store.console.save import InvalidInput
from messaging.store.db.connection import guard
from messaging.store.models import Device


def known_networks() -> Mapping[str, DeviceNetwork]:
    """Return the accounts that a device can have, by name, also those that are off."""
    path = cast(str, getattr(django_settings, "SATBRIDGE_NETWORKS"))  # noqa: B009
    networks: Mapping[str, DeviceNetwork] = import_string(path)()
    return networks


def check_serial(serial: str, network: str, *, any_serial: bool = False) -> str:
    """Return the serial as it is stored. Raises InvalidInput unless it has the syntax of its network.

    With `any_serial` every serial is taken, for devices that differ.
    """
    found = known_networks().get(network, DeviceNetwork())
    if any_serial or not serial.strip():
        return serial.strip()
    try:
        return read_serial(serial, found.serials)
    except ValueError as error:
        raise InvalidInput(f"serial: {error}") from None


def serial_doubt(serial: str, network: str) -> str:
    """Return why a serial may be mistyped; empty without a doubt."""
    return doubt_about(serial, known_networks().get(network, DeviceNetwork()).serials)


def new_codec(network: str) -> str:
    """Return the codec of a new device; empty for that of its account."""
    return known_networks().get(network, DeviceNetwork()).new_codec


@guard
def devices_of_unknown_networks() -> list[str]:
    """Return the active devices whose account no provider has: one query."""
    rows = Device.objects.filter(is_active=True).exclude(network__in=known_networks())
    return [f"{one.network} {one.serial}" for one in rows.order_by("network", "serial")]


@guard
def networks_in_use() -> list[str]:
    """Return the accounts of the active devices: one query."""
    rows = Device.objects.filter(is_active=True, owner__is_active=True).order_by("network")
    return list(rows.values_list("network", flat=True).distinct())
