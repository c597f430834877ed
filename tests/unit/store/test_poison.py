"""A delivery that a bug cannot work on holds up no other, stays visible, and ends like any other."""

from base64 import b64encode
from dataclasses import replace

import pytest
from django.db import connection

from messaging.errors import INTERNAL_ERROR, Rejected
from messaging.model.message import Message as Incoming
from messaging.model.message import message_id
from messaging.store.db.encryption import MARK, use_keys
from messaging.store.models import Delivery, Message
from messaging.store.notices.notices import VIA
from messaging.store.queue.next_state import NO_BUDGET
from messaging.store.queue.poison import NOT_IN_TIME
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, check_sums, figures
from tests.support.store.records import Gateway

NO = Rejected("no such device")
LIFE_SECONDS = 73 * 3600


def letter(key: str) -> Incoming:
    return replace(g.mail(key), wants_notice=True)


def run(sql: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [message_id(key)])


def row(key: str) -> Delivery:
    return Delivery.objects.get(message_id=message_id(key))


def test_what_cannot_be_read_is_put_aside_and_the_others_go_on(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.take(letter("broken"))
    gateway.take(letter("sound"))
    Message.objects.filter(id=message_id("broken")).update(failure={"of": "tomorrow"})
    gateway.clock.turn(121)
    assert [one.message.id for one in gateway.owed()] == [message_id("sound")]
    assert (row("broken").state, row("broken").reason) == (State.WAITING, INTERNAL_ERROR)
    assert row("broken").uncertain == 1, "its first attempt was lost"
    assert [r.message_id for r in caplog.records if "postponed" in r.message] == [  # type: ignore[attr-defined]
        message_id("broken")
    ]
    gateway.clock.turn(3601)
    Message.objects.update(failure=None)
    assert message_id("broken") in [one.message.id for one in gateway.owed()]


def test_what_can_never_be_read_expires_all_the_same(gateway: Gateway) -> None:
    gateway.take(letter("broken"))
    Message.objects.update(failure={"of": "tomorrow"})
    gateway.clock.turn(121)
    assert gateway.owed() == []
    gateway.clock.turn(LIFE_SECONDS)
    gateway.owed()
    assert row("broken").state == State.EXPIRED


def test_where_even_the_end_cannot_be_worked_out_there_is_one(sqlite_gateway: Gateway) -> None:
    gateway = sqlite_gateway
    gateway.take(letter("broken"))
    gateway.take(letter("sound"))
    run("UPDATE users_delivery SET created_at = '2026-13-45' WHERE message_id = %s", "broken")
    gateway.clock.turn(LIFE_SECONDS)
    assert gateway.owed()  # the notice about the other one
    states = dict(Delivery.objects.values_list("message_id", "state"))
    assert row("broken").reason == NOT_IN_TIME
    assert states[message_id("broken")] == states[message_id("sound")] == State.EXPIRED


def test_a_notice_that_cannot_be_written_keeps_no_message_from_its_end(
    sqlite_gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = sqlite_gateway
    gateway.take(letter("broken"))
    gateway.take(letter("sound"))
    refused = gateway.take_one(letter("refused"))
    run("UPDATE users_message SET sender = x'ff' WHERE id != %s", "sound")  # bytes are no address
    gateway.settle(refused, NO)
    gateway.clock.turn(LIFE_SECONDS)
    gateway.owed()
    ends = {key: row(key).state for key in ("broken", "sound", "refused")}
    assert ends == {"broken": State.EXPIRED, "sound": State.EXPIRED, "refused": State.FAILED}
    assert Message.objects.filter(via=VIA).count() == 1
    assert caplog.text.count("no notice to the author") == 2


def test_what_cannot_be_read_keeps_no_other_from_its_end_while_it_is_held(gateway: Gateway) -> None:
    add_budget(0)
    for key in ("broken", "sound"):
        assert gateway.accept(letter(key)) == []
    use_keys(b64encode(bytes(32)).decode())  # the fixture takes it away
    # Encrypted with a key that is not here: no notice can be composed.
    run(f"UPDATE users_message SET subject = '{MARK}00000000:AAAA' WHERE id = %s", "broken")
    gateway.clock.turn(15 * 24 * 3600)
    gateway.owed()
    assert {row(key).state for key in ("broken", "sound")} == {State.EXPIRED}
    assert row("broken").reason == NOT_IN_TIME
    assert row("sound").reason == NO_BUDGET
    gateway.owed()


def test_what_can_never_be_read_gives_its_part_of_a_budget_back(gateway: Gateway) -> None:
    add_budget(1)
    gateway.take(letter("broken"))
    Message.objects.update(failure={"of": "tomorrow"})
    gateway.clock.turn(121)
    assert gateway.owed() == []
    assert figures() == (1, 0)
    gateway.clock.turn(LIFE_SECONDS)
    use_keys(b64encode(bytes(32)).decode())  # the fixture takes it away
    # Neither can its notice be composed.
    run(f"UPDATE users_message SET subject = '{MARK}00000000:AAAA' WHERE id = %s", "broken")
    gateway.owed()
    assert (row("broken").state, row("broken").reason) == (State.EXPIRED, NOT_IN_TIME)
    assert figures() == (0, 0)
    check_sums()
