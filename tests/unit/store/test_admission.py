"""Admission in the accept transaction: delivered, held or refused, by mode, contact, level and block."""

from dataclasses import replace
from datetime import timedelta

import pytest

from messaging.errors import AuthorRefused, Busy, Rejected
from messaging.model.message import Address, AuthorLevel, Authorship, Message, Network, Sos
from messaging.store.accept.router import Router
from messaging.store.models import (
    BlockedAuthor,
    Contact,
    ContactAddress,
    Correspondent,
    Delivery,
    Subscriber,
)
from messaging.store.models import Message as Stored
from messaging.store.queue import operator_actions
from messaging.store.states import State
from tests.support.store import records as g
from tests.support.store.records import Gateway

FRIEND = "friend@example.com"


@pytest.fixture
def known(gateway: Gateway) -> Gateway:
    """A gateway whose subscriber takes messages from contacts and correspondents only."""
    Subscriber.objects.update(senders="known")
    return gateway


def likely(key: str = "one", author: str = FRIEND, level: str = "likely") -> Message:
    return replace(
        g.mail(key),
        sender=Address(Network.EMAIL, author),
        authorship=Authorship(AuthorLevel(level)),
    )


def add_contact(address: str = FRIEND, **given: object) -> Contact:
    return Contact.objects.create(
        owner=Subscriber.objects.get(name="boop"), name="friend", address=address, **given
    )


def state_of(gateway: Gateway, message: Message) -> tuple[str, str]:
    """Offer a message, and return the state of its delivery and why it is held."""
    [result] = gateway.router.process([message])
    assert isinstance(result, list), result
    row = Delivery.objects.get(message_id=message.id)
    assert row.state == State.WAITING or result == []
    return row.state, row.hold


@pytest.mark.parametrize(
    ("level", "state"),
    [
        ("proved", ("waiting", "")),
        ("likely", ("waiting", "")),
        ("alias", ("waiting", "")),
        ("unproved", ("held", "unproved")),
    ],
)
def test_a_contact_is_delivered_if_proved_well_enough(
    known: Gateway, level: str, state: tuple[str, str]
) -> None:
    add_contact()
    assert state_of(known, likely(level=level)) == state
    assert Stored.objects.get().author_level == level


@pytest.mark.parametrize(
    ("level", "state"),
    [("proved", ("waiting", "")), ("likely", ("held", "unproved"))],
)
def test_a_contact_may_need_a_proof(known: Gateway, level: str, state: tuple[str, str]) -> None:
    add_contact(must_be_proved=True)
    # An answer of the device does not replace the proof.
    known.router.process([g.uplink(g.email(FRIEND))])
    assert state_of(known, likely(level=level)) == state


def test_a_stranger_is_held_and_nothing_is_sent(known: Gateway) -> None:
    message = replace(likely(level="unproved"), wants_notice=True)
    assert state_of(known, message) == ("held", "stranger")
    known.clock.turn(3600)
    assert known.owed() == []
    assert not Stored.objects.get().wants_notice


@pytest.mark.parametrize("mode", ["known", "open", "closed"])
def test_a_forged_author_is_refused_in_every_mode(gateway: Gateway, mode: str) -> None:
    Subscriber.objects.update(senders=mode)
    add_contact(is_emergency=True)
    [error] = gateway.router.process([likely(level="forged")])
    assert isinstance(error, AuthorRefused)
    assert not Stored.objects.exists()


def test_an_open_subscriber_takes_mail_of_strangers(gateway: Gateway) -> None:
    assert state_of(gateway, g.mail()) == ("waiting", "")


def test_a_closed_subscriber_refuses_recipients(gateway: Gateway) -> None:
    Subscriber.objects.update(senders="closed")
    add_contact()
    for refused in gateway.router.process([g.inquiry(), likely(level="proved"), g.sms()]):
        assert isinstance(refused, Rejected)
        assert not isinstance(refused, AuthorRefused)


@pytest.mark.parametrize("blocked", [FRIEND, "@example.com", "@com"])
@pytest.mark.parametrize("is_for_all", [False, True])
@pytest.mark.parametrize("mode", ["known", "open"])
def test_a_block_refuses_also_a_contact(
    gateway: Gateway, blocked: str, is_for_all: bool, mode: str
) -> None:
    Subscriber.objects.update(senders=mode)
    add_contact()
    owner = None if is_for_all else Subscriber.objects.get()
    BlockedAuthor.objects.create(owner=owner, address=blocked, created_at=gateway.clock.now)
    [error] = gateway.router.process([likely()])
    assert isinstance(error, AuthorRefused)
    assert state_of(gateway, replace(likely(), keeps_refusal=True)) == ("refused", "")
    # A look-alike is another domain.
    assert state_of(gateway, likely("other", "friend@notexample.net"))[0] != "refused"


