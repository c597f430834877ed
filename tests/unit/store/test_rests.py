"""The rest of a text that is longer than a device gets at once: held while its author is asked, and sent once."""

import re
from dataclasses import replace

import pytest

from messaging.model.message import Delivery, MailKind
from messaging.store.accept.router import Router
from messaging.store.admission.rests import RestChoice, decide_rest, find_rest
from messaging.store.console import messages as history
from messaging.store.console.selection import DeliveryFilter
from messaging.store.models import BlockedAuthor, Contact, Device, Subscriber, Tariff
from messaging.store.models import Delivery as Row
from messaging.store.models import Message as Stored
from messaging.store.notices.held_note import MAX_DAILY_NOTES
from messaging.store.queue.ledger import Ledger
from messaging.store.queue.operator_actions import continue_held
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, check_sums, figures, states
from tests.support.store.mailboxes import hold_for_mailbox, send_digests, stranger, with_pages
from tests.support.store.records import Gateway
from tests.support.store.rests import ACCOUNT, LONG, long_mail, rests, send, send_first

ID = long_mail().id
HELD = [("held", "parts")]


@pytest.fixture(autouse=True)
def known(gateway: Gateway) -> None:
    boop = Subscriber.objects.get(name="boop")
    Subscriber.objects.update(senders="known")
    Contact.objects.create(owner=boop, name="friend", address="friend@example.com")


def choose(gateway: Gateway, choice: RestChoice = RestChoice.SEND, id: str = ID) -> int:
    return decide_rest(id, choice, gateway.settings, gateway.clock())


def notes() -> list[Stored]:
    return list(Stored.objects.filter(mail_kind="rest-note").order_by("created_at", "id"))


def due_at_device(gateway: Gateway) -> list[Delivery]:
    return [one for one in gateway.hand_out() if one.via == "hive"]


def words_of(texts: list[str]) -> str:
    """Return the words of parts without their numbers and the mark at the end."""
    plain = [re.sub(r"^(Hi\n)?\d+/\d+ (Hi\n)?", "", one) for one in texts]
    return " ".join(re.sub(r" \[[\d,]+ more kept\]$", "", one) for one in plain)


def test_the_author_chooses_and_the_device_gets_the_other_parts_once(gateway: Gateway) -> None:
    first = send_first(gateway, long_mail())
    assert len(first) == 4
    assert first[-1].endswith(" more kept]")
    assert rests() == HELD
    assert due_at_device(gateway) == []
    assert [choose(gateway), choose(gateway)] == [1, 0]
    [delivery] = due_at_device(gateway)
    more = send(gateway, delivery)
    assert more[0].startswith(f"5/{4 + len(more)} ")
    assert words_of([*first, *more]).split() == LONG.split()
    assert choose(gateway) == 0
    gateway.clock.turn(3600)
    assert due_at_device(gateway) == []
    assert states().count("sent") == 2


def test_the_note_has_the_parts_the_price_and_a_link(gateway: Gateway) -> None:
    Tariff.objects.create(account="hive", price="0.20", currency="EUR")
    paged = with_pages(gateway)
    paged = replace(paged, ledger=Ledger(paged.settings, g.VIAS, now=paged.clock))
    first = send_first(paged, long_mail())
    more = Row.objects.get(rest_characters__gt=0).estimated_units or 0
    [note] = notes()
    assert (note.recipient, note.reference) == ("friend@example.com", "<long@far.example>")
    assert f"the first 4 of {4 + more} parts" in note.text
    assert "\n".join(first) in note.text
    assert f"The other {more} parts are stored" in note.text
    assert f"{more * 2 / 10:g} EUR ({more} units)" in note.text
    assert "https://gw.example.org/rest/" in note.text
    [mail] = [one for one in gateway.hand_out() if one.via == "smtp"]
    assert mail.message.mail_kind is MailKind.REST_NOTE


def test_without_pages_the_note_has_no_link_and_the_operator_sends_the_rest(
    gateway: Gateway,
) -> None:
    send_first(gateway, long_mail())
    assert "http" not in notes()[0].text
    # By a filter only whole messages go.
    chosen = DeliveryFilter(author="friend@example.com")
    assert history.count_releasable(chosen) == 0
    assert history.release_all(chosen, gateway.settings).released == 0
    assert history.release(ID, gateway.settings).released == 1
    assert rests() == [("waiting", "")]


def test_a_text_that_fits_asks_nobody(gateway: Gateway) -> None:
    send_first(gateway, replace(long_mail(), text=LONG[:400]))
    assert (rests(), notes()) == ([], [])


@pytest.mark.parametrize("level", ["unproved", "forged"])
def test_an_author_who_is_not_sure_is_not_asked(gateway: Gateway, level: str) -> None:
    Subscriber.objects.update(senders="open")
    if level == "forged":
        [result] = gateway.router.process([long_mail(level=level)])
        assert isinstance(result, Exception)
    else:
        send_first(gateway, long_mail(level=level))
    assert (rests(), notes()) == ([], [])


