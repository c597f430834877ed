"""The whole text of a mail, its return path and the address for answers, in the store."""

from dataclasses import replace

import pytest

from messaging.errors import Rejected
from messaging.model.message import Message
from messaging.store.accept.router import Router
from messaging.store.console import messages as history
from messaging.store.models import Message as Row
from messaging.store.notices.notices import VIA
from messaging.store.retention.people import erase
from messaging.store.retention.removal import blank_texts
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

WHOLE = "Yes.\n\n> Will you come?"


def answer(**changes: object) -> Message:
    given = {"text": "Yes.", "whole_text": WHOLE, **changes}
    return replace(g.mail("one"), **given)  # type: ignore[arg-type]


def test_a_device_is_shown_the_own_words_and_the_history_keeps_all(gateway: Gateway) -> None:
    delivery = gateway.take_one(answer())
    assert (delivery.message.text, delivery.message.whole_text) == ("Yes.", "")
    shown = history.show(delivery.message.id)
    assert (shown.text, shown.whole_text) == ("Yes.", WHOLE)


def test_a_setting_shows_devices_all_of_the_text(gateway: Gateway) -> None:
    settings = gateway.settings.model_copy(update={"mail_text": "whole"})
    gateway = replace(gateway, router=Router(settings, VIAS, now=gateway.clock))
    delivery = gateway.take_one(answer())
    assert delivery.message.text == WHOLE
    assert history.show(delivery.message.id).whole_text == ""


@pytest.mark.parametrize("how", ["retention", "erase"])
def test_the_whole_text_goes_with_the_text(gateway: Gateway, how: str) -> None:
    message = answer(return_path="bounces@x.example", answer_address="desk@example.com")
    gateway.settle(gateway.take_one(message), Rejected("no such device"))
    if how == "erase":
        erase("boop", gateway.clock.now)
    else:
        assert blank_texts([message.id], gateway.clock.now) == 1
    row = Row.objects.get(id=message.id)
    assert (row.text, row.whole_text, row.return_path, row.answer_address) == ("", "", "", "")


def test_a_notice_goes_to_the_return_path(gateway: Gateway) -> None:
    message = answer(wants_notice=True, return_path="prvs=1=friend@example.com")
    gateway.settle(gateway.take_one(message), Rejected("no such device"))
    notice = Row.objects.get(via=VIA)
    assert notice.recipient == "prvs=1=friend@example.com"