def test_a_block_of_another_subscriber_changes_nothing(gateway: Gateway) -> None:
    other = Subscriber.objects.create(name="other")
    BlockedAuthor.objects.create(owner=other, address=FRIEND, created_at=gateway.clock.now)
    assert state_of(gateway, likely()) == ("waiting", "")


def test_a_contact_that_may_never_write_is_refused(known: Gateway) -> None:
    add_contact(may_write="never")
    [error] = known.router.process([likely()])
    assert isinstance(error, AuthorRefused)


def test_a_permission_ends_at_its_date(known: Gateway) -> None:
    until = known.clock.now + timedelta(days=1)
    add_contact(may_write="until", write_until=until)
    assert state_of(known, likely()) == ("waiting", "")
    known.clock.turn(86_400)
    assert state_of(known, likely("late")) == ("held", "stranger")


def test_a_contact_has_several_addresses(known: Gateway) -> None:
    contact = add_contact("+15559990000")
    ContactAddress.objects.create(contact=contact, address="Friend@example.com")
    assert state_of(known, likely(author="FRIEND@example.com")) == ("waiting", "")
    assert state_of(known, replace(g.sms(), sender=g.phone("+15559990000"))) == ("waiting", "")
    assert state_of(known, g.sms("stranger")) == ("held", "stranger")


def test_an_address_that_a_device_wrote_to_may_answer_for_90_days(known: Gateway) -> None:
    known.router.process([g.uplink(g.email("Friend@example.com"))])
    assert state_of(known, likely()) == ("waiting", "")
    assert state_of(known, likely("unproved", level="unproved")) == ("held", "unproved")
    known.clock.turn(91 * 86_400)
    assert state_of(known, likely("late")) == ("held", "stranger")
    known.router.process([g.uplink(g.email(FRIEND), "again")])
    assert Correspondent.objects.count() == 1
    assert state_of(known, likely("anew")) == ("waiting", "")


def test_a_list_is_held_unless_it_is_a_contact(known: Gateway) -> None:
    news = replace(likely(), takes_answers=False)
    known.router.process([g.uplink(g.email(FRIEND))])
    assert state_of(known, news) == ("held", "bulk")
    add_contact()
    assert state_of(known, replace(news, id="2" * 32)) == ("waiting", "")


def test_operators_may_write_if_proved(known: Gateway) -> None:
    settings = known.settings.model_copy(update={"operator_addresses": FRIEND})
    gateway = replace(known, router=Router(settings, g.VIAS, now=known.clock))
    assert state_of(gateway, likely()) == ("waiting", "")
    assert state_of(gateway, likely("x", level="unproved")) == ("held", "stranger")


def test_spam_of_an_operator_is_held(known: Gateway) -> None:
    settings = known.settings.model_copy(update={"operator_addresses": FRIEND})
    gateway = replace(known, router=Router(settings, g.VIAS, now=known.clock))
    marked = Authorship(AuthorLevel.PROVED, spam_mark="X-Spam")
    assert state_of(gateway, replace(likely(), authorship=marked)) == ("held", "spam")


def test_a_phone_is_the_same_author_over_whatsapp(known: Gateway) -> None:
    over_whatsapp = Address(Network.SMS, f"whatsapp:{g.FRIENDS_NUMBER}")
    number = add_contact(g.FRIENDS_NUMBER)
    assert state_of(known, replace(g.sms(), sender=over_whatsapp)) == ("waiting", "")
    number.delete()
    BlockedAuthor.objects.create(owner=None, address=g.FRIENDS_NUMBER)
    for sender in (over_whatsapp, Address(Network.SMS, g.FRIENDS_NUMBER)):
        [error] = known.router.process([replace(g.sms("other"), sender=sender)])
        assert isinstance(error, AuthorRefused)


def test_mail_that_pretends_takes_no_room_of_the_author(gateway: Gateway) -> None:
    settings = gateway.settings.model_copy(update={"max_hourly_per_pair": 2})
    router = Router(settings, g.VIAS, now=gateway.clock)
    for mode in ("open", "known"):
        Subscriber.objects.update(senders=mode)
        pretended = [likely(f"{mode} {n}", level="unproved") for n in range(4)]
        results = router.process(pretended)
        assert [isinstance(one, Busy) for one in results] == [False, False, True, True]
    add_contact()
    for n in range(2):
        assert isinstance(router.process([likely(f"own {n}")])[0], list)


def test_refused_mail_is_kept_within_a_limit(gateway: Gateway) -> None:
    """Each has an author of its own choice: the rest stays at the relay, and what was accepted is kept."""
    settings = gateway.settings.model_copy(update={"max_hourly_per_pair": 2})
    router = Router(settings, g.VIAS, now=gateway.clock)
    forged = [likely(str(n), f"s{n}@example.net", level="forged") for n in range(4)]
    results = [router.process([replace(one, keeps_refusal=True)])[0] for one in forged]
    assert [isinstance(one, Busy) for one in results] == [False, False, True, True]
    assert Delivery.objects.filter(state="refused").count() == 2


