"""Subscribers and devices are entered, listed and changed, and what cannot be is said in one sentence."""

from collections.abc import Callable

import pytest

from messaging.config.settings import Settings
from messaging.store.console import directory as d
from messaging.store.console.directory import DeviceRow, SubscriberRow
from messaging.store.console.save import InvalidInput


def test_a_subscriber_is_added_listed_and_changed(settings: Settings) -> None:
    assert d.add_subscriber(" Boop ", "+1 555 000 1111") == SubscriberRow(
        "boop", "+15550001111", True, 0
    )
    d.add_subscriber("ann")
    d.add_subscriber("bob")
    assert [row.name for row in d.list_subscribers()] == ["ann", "bob", "boop"]
    assert d.change_subscriber("BOOP", is_active=False).is_active is False
    assert d.change_subscriber("boop", number="").number is None
    assert d.change_subscriber("ann", number="+15550001111").number == "+15550001111"


def test_a_device_is_added_listed_and_changed(settings: Settings) -> None:
    d.add_subscriber("boop")
    d.add_subscriber("ann")
    row = d.add_device(" 1001 ", owner="Boop", network="hive", networks=["hive"], nickname="boat")
    assert row == DeviceRow("hive", "1001", "boat", "boop", True)
    assert d.list_subscribers()[1] == SubscriberRow("boop", None, True, 1)
    d.change_device("1001", owner="ann", nickname="tent", is_active=False)
    assert d.list_devices() == [DeviceRow("hive", "1001", "tent", "ann", False)]
    assert d.list_devices("boop") == []
    d.change_device("1001", codec="text", adds_position=False)
    d.change_device("1001", nickname="")
    expected = DeviceRow("hive", "1001", "", "ann", False, codec="text", adds_position=False)
    assert d.list_devices() == [expected]
    assert d.change_device("1001", codec="").codec == ""
    assert d.change_device("1001", alphabet="ascii").alphabet == "ascii"
    assert d.list_devices()[0].alphabet == "ascii"
    assert d.change_device("1001", alphabet="").alphabet == ""


def test_a_time_zone_and_a_language_are_entered_and_changed(settings: Settings) -> None:
    row = d.add_subscriber("boop", time_zone="europe/berlin", language="DE")
    assert (row.time_zone, row.language) == ("Europe/Berlin", "de")
    row = d.change_subscriber("boop", time_zone="Asia/Tokyo")
    assert (row.time_zone, row.language) == ("Asia/Tokyo", "de")
    assert d.list_subscribers() == [row]
    device = _device()
    assert (device.time_zone, device.language) == (None, None)
    device = d.change_device("1001", time_zone="UTC", language="en")
    assert (device.time_zone, device.language) == ("UTC", "en")
    device = d.change_device("1001", time_zone="", language="")
    assert (device.time_zone, device.language) == (None, None)


def _device(serial: str = "1001", network: str = "hive", owner: str = "boop") -> DeviceRow:
    return d.add_device(serial, owner=owner, network=network, networks=["hive", "rock"])


@pytest.mark.parametrize(
    ("enter", "sentence"),
    [
        (lambda: d.add_subscriber("BOOP"), "name: This name is taken."),
        (lambda: d.add_subscriber("x", "+15550001111"), "number: This number belongs to another"),
        (lambda: d.add_subscriber("a b"), "'a b' cannot be a name"),
        (lambda: d.add_subscriber("ann", "12345"), "'12345' is not a telephone number"),
        (lambda: d.add_subscriber("ann", time_zone="Berlin"), "did you mean Europe/Berlin?"),
        (lambda: d.add_subscriber("ann", language="german"), "is not a language code such as en"),
        (lambda: d.change_device("1000", time_zone="Europ/Rome"), "did you mean Europe/Rome"),
        (lambda: d.change_subscriber("nobody"), "there is no user 'nobody'"),
        (lambda: _device(owner="nobody"), "there is no user 'nobody'"),
        (lambda: _device(network="hvie"), "no satellite network 'hvie'; known: hive, rock"),
        (lambda: _device("1000"), "This serial is registered on this network already."),
        (lambda: _device(""), "serial: This field cannot be blank."),
        (lambda: _device("1" * 65, "rock"), "serial: Ensure this value has at most 64 characters"),
        (lambda: d.change_device("77"), "there is no device '77'"),
        (
            lambda: d.change_device("1000", codec="morse"),
            "codec: 'morse' is not known; it can be protobuf, text",
        ),
        (
            lambda: d.change_device("1000", alphabet="latin"),
            "alphabet: 'latin' is not known; it can be exact, plain, ascii",
        ),
        (lambda: d.change_device("2000"), "several networks have a device '2000'; say which"),
        (lambda: d.list_devices("nobody"), "there is no user 'nobody'"),
    ],
)
def test_what_cannot_be_entered_is_said_in_a_sentence(
    settings: Settings, enter: Callable[[], object], sentence: str
) -> None:
    d.add_subscriber("boop", "+15550001111")
    _device("1000")
    _device("2000", "hive")
    _device("2000", "rock")
    before = d.list_subscribers(), d.list_devices()
    with pytest.raises(InvalidInput) as caught:
        enter()
    assert sentence in str(caught.value)
    assert (d.list_subscribers(), d.list_devices()) == before
