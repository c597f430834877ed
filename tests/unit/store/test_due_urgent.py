"""What is urgent has room of its own."""

from messaging.store.models import Delivery as Row
from tests.support.store.due_deliveries import Hand, owe
from tests.support.store.records import Gateway


def test_an_emergency_does_not_wait_for_room(gateway: Gateway) -> None:
    owe(gateway, 25)
    hand = Hand()
    gateway.due.turn(hand)
    waiting = Row.objects.filter(leased=False).order_by("id")
    sos = waiting.values_list("id", flat=True)[14]
    Row.objects.filter(id=sos).update(is_urgent=True)
    gateway.due.turn(hand)
    gateway.due.turn(hand)
    assert [delivery.id for delivery, _ in hand.taken[10:]] == [sos]
    gateway.begin(*(delivery for delivery, _ in hand.taken))
    gateway.due.turn(hand)
    assert len(hand.taken) == 21
