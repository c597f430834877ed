"""The texts that the router adds: the reply to a device text that goes nowhere, and the position line. Pure."""

from dataclasses import replace

from messaging.model.message import Address, DeadLetter, DeviceText, Message, Network, message_id
from messaging.model.position import Position
from messaging.store.accept.context import SenderDevice
from messaging.store.accept.routing import PlannedDelivery, Policy, Route, RoutedMessage
from messaging.store.notices.notices import VIA, notice_id
from messaging.words.device.phrases import translate

MAX_REPLY_CHARACTERS = 120
"""Fits one packet of every satellite network, also where a character takes several bytes."""


def device_reply(
    text: DeviceText | DeadLetter, reason: str, device: SenderDevice, policy: Policy
) -> RoutedMessage | None:
    """Return the message that tells a device why its text goes nowhere; None when its account is off.

    The message has no sender: it cannot be answered.
    """
    if not policy.is_on(text.via):
        return None
    language = device.locale.language
    reply = f"{translate('Not sent', language)}: {translate(reason, language)}"
    if len(reply) > MAX_REPLY_CHARACTERS:
        reply = reply[: MAX_REPLY_CHARACTERS - 1] + "…"
    return _from_gateway(text, reply, device)


def device_echo(
    text: DeviceText, name: str, recipient: Address, device: SenderDevice, policy: Policy
) -> RoutedMessage | None:
    """Return the message that tells a device whom its text went to; None when its account is off."""
    if not policy.is_on(text.via):
        return None
    echo = _from_gateway(text, f"-> {name}"[:MAX_REPLY_CHARACTERS], device)
    # The text itself may have a notice later, whose id is that of other messages of the gateway about it.
    own_id = message_id(VIA, "echo", text.id)
    message = replace(echo.message, id=own_id, answer_address=recipient.value)
    return replace(echo, message=message)


def _from_gateway(text: DeviceText | DeadLetter, words: str, device: SenderDevice) -> RoutedMessage:
    """Return a message of the gateway itself to the device of a text."""
    no_sender = Address(Network.EMAIL, "")
    message = Message(
        id=notice_id(text.id), sender=no_sender, recipient=text.sender, text=words, via=VIA
    )
    delivery = PlannedDelivery(
        text.via, no_sender, text.sender, device.device_id, device.codec, alphabet=device.alphabet
    )
    return RoutedMessage(message, Route(device.owner.id, (delivery,)))


def add_position(message: Message, route: Route, map_url: str) -> Message:
    """Return the message with a line for the position of its device, if it leaves by mail or SMS.

    A message to another device stays as it is: each character is charged.
    """
    leaves = any(one.recipient.network is not Network.SATELLITE for one in route.deliveries)
    if message.position is None or not leaves:
        return message
    line = position_line(message.position, map_url)
    return replace(message, text=f"{message.text}\n{line}" if message.text else line)


def position_line(position: Position, map_url: str) -> str:
    """Return one line with the time of a position, its accuracy and a link to a map."""
    time = "" if position.at is None else f" {position.at:%Y-%m-%d %H:%M} UTC"
    radius = position.accuracy_meters
    accuracy = "" if radius is None else f" within {radius:.0f} m or so"
    return f"Position{time}{accuracy}: {position.map_link(map_url)}"
