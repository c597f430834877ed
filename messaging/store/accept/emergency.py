"""Makes the message that an emergency becomes, and finds everybody who shall get it: pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from messaging.model.message import Address, DeviceReport, Message, Network, Sos
from messaging.model.position import Position
from messaging.store.accept.context import BatchContext, SenderDevice
from messaging.store.accept.policy import PlannedDelivery, Policy, Route

NOBODY = (
    "an emergency that nobody could be told of: there is no emergency contact that mail or SMS"
    " could reach, and SATBRIDGE_OPERATOR_ADDRESSES names nobody either"
)
_SAYS = {
    Sos.DECLARED: "calls for help",
    Sos.CONFIRMED: "has confirmed its call for help",
    Sos.CANCELLED: "has cancelled its call for help",
}
_FOOT = (
    "This gateway tells the emergency contacts of the device's owner and its own operator, and"
    " nobody else. An answer to this message goes to the device."
)
DAEMON = "MAILER-DAEMON"


@dataclass(frozen=True, slots=True)
class Alarm:
    """What an emergency becomes. The route has no legs when there is nobody to tell."""

    message: Message
    route: Route


def alarm(beacon: DeviceReport, policy: Policy, facts: BatchContext) -> Alarm:
    """Return what to send, and to whom: to the emergency contacts of the owner, and to the operator.

    Whether the device or its owner is switched off, or known at all, does not matter.
    """
    author = facts.sender_device(beacon.sender, beacon.via)
    contacts = facts.emergency_contacts.get(author.owner.id, ()) if author else ()
    everybody = dict.fromkeys((*contacts, *policy.operators))
    legs = tuple(leg for one in everybody if (leg := _leg(one, author, policy)))
    message = Message(
        id=beacon.id,
        sender=beacon.sender,
        recipient=legs[0].recipient if legs else Address(Network.EMAIL, ""),
        subject=f"SOS: {_who(beacon, author)} {_SAYS[beacon.sos or Sos.DECLARED]}",
        text="\n".join(_lines(beacon, author, policy.map_url)),
        via=beacon.via,
        position=beacon.position,
        battery_percent=beacon.battery_percent,
        sos=beacon.sos,
    )
    route = Route(
        author.owner.id if author else None,
        legs,
        author.device_id if author else None,
        is_urgent=True,
    )
    return Alarm(message, route)


def _leg(recipient: Address, author: SenderDevice | None, policy: Policy) -> PlannedDelivery | None:
    """Return how somebody can be told, None when they cannot. That they once said STOP does not count here."""
    sender = _sender(recipient.network, author, policy)
    via = policy.via(sender) if sender else None
    return PlannedDelivery(via, sender, recipient) if via and sender else None


def _sender(network: Network, author: SenderDevice | None, policy: Policy) -> Address | None:
    if network is Network.EMAIL:
        if author is None:
            return Address(Network.EMAIL, f"{DAEMON}@{policy.mail_domain}")
        return policy.mailbox(author.owner)
    number = author.owner.number if author else None
    return Address(Network.SMS, number) if number else None


def _who(beacon: DeviceReport, author: SenderDevice | None) -> str:
    device = f"device {beacon.sender.value} ({beacon.via})"
    return f"{author.owner.name}'s {device}" if author else f"unknown {device}"


def _lines(beacon: DeviceReport, author: SenderDevice | None, map_url: str) -> Iterator[str]:
    yield f"{_who(beacon, author)} {_SAYS[beacon.sos or Sos.DECLARED]}."
    if beacon.at is not None:
        yield f"Sent: {beacon.at:%Y-%m-%d %H:%M} UTC"
    if beacon.text:
        yield f"It says: {beacon.text}"
    yield from _place(beacon.position, map_url)
    if beacon.battery_percent is not None:
        yield f"Battery: {beacon.battery_percent} %"
    yield _FOOT


def _place(position: Position | None, map_url: str) -> Iterator[str]:
    if position is None:
        yield "Position: not known"
        return
    height = "" if position.altitude_meters is None else f", {position.altitude_meters:.0f} m high"
    error = position.accuracy_meters
    about = "" if error is None else f", within {error:.0f} m or so"
    when = "" if position.at is None else f" at {position.at:%Y-%m-%d %H:%M} UTC"
    yield f"Position: {position.latitude:.5f}, {position.longitude:.5f}{height}{about}{when}"
    yield position.map_link(map_url)
