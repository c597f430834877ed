"""Mail for postmaster, abuse and MAILER-DAEMON goes to the operators, or is kept for them; never in a loop."""

from dataclasses import replace

import pytest

from messaging.errors import Busy
from messaging.model.message import Address, Bounce, Delivery, Message, Network, RecipientCheck
from messaging.store.accept.operator_mail import NOT_FORWARDED
from messaging.store.accept.router import Router
from messaging.store.console import directory
from messaging.store.models import Message as Row
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

OPERATORS = "watch@example.net, +15550009999, boop@example.org"
NAMES = ["postmaster", "abuse", "mailer-daemon", "Postmaster+x"]


@pytest.fixture
def watched(gateway: Gateway) -> Gateway:
    return with_operators(gateway, OPERATORS)


def with_operators(
    gateway: Gateway, operators: str, hourly: int = 60, vias: dict[Network, str] | None = None
) -> Gateway:
    settings = gateway.settings.model_copy(
        update={"operator_addresses": operators, "max_hourly_per_pair": hourly}
    )
    router = Router(settings, VIAS if vias is None else vias, now=gateway.clock)
    return replace(gateway, settings=settings, router=router)


def mail(name: str = "postmaster", number: int = 1, sender: str = "ann@friends.example") -> Message:
    made = g.mail(text="your server is broken")
    return replace(
        made,
        id=f"{number:032x}",
        sender=Address(Network.EMAIL, sender),
        recipient=Address(Network.EMAIL, f"{name}@example.org"),
    )


def take(gateway: Gateway, message: Message) -> list[Delivery]:
    [result] = gateway.router.process([message])
    assert isinstance(result, list), result
    return result


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_report", [False, True])
@pytest.mark.parametrize("operators", [OPERATORS, ""])
def test_the_mailboxes_exist(gateway: Gateway, name: str, is_report: bool, operators: str) -> None:
    check = RecipientCheck(
        recipient=Address(Network.EMAIL, f"{name}@example.org"), is_report=is_report
    )
    assert with_operators(gateway, operators).router.process([check]) == [[]]


@pytest.mark.parametrize("name", NAMES)
def test_their_mail_goes_to_the_operators_mailboxes_elsewhere(watched: Gateway, name: str) -> None:
    [delivery] = take(watched, mail(name))
    message = delivery.message
    assert message.recipient.value == "watch@example.net"
    assert message.sender.value == f"{name}@example.org"
    assert message.text.startswith(f"Mail for {name}@example.org from ann@friends.example:\n\n")
    assert message.text.endswith("your server is broken")
    assert not Row.objects.get().wants_notice
    assert take(watched, mail(name)) == []


@pytest.mark.parametrize("operators", ["", "+15550009999", "boop@example.org"])
def test_without_an_operator_by_mail_it_is_kept(gateway: Gateway, operators: str) -> None:
    assert take(with_operators(gateway, operators), mail()) == []
    row = Row.objects.get()
    assert row.reason == NOT_FORWARDED
    assert b"your server is broken" in bytes(row.raw or b"")


def test_without_a_relay_it_is_kept(gateway: Gateway) -> None:
    assert take(with_operators(gateway, OPERATORS, vias={}), mail()) == []
    assert Row.objects.get().reason == NOT_FORWARDED


def test_an_operators_own_mail_is_kept_and_does_not_come_back(watched: Gateway) -> None:
    assert take(watched, mail(sender="Watch@example.net")) == []
    assert Row.objects.get().reason == NOT_FORWARDED


def test_a_subscriber_of_that_name_keeps_the_mailbox(watched: Gateway) -> None:
    directory.add_subscriber("abuse")
    directory.add_device("2002", owner="abuse", network="hive", networks=["hive"])
    [delivery] = take(watched, mail("abuse"))
    assert delivery.message.recipient == Address(Network.SATELLITE, "2002")


@pytest.mark.parametrize("operators", [OPERATORS, ""])
def test_all_authors_together_have_one_hourly_limit(gateway: Gateway, operators: str) -> None:
    limited = with_operators(gateway, operators, hourly=3)
    mails = [mail(number=n, sender=f"a{n}@friends.example") for n in range(1, 6)]
    results = limited.router.process(mails)
    assert [isinstance(one, Busy) for one in results] == [False] * 3 + [True] * 2
    assert isinstance(limited.router.process([mails[4]])[0], Busy)
    assert take(limited, g.mail()) != []


def test_a_report_about_no_delivery_of_ours_is_kept(watched: Gateway) -> None:
    report = Bounce(
        id="b" * 32,
        sender=Address(Network.EMAIL, ""),
        recipient=Address(Network.EMAIL, "postmaster@example.org"),
        delivery_id=12345,
        message_id="a" * 32,
        is_final=True,
        reason="no such mailbox",
        via="smtp",
        raw=b"raw",
    )
    assert watched.router.process([report]) == [[]]
    assert "does not know" in Row.objects.get().reason