def test_held_mail_is_bounded_in_every_mode(gateway: Gateway) -> None:
    settings = gateway.settings.model_copy(update={"max_held_per_subscriber": 2})
    router = Router(settings, g.VIAS, now=gateway.clock)
    marked = Authorship(AuthorLevel.PROVED, spam_mark="X-Spam")
    results = [
        router.process([replace(likely(str(n), f"s{n}@example.net"), authorship=marked)])[0]
        for n in range(3)
    ]
    assert [isinstance(one, Busy) for one in results] == [False, False, True]


def test_devices_of_other_subscribers_are_strangers_too(known: Gateway) -> None:
    from messaging.store.console import directory

    directory.add_subscriber("ann")
    directory.add_device("2002", owner="ann", network="hive", networks=["hive"])
    from_ann = g.uplink(g.email("boop@example.org"), serial="2002")
    assert state_of(known, from_ann) == ("held", "stranger")
    known.router.process([g.uplink(g.email("ann@example.org"), "hello")])
    assert state_of(known, replace(from_ann, id="3" * 32)) == ("waiting", "")
    own = g.uplink(g.email("boop@example.org"), "own")
    assert state_of(known, own) == ("waiting", "")


def test_a_call_for_help_passes_every_gate(gateway: Gateway) -> None:
    from messaging.store.console import directory

    directory.add_subscriber("ann")
    directory.add_device("2002", owner="ann", network="hive", networks=["hive"])
    Subscriber.objects.filter(name="boop").update(senders="closed")
    call = replace(g.uplink(g.email("boop@example.org"), serial="2002"), sos=Sos.DECLARED)
    assert state_of(gateway, call) == ("waiting", "")


def test_held_messages_are_bounded_and_repeats_count_once(known: Gateway) -> None:
    settings = known.settings.model_copy(update={"max_held_per_subscriber": 2})
    router = Router(settings, g.VIAS, now=known.clock)
    batch = [likely(key, f"{key}@example.net", "unproved") for key in ("a", "b", "c")]
    add_contact()
    for _ in range(2):
        first, second, third, friend = router.process([*batch, likely("friend")])
        assert (first, second) == ([], [])
        assert isinstance(third, Busy)
        assert isinstance(friend, list)
    assert Delivery.objects.filter(state="held").count() == 2
    assert Delivery.objects.filter(state="waiting").count() == 1


def test_a_friend_passes_a_thousand_held_mails(known: Gateway) -> None:
    mails = [likely(str(n), f"s{n % 200}@example.net") for n in range(1000)]
    add_contact()
    friends = [likely(f"friend {n}") for n in range(5)]
    results = [
        one for part in (mails[:500], friends, mails[500:]) for one in known.router.process(part)
    ]
    assert all(isinstance(one, list) for one in results)
    assert Delivery.objects.filter(state="held").count() == 1000
    order = [attempt.message.id for one in results if isinstance(one, list) for attempt in one]
    assert order == [one.id for one in friends]


def test_a_position_is_kept_from_a_contact_without_the_permission(gateway: Gateway) -> None:
    from messaging.model.message import Position

    add_contact(sees_positions=False)
    at = Position(latitude=1.0, longitude=2.0)
    texts = []
    for to in (FRIEND, "other@example.com"):
        gateway.router.process([replace(g.uplink(g.email(to), to), position=at)])
        texts.append(Stored.objects.get(recipient=to).text)
    assert texts[0] == "all well"
    assert "Position" in texts[1]


def test_a_released_message_goes_and_a_refused_one_never(known: Gateway) -> None:
    first, second = likely("first"), likely("second")
    known.router.process([first, second])
    known.clock.turn(5 * 86_400)
    rows = Delivery.objects
    assert (
        operator_actions.release(
            rows.filter(message=first.id), known.settings, known.clock()
        ).released
        == 1
    )
    assert operator_actions.refuse(rows.filter(message=second.id), known.clock()) == 1
    assert [one.message.id for one in known.owed()] == [first.id]
    assert operator_actions.release(rows.all(), known.settings, known.clock()).released == 0
    assert (
        operator_actions.retry(
            rows.filter(message=second.id), known.settings, known.clock()
        ).due_now
        == 0
    )
    assert rows.get(message=second.id).state == "refused"


def test_a_held_message_expires_without_a_notice_and_is_not_retried(known: Gateway) -> None:
    known.router.process([replace(likely(level="unproved"), wants_notice=True)])
    known.clock.turn(14 * 86_400 - 1)
    assert known.owed() == []
    assert Delivery.objects.get().state == "held"
    known.clock.turn(1)
    assert known.owed() == []
    row = Delivery.objects.get()
    assert (row.state, row.hold, row.held_until) == ("expired", "stranger", None)
    rows = Delivery.objects.all()
    assert operator_actions.retry(rows, known.settings, known.clock()).due_now == 0
    assert operator_actions.release(rows, known.settings, known.clock()).released == 1
    assert len(known.owed()) == 1
