"""Texts that are longer than a device gets at once, sent by an account whose packets are as its sender makes them."""

from dataclasses import replace

from messaging.model.message import (
    Address,
    AuthorLevel,
    Authorship,
    Delivery,
    Message,
    Network,
    Outcome,
    SubmittedPart,
)
from messaging.store.models import Delivery as Row
from tests.support.satellite.hive_server import account_at
from tests.support.store import records as g
from tests.support.store.records import Gateway

MAX_PARTS = 4
ACCOUNT = account_at("http://127.0.0.1:9/hive")
LONG = " ".join(f"word{number}" for number in range(200))


def long_mail(
    key: str = "long", author: str = "friend@example.com", level: str = "likely"
) -> Message:
    return replace(
        g.mail(key, text=LONG),
        sender=Address(Network.EMAIL, author),
        reference=f"<{key}@far.example>",
        authorship=Authorship(AuthorLevel(level)),
    )


def packets_of(delivery: Delivery) -> list[bytes]:
    return ACCOUNT.write_packets(delivery.message, delivery.codec, MAX_PARTS, delivery.alphabet)


def texts_of(delivery: Delivery) -> list[str]:
    """Return what the device displays of the packets of a delivery."""
    return [ACCOUNT.display(one, delivery.codec) for one in packets_of(delivery)]


def send(gateway: Gateway, delivery: Delivery) -> list[str]:
    """Send the packets of a delivery as the sender of the account does; return what the device displays."""
    gateway.begin(delivery)
    packets = packets_of(delivery)
    rest = ACCOUNT.find_rest(
        delivery.message, packets, delivery.codec, MAX_PARTS, delivery.alphabet
    )
    parts = [SubmittedPart(f"{delivery.id}-{number}") for number in range(len(packets))]
    outcome = Outcome.sent(delivery, *parts, parts_sent=len(packets), rest=rest)
    assert gateway.ledger.process([outcome]) == [[]]
    return texts_of(delivery)


def send_first(gateway: Gateway, message: Message) -> list[str]:
    """Accept a message to the device, and send its first parts."""
    [delivery] = gateway.accept(message)
    return send(gateway, delivery)


def rests() -> list[tuple[str, str]]:
    """Return the states of the rests, and why they are held."""
    rows = Row.objects.filter(rest_characters__gt=0).order_by("id")
    return list(rows.values_list("state", "hold"))
