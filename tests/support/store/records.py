"""What the tests of the users part are given: messages of every kind, a clock that they turn, and a gateway."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from messaging.config.settings import Settings
from messaging.errors import GatewayError
from messaging.model.message import (
    Address,
    DeadLetter,
    Delivery,
    Inbound,
    Message,
    Network,
    OptOutChange,
    Outcome,
    RecipientCheck,
    SubmittedPart,
    message_id,
)
from messaging.store.accept.router import Router
from messaging.store.console import directory
from messaging.store.queue.begin import StoreBegins
from messaging.store.queue.due import Due
from messaging.store.queue.ledger import Ledger

VIAS = {Network.EMAIL: "smtp", Network.SMS: "twilio"}
BOOPS_NUMBER = "+15550001111"
FRIENDS_NUMBER = "+15552223333"


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    now: datetime = field(default_factory=lambda: datetime(2026, 1, 1, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def mail(key: str = "one", to: str = "boop@example.org", text: str = "hello") -> Message:
    return Message(
        id=message_id(key),
        sender=Address(Network.EMAIL, "friend@example.com"),
        recipient=Address(Network.EMAIL, to),
        subject="Hi",
        text=text,
        via="smtp",
    )


def sms(key: str = "sms", to: str = BOOPS_NUMBER) -> Message:
    return Message(
        id=message_id(key),
        sender=Address(Network.SMS, FRIENDS_NUMBER),
        recipient=Address(Network.SMS, to),
        text="hello",
        via="twilio",
    )


def uplink(to: Address, key: str = "up", serial: str = "1001", via: str = "hive") -> Message:
    return Message(
        id=message_id(key),
        sender=Address(Network.SATELLITE, serial),
        recipient=to,
        text="all well",
        via=via,
    )


def email(value: str) -> Address:
    return Address(Network.EMAIL, value)


def phone(value: str) -> Address:
    return Address(Network.SMS, value)


def inquiry(to: str = "boop@example.org") -> RecipientCheck:
    return RecipientCheck(recipient=email(to))


def stranded(key: str = "broken", raw: bytes = b"\x00\xff") -> DeadLetter:
    return DeadLetter(
        id=message_id(key),
        sender=Address(Network.SATELLITE, "1001"),
        via="hive",
        raw=raw,
        reason="not a message of ours",
    )


def consent(allowed: bool, key: str = "stop", peer: str = FRIENDS_NUMBER) -> OptOutChange:
    return OptOutChange(
        id=message_id(key, str(allowed)),
        sender=phone(peer),
        recipient=phone(BOOPS_NUMBER),
        allowed=allowed,
        via="twilio",
    )


@dataclass
class Gateway:
    """The parts that share one store and one clock."""

    settings: Settings
    clock: Clock
    router: Router
    ledger: Ledger
    due: Due

    @classmethod
    def starting(cls, settings: Settings, clock: Clock) -> "Gateway":
        router = Router(settings, VIAS, now=clock)
        directory.add_subscriber("boop", BOOPS_NUMBER)
        directory.add_device("1001", owner="boop", network="hive", networks=["hive"])
        rooms = {"hive": 10, "smtp": 10, "twilio": 10}
        ledger = Ledger(settings, VIAS, now=clock)
        return cls(settings, clock, router, ledger, Due(settings, rooms, VIAS, now=clock))

    def to_all_devices(self) -> "Gateway":
        """Return a gateway on the same store that delivers to all devices of a subscriber."""
        settings = self.settings.model_copy(update={"devices_per_message": "all"})
        return replace(self, settings=settings, router=Router(settings, VIAS, now=self.clock))

    def take(self, message: Message) -> list[Delivery]:
        """Offer one message that must be taken, and let its attempts begin."""
        return self.begin(*self.accept(message))

    def accept(self, message: Inbound) -> list[Delivery]:
        """Offer one message that must be taken; no attempt begins."""
        [result] = self.router.process([message])
        assert isinstance(result, list), result
        return result

    def take_one(self, message: Message | None = None) -> Delivery:
        """Offer one message that must become one delivery."""
        [delivery] = self.take(message or mail())
        return delivery

    def begin(self, *deliveries: Delivery) -> list[Delivery]:
        """Let these attempts begin, as their senders do; return those that may be sent."""
        results = StoreBegins(self.settings, now=self.clock).process(deliveries)
        return [one for result in results if isinstance(result, list) for one in result]

    def settle(self, delivery: Delivery, error: GatewayError | None = None) -> None:
        """Let the attempt begin, unless it has, and report how it ended: sent, or with this error."""
        self.begin(delivery)
        outcome = (
            Outcome.failed(delivery, error)
            if error
            else Outcome.sent(delivery, SubmittedPart("id-1"))
        )
        assert self.ledger.process([outcome]) == [[]]

    def owed(self) -> list[Delivery]:
        """Let `due` look once, and let the attempts that it emits begin; return them."""
        return self.begin(*self.hand_out())

    def hand_out(self) -> list[Delivery]:
        """Let `due` look once; return what it emitted. No attempt begins."""
        from concurrent.futures import Future

        emitted: list[Delivery] = []

        def emit(delivery: Delivery) -> "Future[None]":
            emitted.append(delivery)
            done: Future[None] = Future()
            done.set_result(None)
            return done

        self.due.turn(emit)
        return emitted
