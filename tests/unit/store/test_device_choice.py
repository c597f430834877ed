"""Of several devices of a subscriber a message goes to one: named, primary, or heard last."""

import pytest

from messaging.errors import Unavailable
from messaging.model.message import Address, DeviceReport, Message, Network, message_id
from messaging.store.console import directory
from messaging.store.models import Device
from tests.support.store import records as g
from tests.support.store.device_texts import typed
from tests.support.store.records import Gateway


@pytest.fixture
def two(gateway: Gateway) -> Gateway:
    """A gateway whose subscriber boop has two devices more beside 1001."""
    add("1002", nickname="Spare Boat")
    add("1003", nickname="tracker")
    return gateway


def add(serial: str, nickname: str) -> None:
    directory.add_device(serial, owner="boop", network="hive", networks=["hive"], nickname=nickname)


def receivers(gateway: Gateway, message: Message) -> list[str]:
    return [one.message.recipient.value for one in gateway.accept(message)]


def hear(gateway: Gateway, serial: str, key: str) -> None:
    gateway.accept(g.uplink(g.email("mum@example.com"), key, serial=serial))
    gateway.clock.turn(120)


def test_without_a_word_of_any_device_the_first_one_gets_it(two: Gateway) -> None:
    assert receivers(two, g.mail()) == ["1001"]


def test_the_device_that_was_heard_last_gets_it(two: Gateway) -> None:
    hear(two, "1002", "a")
    assert receivers(two, g.mail("one")) == ["1002"]
    hear(two, "1003", "b")
    assert receivers(two, g.mail("two")) == ["1003"]
    assert receivers(two, g.sms("three")) == ["1003"]


def test_a_position_counts_as_a_word(two: Gateway) -> None:
    sender = Address(Network.SATELLITE, "1002")
    two.accept(DeviceReport(id=message_id("r"), sender=sender, via="hive", battery_percent=50))
    assert receivers(two, g.mail()) == ["1002"]


def test_the_primary_device_comes_first(two: Gateway) -> None:
    hear(two, "1002", "a")
    directory.change_device("1003", is_primary=True)
    assert receivers(two, g.mail("one")) == ["1003"]
    directory.change_device("1001", is_primary=True)
    assert list(Device.objects.filter(is_primary=True).values_list("serial", flat=True)) == ["1001"]
    assert receivers(two, g.mail("two")) == ["1001"]
    directory.change_device("1001", is_active=False)
    assert receivers(two, g.mail("three")) == ["1002"]


@pytest.mark.parametrize(
    ("mailbox", "serial"),
    [
        ("boop+spare-boat", "1002"),
        ("Boop+Spare-Boat", "1002"),
        ("boop+tracker", "1003"),
        ("boop+1003", "1003"),
        ("boop+newsletter", "1001"),
        ("boop+", "1001"),
    ],
)
def test_a_sub_address_names_a_device(two: Gateway, mailbox: str, serial: str) -> None:
    assert receivers(two, g.mail(to=f"{mailbox}@example.org")) == [serial]


def test_a_named_device_that_is_switched_off_leaves_the_message_to_the_others(two: Gateway) -> None:
    directory.change_device("1003", is_active=False)
    assert receivers(two, g.mail(to="boop+tracker@example.org")) == ["1001"]


def test_a_setting_delivers_to_all_as_before(two: Gateway) -> None:
    again = two.to_all_devices()
    assert sorted(receivers(again, g.mail())) == ["1001", "1002", "1003"]
    assert receivers(again, g.mail("two", to="boop+tracker@example.org")) == ["1003"]


def test_the_time_is_noted_at_most_once_a_minute(two: Gateway) -> None:
    two.accept(g.uplink(g.email("mum@example.com"), "a", serial="1002"))
    first = Device.objects.get(serial="1002").heard_at
    assert first == two.clock()
    two.clock.turn(30)
    two.accept(g.uplink(g.email("mum@example.com"), "b", serial="1002"))
    assert Device.objects.get(serial="1002").heard_at == first
    two.clock.turn(60)
    two.accept(g.uplink(g.email("mum@example.com"), "c", serial="1002"))
    assert Device.objects.get(serial="1002").heard_at == two.clock()


def test_the_list_of_devices_has_both(two: Gateway) -> None:
    hear(two, "1003", "a")
    directory.change_device("1002", is_primary=True)
    rows = {row.serial: row for row in directory.list_devices("boop")}
    assert [rows[one].is_primary for one in ("1001", "1002", "1003")] == [False, True, False]
    assert rows["1001"].heard_at is None
    assert rows["1003"].heard_at is not None


def test_the_alphabet_of_the_device_goes_with_every_attempt(gateway: Gateway) -> None:
    directory.change_device("1001", alphabet="ascii", codec="text")
    first = gateway.take_one(g.mail())
    assert first.alphabet == "ascii"
    gateway.settle(first, Unavailable("busy"))
    directory.change_device("1001", alphabet="exact")
    gateway.clock.turn(3600)
    [second] = gateway.owed()
    assert (second.alphabet, second.codec) == ("exact", "text")
    gateway.settle(second)
    gateway.accept(typed("no recipient", "hint"))
    gateway.clock.turn(3600)
    assert [one.alphabet for one in gateway.owed()] == ["exact"]
