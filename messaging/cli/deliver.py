"""The commands `messages send|deliver`, and the retry of dead letters: all need the networks that are switched on."""

import sys
from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_text
from messaging.cli.store import open_settings_store
from messaging.gateway import read_gateway
from messaging.store.console.kept import KeptMessages, SendOnResult
from messaging.store.console.readable import printable
from messaging.store.console.selection import DeliveryFilter
from messaging.store.console.send import send_message
from messaging.store.queue.operator_actions import RetryResult

MessageId = Annotated[str, typer.Argument(help="The id of a message; its first digits are enough.")]
TO = "A mailbox, a number with + and country, a subscriber, or the serial of a device."


def send_text(
    recipient: Annotated[str, typer.Argument(help=TO)],
    text: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
    as_json: Json = False,
) -> None:
    """Send a text as from the operator: with the same checks and limits as every message.

    A device gets it as from the first mailbox of SATBRIDGE_OPERATOR_ADDRESSES, which an answer reaches; without one,
    and by mail, it leaves as from postmaster. A number must be that of a subscriber.
    """
    open_settings_store()
    gateway = read_gateway()
    body = sys.stdin.read() if text == "-" else text
    done = send_message(recipient, body, gateway.settings, gateway.policy)
    if as_json:
        print_json(done)
        return
    print_text(f"message {done.message_id} is accepted:")
    for one in done.deliveries:
        print_text(f"  to {printable(one.recipient)} by {one.via}: {one.state}")
    print_text(f"follow it with: satbridge messages show {done.message_id[:12]}")


def deliver_message(
    message_id: MessageId,
    to: Annotated[str, typer.Option(help=TO)],
    as_json: Json = False,
) -> None:
    """Send an undeliverable message on to a recipient, once: from a device as from its owner, with its position."""
    open_settings_store()
    done = _kept_messages().deliver(message_id, to)
    if as_json:
        print_json(done)
    else:
        _print_result(done)


def retry_dead_letter(message_id: str, as_json: bool) -> None:
    """Send one dead letter where it can be routed now."""
    done = _kept_messages().retry(message_id)
    if as_json:
        print_json(RetryResult(len(done.deliveries), 0 if done.is_new else 1))
    else:
        _print_result(done)


def retry_dead_letters(chosen: DeliveryFilter) -> RetryResult:
    """Send all dead letters that match where they can be routed now."""
    return _kept_messages().retry_all(chosen)


def _kept_messages() -> KeptMessages:
    gateway = read_gateway()
    return KeptMessages(gateway.settings, gateway.policy)


def _print_result(done: SendOnResult) -> None:
    id = done.message_id[:12]
    if not done.deliveries:
        print_text(f"message {id} is still undeliverable: {printable(done.reason)}")
    else:
        print_text(
            f"message {id} is sent on:"
            if done.is_new
            else f"message {id} was sent on before, and is not sent twice:"
        )
        for one in done.deliveries:
            print_text(f"  to {printable(one.recipient)} by {one.via}: {one.state}")
        print_text(f"follow it with: satbridge messages show {id}")
