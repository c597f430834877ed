"""A phone that says STOP gets nothing more from that number until it says START."""

from messaging.errors import Rejected, Unavailable
from messaging.store.models import Delivery, OptOut
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway


def test_stop_keeps_a_device_from_texting_that_phone_until_start(gateway: Gateway) -> None:
    up = g.uplink(g.phone(g.FRIENDS_NUMBER))
    assert gateway.router.process([g.consent(False), g.consent(False)]) == [[], []]
    assert OptOut.objects.count() == 1
    assert isinstance(gateway.router.process([up])[0], Rejected)
    assert gateway.router.process([g.consent(True), g.consent(True)]) == [[], []]
    assert OptOut.objects.count() == 0
    assert gateway.take_one(up).message.sender == g.phone(g.BOOPS_NUMBER)


def test_stop_calls_off_what_still_waits_for_that_phone_only(gateway: Gateway) -> None:
    for number in (g.FRIENDS_NUMBER, "+15554445555"):
        delivery = gateway.take_one(g.uplink(g.phone(number), number))
        gateway.settle(delivery, Unavailable("busy"))
    gateway.router.process([g.consent(False)])
    states = dict(Delivery.objects.values_list("recipient", "state"))
    assert states == {g.FRIENDS_NUMBER: State.CANCELLED, "+15554445555": State.WAITING}
    assert "(STOP)" in Delivery.objects.get(recipient=g.FRIENDS_NUMBER).reason


def test_stop_counts_for_what_comes_after_it_in_the_same_batch(gateway: Gateway) -> None:
    before, stopped, after = gateway.router.process(
        [
            g.uplink(g.phone(g.FRIENDS_NUMBER), "1"),
            g.consent(False),
            g.uplink(g.phone(g.FRIENDS_NUMBER), "2"),
        ]
    )
    assert isinstance(before, list)
    assert stopped == []
    assert isinstance(after, Rejected)
