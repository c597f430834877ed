"""A device on which people type, and what becomes of it."""

from dataclasses import replace
from typing import Any

from messaging.errors import GatewayError
from messaging.model.message import (
    Address,
    Delivery,
    DeviceText,
    Message,
    Network,
    Position,
    message_id,
)
from tests.support.store import records as g
from tests.support.store.records import Gateway

DORA = "dora@example.net"

PLACE = Position(latitude=47.123456, longitude=-8.5)


def typed(text: str, key: str = "typed", **more: Any) -> DeviceText:
    device = Address(Network.SATELLITE, "1001")
    return DeviceText(
        **{"id": message_id(key), "sender": device, "text": text, "via": "hive", **more}
    )


def offer(gateway: Gateway, record: DeviceText | Message) -> list[Delivery] | Exception:
    [result] = gateway.router.process([record])
    return result


def take_all(gateway: Gateway, record: DeviceText | Message) -> list[Delivery]:
    result = offer(gateway, record)
    assert isinstance(result, list), result
    return result


def take(gateway: Gateway, record: DeviceText | Message) -> Delivery:
    result = offer(gateway, record)
    assert isinstance(result, list), result
    [delivery] = result
    return delivery


def parties(delivery: Delivery) -> tuple[str, str, str]:
    message = delivery.message
    return message.sender.value, message.recipient.value, message.text


def wrote(
    gateway: Gateway, author: str, key: str = "in", error: GatewayError | None = None
) -> None:
    """Let a mail come, and end one way or the other."""
    mail = replace(g.mail(key), sender=g.email(author))
    gateway.settle(gateway.take_one(mail), error)
