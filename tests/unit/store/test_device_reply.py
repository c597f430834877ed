"""What was typed and goes nowhere is kept, and its author told, so often and no more."""

from typing import Any

import pytest

from messaging.errors import Rejected, Unavailable
from messaging.model.message import message_id
from messaging.store.accept.router import Router
from messaging.store.models import Delivery as Row
from messaging.store.models import Device, OptOut, Subscriber
from messaging.store.models import Message as Stored
from tests.support.store import records as g
from tests.support.store.device_texts import offer, parties, take, typed
from tests.support.store.records import VIAS, Gateway


def test_what_is_not_understood_is_kept_and_answered_once(typing: Gateway) -> None:
    hint = take(typing, typed("@alise See you"))
    assert parties(hint) == ("", "1001", "Not sent: no contact @alise")
    assert (hint.via, hint.codec) == ("hive", "text")
    kept = Stored.objects.get(id=message_id("typed"))
    assert (kept.reason, bytes(kept.raw or b"")) == ("no contact @alise", b"@alise See you")
    assert kept.device is not None
    assert offer(typing, typed("@alise See you")) == []
    assert Row.objects.count() == 1


def test_the_answer_is_tried_again_like_any_message(typing: Gateway) -> None:
    typing.settle(take(typing, typed("@alise See you")), Unavailable("busy"))
    typing.clock.turn(3600)
    [again] = typing.owed()
    assert (again.message.text, again.codec) == ("Not sent: no contact @alise", "text")


def test_what_goes_nowhere_is_answered_too(typing: Gateway) -> None:
    OptOut.objects.create(peer=g.FRIENDS_NUMBER, number=g.BOOPS_NUMBER, since=typing.clock.now)
    hint = take(typing, typed("@bob See you"))
    assert hint.message.text.startswith("Not sent: the recipient asked not to get messages")


def test_a_device_is_told_so_often_and_no_more(typing: Gateway) -> None:
    settings = typing.settings.model_copy(
        update={"max_hourly_hints_per_device": 2, "max_waiting_per_subscriber": 0}
    )
    router = Router(settings, VIAS, now=typing.clock)
    batch = [typed("@alise hi", f"n{n}") for n in range(3)]
    told = [bool(result) for result in router.process(batch)]
    assert told == [True, True, False]
    assert router.process([typed("@alise hi", "n4")]) == [[]]
    status = router.status()
    assert (status["not_understood"], status["undeliverable"]) == (2, 2)
    assert Stored.objects.exclude(reason="").count() == 4


def test_a_full_queue_gets_no_answers_on_top(typing: Gateway) -> None:
    for number in range(5):
        typing.take(g.mail(str(number)))
    assert offer(typing, typed("@alise hi")) == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"serial": "1003"}])
def test_a_device_that_is_not_served_is_refused_and_not_answered(
    typing: Gateway, change: dict[str, Any]
) -> None:
    Device.objects.update(**change)
    assert isinstance(offer(typing, typed("@alise hi")), Rejected)
    assert Row.objects.count() == 0


def test_a_busy_store_is_no_misunderstanding(typing: Gateway) -> None:
    ann = Subscriber.objects.create(name="ann")
    Device.objects.create(network="hive", serial="1002", owner=ann)
    for number in range(5):
        typing.take(g.mail(str(number), to="ann@example.org"))
    assert isinstance(offer(typing, typed("ann@example.org hi")), Unavailable)
    assert Stored.objects.filter(id=message_id("typed")).count() == 0
