"""Finds the recipients that a person names, and the routes of messages that people send by hand."""

from typing import Final

from messaging.model.address_syntax import phone_number
from messaging.model.message import Address, Network
from messaging.store.accept.address_line import KnownAddresses, parse_address_line
from messaging.store.accept.refusals import (
    MAIL_OFF,
    NO_NUMBER,
    SATELLITE_OFF,
    UNKNOWN,
    Refusal,
)
from messaging.store.accept.routing import PlannedDelivery, Policy, Route
from messaging.store.console.save import InvalidInput
from messaging.store.models import Device, Subscriber

POSTMASTER: Final = "postmaster"


def find_recipient(to: str, policy: Policy) -> Address | Device:
    """Return the address of a mailbox, a number or a subscriber; or the device with that serial."""
    text = to.strip()
    if text.startswith(("+", "00")):
        number = phone_number(text)
        if number is None:
            raise InvalidInput(f"{to!r} is no number with + and country")
        return Address(Network.SMS, number)
    if "@" in text:
        # With a text behind it, as on a device: the same words are refused for the same reasons.
        found = parse_address_line(f"{text} .", KnownAddresses(), policy.mail_domain)
        if isinstance(found, Refusal):
            raise InvalidInput(found.reason)
        return found[0]
    if Subscriber.objects.filter(name=text).exists():
        return Address(Network.EMAIL, f"{text.lower()}@{policy.mail_domain}")
    devices = list(Device.objects.filter(serial=text)[:2])
    if not devices:
        raise InvalidInput(
            f"{to!r} is neither a mailbox, a number with + and country, a subscriber nor a device"
        )
    if len(devices) > 1:
        raise InvalidInput(f"several networks have a device {to!r}; name its owner")
    return devices[0]


def route_to_device(device: Device, author: Address, policy: Policy) -> Route | Refusal:
    """Return the route to one device, as from this author."""
    if not policy.is_on(device.network):
        return SATELLITE_OFF
    recipient = Address(Network.SATELLITE, device.serial)
    planned = PlannedDelivery(
        device.network, author, recipient, device.id, device.codec, alphabet=device.alphabet
    )
    return Route(device.owner_id, (planned,))


def route_from_operator(recipient: Address, policy: Policy) -> Route | Refusal:
    """Return the route of a mail that leaves as from the postmaster; texts need the number of a subscriber."""
    if recipient.network is not Network.EMAIL:
        return NO_NUMBER
    account = policy.default_accounts.get(Network.EMAIL)
    if policy.name_of(recipient) is not None or account is None:
        return UNKNOWN if account else MAIL_OFF
    sender = Address(Network.EMAIL, f"{POSTMASTER}@{policy.mail_domain}")
    return Route(None, (PlannedDelivery(account, sender, recipient),))
