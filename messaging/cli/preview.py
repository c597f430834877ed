"""The command `preview`: the packets that a device would get for a mail."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_text
from messaging.cli.store import open_settings_store
from messaging.errors import ConfigurationError
from messaging.gateway import read_gateway
from messaging.mail.classify import ReceivedMail, classify
from messaging.mail.parse.mail import read_mail
from messaging.mail.parse.words import words_of_mail
from messaging.model.message import Address, Message, Network
from messaging.satellite.account import SatelliteAccount
from messaging.store.accept.device_text import localise_invitation, name_senders
from messaging.store.accept.routing import PlannedDelivery, Policy, Route, RoutedMessage
from messaging.store.console.directory import find_device
from messaging.store.console.readable import printable
from messaging.store.models import Device
from messaging.words.spans import SpanKind

app = typer.Typer()

_ID = "0" * 32
NO_MESSAGE = "this mail reaches no device: it is an automatic answer or a report"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPart:
    """One packet: its size, and the text that the device shows."""

    bytes: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The packets of a mail, the number of folded characters by kind, and the omitted parts."""

    sender: str
    parts: tuple[PreviewPart, ...]
    folded: dict[str, int]
    left_out: tuple[str, ...]


@app.command("preview")
def print_preview(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="A mail as it came; - for standard input.")
    ],
    device: Annotated[str, typer.Option(help="The serial of a device.")],
    network: Annotated[str | None, typer.Option(help="Its account, if several have it.")] = None,
    as_json: Json = False,
) -> None:
    """Print what a device would show of a mail: the packets with their sizes, and the number of folded characters.

    Sends and stores nothing.
    """
    settings = open_settings_store(only_reads=True)
    gateway = read_gateway()
    row = find_device(device, network)
    account = gateway.satellites.get(row.network)
    if account is None:
        raise ConfigurationError(f"the account {row.network} of this device has no settings")
    preview = preview_mail(file.read(), row, account, gateway.policy, settings.satellite_max_parts)
    if as_json:
        print_json(preview)
        return
    print_text(f"from {preview.sender}")
    for number, part in enumerate(preview.parts, 1):
        print_text("")
        print_text(f"packet {number} of {len(preview.parts)}, {part.bytes} bytes:")
        print_text(printable(part.text))
    print_text("")
    folded = ", ".join(f"{count} of {kind}" for kind, count in preview.folded.items())
    print_text(f"folded characters: {folded or 'none'}")
    print_text(f"left out: {', '.join(preview.left_out) or 'nothing'}")


def preview_mail(
    data: bytes, device: Device, account: SatelliteAccount, policy: Policy, max_parts: int
) -> Preview:
    """Return the packets as the sender of the account would make them. Raises Rejected, ConfigurationError."""
    parsed = read_mail(data)
    recipient = f"{device.owner.name}@{policy.mail_domain}"
    received = ReceivedMail(parsed.author or "unknown", (recipient,), len(data), data, "")
    messages = classify(received, parsed, [_ID], policy.mail_domain)
    message = messages[0] if messages else None
    if not isinstance(message, Message):
        raise ConfigurationError(NO_MESSAGE)
    planned = PlannedDelivery(
        device.network,
        message.sender,
        Address(Network.SATELLITE, device.serial),
        device.id,
        device.codec,
        locale=device.locale,
    )
    routed = RoutedMessage(message, Route(device.owner_id, (planned,)))
    [named] = name_senders([localise_invitation(routed)], policy)
    leaving = replace(
        named.message,
        sender_name=named.route.deliveries[0].sender_name,
        display_name=named.route.deliveries[0].display_name,
    )
    packets = account.write_packets(leaving, device.codec, max_parts, device.alphabet)
    folded: Counter[str] = Counter()
    for span in words_of_mail(data).split.spans:
        if span.kind is not SpanKind.OWN:
            folded[span.kind.value] += span.end - span.start
    return Preview(
        sender=message.sender.value,
        parts=tuple(
            PreviewPart(bytes=len(one), text=account.display(one, device.codec)) for one in packets
        ),
        folded=dict(folded),
        left_out=parsed.left_out,
    )
