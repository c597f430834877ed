"""The bounds of held messages: by budgets, by doubtful authors, by STOP, and by mailboxes that take no digest."""

from dataclasses import replace

import pytest

from messaging.errors import Busy, Rejected
from messaging.model.message import Address, Bounce, Network, message_id
from messaging.store.accept.router import Router
from messaging.store.admission.mailboxes import without_mailbox
from messaging.store.console import messages as history
from messaging.store.console.selection import DeliveryFilter
from messaging.store.models import Contact, Delivery, OwnerMailbox, Subscriber
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, states
from tests.support.store.mailboxes import MAILBOX, hold_for_mailbox, send_digests, stranger
from tests.support.store.records import Gateway

DAY = 86_400
ANN = "ann@far.example"


def test_strangers_hear_452_while_budgets_hold_as_many_as_may_be_held(gateway: Gateway) -> None:
    boop = Subscriber.objects.get(name="boop")
    Contact.objects.create(owner=boop, name="ann", address=ANN)
    settings = gateway.settings.model_copy(update={"max_held_per_subscriber": 2})
    router = Router(settings, g.VIAS, now=gateway.clock)

    def offer(key: str, author: str, level: str = "likely") -> object:
        return router.process([stranger(key, author, level)])[0]

    budget = add_budget(0)
    assert [offer("1", "a@x.example"), offer("2", "b@x.example", "unproved")] == [[], []]
    assert isinstance(offer("3", "c@x.example"), Busy)
    assert isinstance(offer("4", ANN, "unproved"), Busy)
    assert offer("5", ANN) == []
    assert states() == ["held"] * 3
    budget.delete()
    assert len(router.process([stranger("3", "c@x.example", "likely")])[0]) == 1  # type: ignore[arg-type]


def test_a_release_by_author_leaves_out_mail_that_may_be_by_another(gateway: Gateway) -> None:
    Subscriber.objects.update(senders="known")
    gateway.accept(stranger("sure", ANN, "likely"))
    gateway.accept(stranger("doubtful", ANN))
    chosen = DeliveryFilter(author=ANN.upper())
    assert history.count_releasable(chosen) == 1
    assert history.release_all(chosen, gateway.settings).released == 1
    assert states().count("held") == 1
    assert history.release_all(chosen, gateway.settings).released == 0
    assert history.release_all(chosen, gateway.settings, unproved=True).released == 1


def test_a_text_that_expired_in_a_budget_does_not_go_after_a_stop(gateway: Gateway) -> None:
    budget = add_budget(0)
    up = g.uplink(g.phone(g.FRIENDS_NUMBER))
    gateway.accept(up)
    gateway.clock.turn(14 * DAY)
    gateway.hand_out()
    assert states() == ["expired"]
    gateway.accept(g.consent(False))
    budget.delete()
    result = history.release(up.id, gateway.settings)
    assert (result.released, result.opted_out) == (0, 1)
    gateway.accept(g.consent(True))
    assert history.release(up.id, gateway.settings).released == 1


@pytest.mark.parametrize("comes_back_later", [True, False])
def test_a_mailbox_that_takes_no_digest_counts_as_unconfirmed(
    gateway: Gateway, *, comes_back_later: bool
) -> None:
    hold_for_mailbox(gateway)
    gateway.hand_out()
    gateway.accept(stranger("one"))
    gateway.clock.turn(DAY)
    [digest] = send_digests(gateway)
    row = Delivery.objects.get(message_id=digest.id)
    assert without_mailbox() == []
    [attempt] = [one for one in gateway.hand_out() if one.id == row.id]
    gateway.settle(attempt, None if comes_back_later else Rejected("no such mailbox"))
    if comes_back_later:
        gateway.accept(_bounce_of(row))
    assert without_mailbox() == ["boop"]
    mailbox = OwnerMailbox.objects.get()
    assert (mailbox.address, mailbox.confirmed_at) == (MAILBOX, None)
    gateway.accept(stranger("two"))
    gateway.clock.turn(DAY)
    assert send_digests(gateway) == []


def test_a_bounce_of_another_mail_leaves_the_mailbox(gateway: Gateway) -> None:
    hold_for_mailbox(gateway)
    up = replace(g.uplink(g.email(MAILBOX)), id=message_id("hello"))
    [attempt] = gateway.accept(up)
    gateway.settle(attempt)
    gateway.accept(_bounce_of(Delivery.objects.get(message_id=up.id)))
    assert without_mailbox() == []


def _bounce_of(row: Delivery) -> Bounce:
    return Bounce(
        id=message_id("bounce", str(row.id)),
        sender=Address(Network.EMAIL, ""),
        recipient=g.email("boop@example.org"),
        delivery_id=row.id,
        message_id=row.message_id,
        is_final=True,
        reason="no such mailbox",
        via="smtp",
        raw=b"",
    )