def test_lists_and_strangers_that_were_released_once_are_not_asked(gateway: Gateway) -> None:
    send_first(gateway, replace(long_mail(), takes_answers=False))
    unknown = long_mail("two", "x@far.example")
    gateway.accept(unknown)
    history.release(unknown.id, gateway.settings)
    [delivery] = due_at_device(gateway)
    send(gateway, delivery)
    assert (rests(), notes()) == ([], [])


def test_an_author_who_was_blocked_since_spends_nothing(gateway: Gateway) -> None:
    send_first(gateway, long_mail())
    BlockedAuthor.objects.create(
        owner=Subscriber.objects.get(name="boop"), address="friend@example.com"
    )
    assert choose(gateway) == 0
    assert rests() == HELD


def test_a_device_that_is_switched_off_gets_no_rest(gateway: Gateway) -> None:
    send_first(gateway, long_mail())
    Device.objects.update(is_active=False)
    assert choose(gateway) == 0
    assert rests() == HELD


def test_the_rest_waits_for_its_budget(gateway: Gateway) -> None:
    budget = add_budget(100)
    send_first(gateway, long_mail())
    budget.max_amount = int(sum(figures(budget))) + 1
    budget.save()
    assert choose(gateway) == 0
    assert rests() == [("held", "budget")]
    budget.max_amount = 100
    budget.save()
    assert len(continue_held(0, 10, gateway.settings, gateway.clock())) == 1
    assert rests() == [("waiting", "")]
    assert choose(gateway) == 0
    check_sums()


def test_the_rest_is_booked_with_its_units(gateway: Gateway) -> None:
    budget = add_budget(100)
    send_first(gateway, long_mail())
    before = sum(figures(budget))
    units = Row.objects.get(rest_characters__gt=0).estimated_units or 0
    assert choose(gateway) == 1
    assert sum(figures(budget)) == before + units
    check_sums()


def test_an_author_may_leave_it_at_the_first_parts(gateway: Gateway) -> None:
    send_first(gateway, long_mail())
    assert choose(gateway, RestChoice.LEAVE) == 1
    assert choose(gateway) == 0
    assert rests() == [("refused", "parts")]


def test_an_expired_rest_causes_no_notice(gateway: Gateway) -> None:
    send_first(gateway, replace(long_mail(), wants_notice=True))
    gateway.clock.turn(14 * 86_400)
    gateway.hand_out()
    assert rests() == [("expired", "parts")]
    assert not Stored.objects.filter(via="notice").exclude(mail_kind="rest-note").exists()


def test_a_message_is_asked_about_once_and_a_day_has_a_bound(gateway: Gateway) -> None:
    Subscriber.objects.update(senders="open")
    for number in range(MAX_DAILY_NOTES + 2):
        send_first(gateway, long_mail(str(number)))
    assert len(notes()) == len(rests()) == MAX_DAILY_NOTES
    gateway.clock.turn(86_400)
    send_first(gateway, long_mail("later"))
    assert len(notes()) == MAX_DAILY_NOTES + 1


def test_notes_about_held_messages_count_in_the_same_day(gateway: Gateway) -> None:
    for number in range(MAX_DAILY_NOTES):
        gateway.accept(stranger(str(number), f"a{number}@far.example", "likely"))
    send_first(gateway, long_mail())
    assert notes() == []


def test_rests_are_neither_in_the_digest_nor_among_the_held_of_a_subscriber(
    gateway: Gateway,
) -> None:
    hold_for_mailbox(gateway)
    settings = gateway.settings.model_copy(update={"max_held_per_subscriber": 1})
    bounded = replace(gateway, router=Router(settings, g.VIAS, now=gateway.clock))
    send_first(bounded, long_mail())
    gateway.clock.turn(2 * 86_400)
    assert send_digests(gateway) == []
    [result] = bounded.router.process([stranger("x")])
    assert result == []


def test_the_page_shows_the_rest_only(gateway: Gateway) -> None:
    send_first(gateway, long_mail())
    found = find_rest(ID)
    assert found is not None
    assert found.text == LONG[-len(found.text) :]
    assert find_rest(long_mail("other").id) is None


def test_a_text_on_a_plain_text_device_continues_too(gateway: Gateway) -> None:
    Device.objects.update(codec="text", alphabet="plain")
    quoted = replace(long_mail(), text=LONG.replace("word1", "\u201cword1\u2026"))
    first = send_first(gateway, quoted)
    assert choose(gateway) == 1
    [delivery] = due_at_device(gateway)
    more = send(gateway, delivery)
    both = " ".join([*first, *more])
    assert both.count('"word1') == quoted.text.count("\u201cword1")
    assert ACCOUNT.codec_of(delivery.codec) == "text"
