"""Makes deliveries due, and takes what `Due` emits."""

from concurrent.futures import Future

from messaging.model.message import Delivery
from tests.support.store import records as g
from tests.support.store.records import Gateway


class Hand:
    """Takes what is emitted; the test decides when each attempt lands."""

    def __init__(self) -> None:
        self.taken: list[tuple[Delivery, Future[None]]] = []

    def __call__(self, delivery: Delivery) -> "Future[None]":
        future: Future[None] = Future()
        self.taken.append((delivery, future))
        return future

    def default_accounts(self) -> list[str]:
        return [delivery.via for delivery, _ in self.taken]


def owe(gateway: Gateway, number: int, via: str = "hive") -> None:
    """Make this many deliveries due now."""
    wide = gateway.settings.model_copy(update={"max_waiting_per_subscriber": 10_000})
    router = type(gateway.router)(wide, g.VIAS, now=gateway.clock)
    to_mum = g.email("mum@example.com")
    records = [
        g.mail(f"{via}{n}") if via == "hive" else g.uplink(to_mum, f"{via}{n}")
        for n in range(number)
    ]
    for result in router.process(records):
        assert isinstance(result, list)
        router.take_back(result)
