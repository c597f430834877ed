"""Packets of other customers of a provider, which come with the same proof as ours, never fill what is kept."""

from dataclasses import replace

import pytest

from messaging.config.env import read
from messaging.errors import Rejected
from messaging.model.message import (
    Address,
    DeadLetter,
    DeviceReport,
    DeviceText,
    Inbound,
    Message,
    Network,
    Position,
    Sos,
    message_id,
)
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.store.accept.decide import MAX_DAILY_UNKNOWN, MAX_UNKNOWN_BYTES
from messaging.store.accept.router import Router
from messaging.store.models import Message as Row
from tests.support.store import records as g
from tests.support.store.records import VIAS, Gateway

STRANGER = "300234010000000"


@pytest.fixture
def shared(gateway: Gateway) -> Gateway:
    """A gateway whose account `hive` gets the packets of other customers too."""
    settings = gateway.settings.model_copy(update={"operator_addresses": "watch@example.org"})
    router = Router(settings, VIAS, now=gateway.clock, shared_accounts=["hive"])
    return replace(gateway, settings=settings, router=router)


def packet(number: int, raw: bytes = b"x") -> DeadLetter:
    return replace(g.stranded(f"packet {number}", raw), sender=Address(Network.SATELLITE, STRANGER))


def records_of(number: int) -> list[Inbound]:
    """One record of each kind that a packet of an unknown device can be."""
    key, device = f"record {number}", Address(Network.SATELLITE, STRANGER)
    place = Position(latitude=1, longitude=2)
    return [
        g.uplink(g.email("friend@example.com"), key, STRANGER),
        DeviceText(id=message_id(key, "typed"), sender=device, text="hello", via="hive"),
        DeviceReport(id=message_id(key, "at"), sender=device, via="hive", position=place),
        packet(number),
    ]


def offer(gateway: Gateway, record: Inbound) -> None:
    """Offer a record, and a dead letter in its place when it is refused, as every provider's part does."""
    [result] = gateway.router.process([record])
    if isinstance(result, Rejected) and isinstance(record, Message | DeviceText | DeviceReport):
        dead = DeadLetter(
            id=record.id, sender=record.sender, via="hive", raw=b"x", reason=result.reason
        )
        [result] = gateway.router.process([dead])
    assert result == []


def test_a_few_packets_of_unknown_devices_are_kept_and_the_rest_is_counted(
    shared: Gateway,
) -> None:
    for number in range(50):
        for record in records_of(number):
            offer(shared, record)
    assert Row.objects.count() == MAX_DAILY_UNKNOWN
    counted = shared.router.status()
    assert counted["unknown_device"] == 200 - MAX_DAILY_UNKNOWN
    assert counted["undeliverable"] == MAX_DAILY_UNKNOWN


def test_one_batch_is_bounded_too_and_little_is_kept_of_each(shared: Gateway) -> None:
    results = shared.router.process([packet(number, b"y" * 60_000) for number in range(50)])
    assert results == [[]] * 50
    assert [len(bytes(row.raw or b"")) for row in Row.objects.all()] == [
        MAX_UNKNOWN_BYTES
    ] * MAX_DAILY_UNKNOWN


def test_our_own_devices_lose_nothing_by_it(shared: Gateway) -> None:
    shared.router.process([packet(number) for number in range(50)])
    assert len(shared.accept(g.uplink(g.email("friend@example.com"), "ours"))) == 1
    assert shared.accept(g.stranded("our dead letter")) == []
    assert Row.objects.filter(sender="1001").count() == 2


def test_an_account_of_our_own_keeps_every_packet(gateway: Gateway) -> None:
    gateway.router.process([packet(number) for number in range(50)])
    assert Row.objects.count() == 50


@pytest.mark.parametrize("is_typed", [True, False])
def test_an_emergency_of_an_unknown_device_always_reaches_the_operators(
    shared: Gateway, is_typed: bool
) -> None:
    # The signature proves a real device of the provider. It may be ours and not registered; a false alarm costs a mail.
    shared.router.process([packet(number) for number in range(50)])
    device = Address(Network.SATELLITE, STRANGER)
    record: Inbound
    if is_typed:
        record = DeviceText(id=message_id("sos"), sender=device, text="SOS fire", via="hive")
    else:
        record = DeviceReport(id=message_id("sos"), sender=device, via="hive", sos=Sos.DECLARED)
    [delivery] = shared.accept(record)
    assert delivery.message.recipient.value == "watch@example.org"


@pytest.mark.parametrize("more", [{}, {"webhook_secret": "0123456789abcdef"}])
def test_a_secret_of_our_own_makes_the_account_ours(more: dict[str, str]) -> None:
    account = read(RockblockAccount, username="boss", password="secret", **more)
    assert account.is_shared is not bool(more)
