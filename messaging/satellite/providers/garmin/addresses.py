"""The addresses that an inReach user types, and those that stand for senders on the device. Pure.

Without an own domain the devices are not assigned to a user at Garmin, and the gateway delivers to every address. With
one (guide "IPC Outbound", own mail domain) Garmin delivers to all other addresses itself, and hands over those ending
in `@<domain>`. Their local part is an address too: `15551230000` a phone, `bob=example.net` a mailbox.
"""

import re

from messaging.model.message import Address, Network
from messaging.satellite.codecs.protobuf import Undecodable, mailbox, phone_number

# An index into the contacts that the device shares with Garmin; phone numbers are longer.
_INDEX = re.compile(r"[0-9]{1,4}")


def recipient(address: str, domain: str, region: str | None) -> Address | None:
    """Return the recipient that an address stands for; None when Garmin delivers to it. Raises Undecodable."""
    local, _, host = address.strip().rpartition("@")
    if not domain:
        return _direct(address.strip(), region)
    if host.lower() != domain.lower() or not local:
        return None
    if "=" in local:
        name, _, mail_host = local.rpartition("=")
        return Address(Network.EMAIL, mailbox(f"{name}@{mail_host}"))
    if local.removeprefix("+").isdecimal():
        return Address(Network.SMS, phone_number(f"+{local.removeprefix('+')}"))
    raise Undecodable("the recipient is neither a phone number nor a mailbox written with =")


def sender_address(sender: Address, domain: str) -> str:
    """Return the address that the device displays and answers to; `recipient` reads it back."""
    if not sender.value:  # a message of the gateway itself; the network wants an address
        return f"postmaster@{domain or 'localhost'}"
    if not domain:
        return sender.value
    if sender.network is Network.SMS:
        return f"{sender.value.removeprefix('+')}@{domain}"
    local, _, host = sender.value.rpartition("@")
    return f"{local}={host}@{domain}"


def _direct(address: str, region: str | None) -> Address:
    if "@" in address:
        return Address(Network.EMAIL, mailbox(address))
    if _INDEX.fullmatch(address):
        raise Undecodable("the recipient is a contact that only Garmin knows")
    return Address(Network.SMS, phone_number(address, region))
