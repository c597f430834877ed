"""Composes the message of an emergency and finds its recipients. Pure.

`store/queue/next_state.py` decides how often one that a network loses is sent again.
"""

from collections.abc import Iterator

from messaging.model.message import Address, DeviceReport, Message, Network, Sos
from messaging.model.position import Position
from messaging.store.accept.context import BatchContext, SenderDevice
from messaging.store.accept.routing import PlannedDelivery, Policy, Route, RoutedMessage

NO_RECIPIENT = (
    "an emergency has no recipient: mail and SMS reach no emergency contact of the owner and no"
    " address in SATBRIDGE_OPERATOR_ADDRESSES"
)
SUBJECT = "SOS: "
"""Begins the subject of every message about an emergency."""
_VERBS = {
    Sos.DECLARED: "calls for help",
    Sos.CONFIRMED: "has confirmed its call for help",
    Sos.CANCELLED: "has cancelled its call for help",
}
_FOOTER = (
    "This gateway sends this message to the emergency contacts of the device's owner and to its own"
    " operator only."
)
_ANSWERABLE = "An answer goes to the device."
_NOT_ANSWERABLE = "An answer does not reach the device: it is not registered or switched off here."
DAEMON = "MAILER-DAEMON"


def compose_alarm(report: DeviceReport, policy: Policy, context: BatchContext) -> RoutedMessage:
    """Return the message of an emergency for the emergency contacts of the owner and for the operators.

    Goes out also for a device that is unknown or switched off, and past an opt-out of the recipient. The route has no
    deliveries when no recipient can be reached.
    """
    device = context.sender_device(report.sender, report.via)
    owner_id = device.owner.id if device else None
    deliveries = plan_alarm(device, policy, context)
    name = f"device {report.sender.value} ({report.via})"
    name = f"{device.owner.name}'s {name}" if device else f"unknown {name}"
    headline = f"{name} {_VERBS[report.sos or Sos.DECLARED]}"
    is_answerable = device is not None and device.is_active and device.owner.is_active
    footer = f"{_FOOTER} {_ANSWERABLE if is_answerable else _NOT_ANSWERABLE}"
    message = Message(
        id=report.id,
        sender=report.sender,
        recipient=deliveries[0].recipient if deliveries else Address(Network.EMAIL, ""),
        subject=f"{SUBJECT}{headline}",
        # Without the headline, which is the subject: an SMS has both and pays for each character.
        text="\n".join([*_lines(report, policy.map_url), footer]),
        via=report.via,
        position=report.position,
        battery_percent=report.battery_percent,
        sos=report.sos,
    )
    device_id = device.device_id if device else None
    return RoutedMessage(message, Route(owner_id, deliveries, device_id, is_urgent=True))


def plan_alarm(
    device: SenderDevice | None, policy: Policy, context: BatchContext
) -> tuple[PlannedDelivery, ...]:
    """Return the deliveries about an emergency of this device, None for one that is not registered."""
    contacts = context.emergency_contacts.get(device.owner.id, ()) if device else ()
    recipients = dict.fromkeys((*contacts, *policy.operators))
    return tuple(_deliveries_to(recipients, device, policy))


def _deliveries_to(
    recipients: dict[Address, None], device: SenderDevice | None, policy: Policy
) -> Iterator[PlannedDelivery]:
    for recipient in recipients:
        sender = None
        if recipient.network is Network.EMAIL:
            daemon = Address(Network.EMAIL, f"{DAEMON}@{policy.mail_domain}")
            sender = policy.mailbox(device.owner) if device else daemon
        elif device and device.owner.number:
            sender = Address(Network.SMS, device.owner.number)
        account = policy.account_for(sender) if sender else None
        if sender and account:
            yield PlannedDelivery(account, sender, recipient)


def _lines(report: DeviceReport, map_url: str) -> Iterator[str]:
    if report.at is not None:
        yield f"Sent: {report.at:%Y-%m-%d %H:%M} UTC"
    if report.claimed_at is not None:
        yield f"The clock of the device is wrong, it says: {report.claimed_at:%Y-%m-%d %H:%M} UTC"
    if report.text:
        yield f"It says: {report.text}"
    yield from _position_lines(report.position, map_url)
    if report.battery_percent is not None:
        yield f"Battery: {report.battery_percent} %"


def _position_lines(position: Position | None, map_url: str) -> Iterator[str]:
    if position is None:
        yield "Position: not known"
        return
    height, radius = position.altitude_meters, position.accuracy_meters
    altitude = "" if height is None else f", {height:.0f} m high"
    accuracy = "" if radius is None else f", within {radius:.0f} m or so"
    time = "" if position.at is None else f" at {position.at:%Y-%m-%d %H:%M} UTC"
    yield f"Position: {position.latitude:.5f}, {position.longitude:.5f}{altitude}{accuracy}{time}"
    yield position.map_link(map_url)
