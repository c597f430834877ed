"""A message that was handed to its network, and what the network says about it later."""

from dataclasses import replace

from messaging.model.message import Delivery as Attempt
from messaging.model.message import Message, Outcome, Receipt, ReceiptState, SubmittedPart
from messaging.store.models import Delivery
from messaging.store.notices.notices import VIA
from tests.support.store import records as g
from tests.support.store.records import Gateway

ARRIVED, LOST, MOVING = ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.ON_ITS_WAY


def receipt(network_id: str = "n1", state: ReceiptState = ARRIVED, **more: object) -> Receipt:
    made = Receipt(via="hive", network_id=network_id, state=state)
    return replace(made, **more)  # type: ignore[arg-type]


def hand_over(gateway: Gateway, *handed: SubmittedPart, message: Message | None = None) -> Attempt:
    """A mail that its device's network took as these parts."""
    letter = message or replace(g.mail(), wants_notice=True)
    delivery = gateway.take_one(letter)
    report(gateway, delivery, *handed)
    return delivery


def report(gateway: Gateway, delivery: Attempt, *handed: SubmittedPart) -> None:
    outcome = Outcome.sent(delivery, *handed, parts_sent=delivery.parts_sent + len(handed))
    assert gateway.ledger.process([outcome]) == [[]]


def hear(gateway: Gateway, *receipts: Receipt) -> None:
    assert gateway.router.process(receipts) == [[] for _ in receipts]


def row() -> Delivery:
    return Delivery.objects.get(via="hive")


def notices() -> int:
    return Delivery.objects.filter(message__via=VIA).count()
