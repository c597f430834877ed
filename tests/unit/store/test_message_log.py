"""The gateway's stream of events: every message once, in order, from any position; and the job that counts them."""

from datetime import timedelta

from examples.messages_per_hour import declare
from messaging.config.settings import Settings
from messaging.store.message_log import MessageLog
from messaging.streaming.windows.window_steps import Window
from tests.support.store.records import Gateway, mail, sms
from tests.support.streaming.simulated import Simulation


def test_events_are_read_once_from_any_position(gateway: Gateway) -> None:
    log = MessageLog(gateway.settings, settle_seconds=10, now=gateway.clock)
    for key in ("a", "b", "c"):
        gateway.router.process([mail(key)])
        gateway.clock.turn(5)
    events, position = log.read(None, 10)
    assert [event.subscriber for event in events] == ["boop"]
    assert log.read(position, 10) == ((), position)
    gateway.clock.turn(60)
    rest, position = log.read(position, 1)
    last, _ = log.read(position, 10)
    assert len({event.id for event in (*events, *rest, *last)}) == 3


def test_messages_are_counted_by_subscriber_and_hour(
    gateway: Gateway,
) -> None:
    seen: list[Window] = []
    gateway.clock.now -= timedelta(days=1)
    for key in ("a", "b"):
        gateway.router.process([mail(key)])
    gateway.clock.turn(3600)
    gateway.router.process([sms()])
    simulation = Simulation(declare(gateway.settings, seen.append).graph())
    simulation.read("messages/0")
    while simulation.deliver("messages/0", "per-hour/0"):
        pass
    start = gateway.clock.now.timestamp() - 3600
    assert seen == [Window("boop", start, start + 3600, 2)]
    assert isinstance(gateway.settings, Settings)
