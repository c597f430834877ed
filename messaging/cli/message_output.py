"""How the history of messages looks to people: a table of many, everything about one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from messaging.cli.output import print_rows, say
from messaging.model.receipt import ReceiptState

if TYPE_CHECKING:
    # Its models can be imported only once the store is open.
    from messaging.store.console.messages import DeliveryRow, MessageHistory, MessageRow, PartRow

COLUMNS = ("id", "when (UTC)", "from", "to", "state", "reason")


def print_messages(rows: Sequence[MessageRow]) -> None:
    """Print a line for each message; the state has a ? where the outcome of an attempt is unknown."""
    cells = (
        (
            row.id[:12],
            row.created_at,
            row.sender,
            row.recipient,
            row.state + " ?" * (row.uncertain > 0),
            row.reason,
        )
        for row in rows
    )
    print_rows("", COLUMNS, cells)


def print_story(story: MessageHistory) -> None:
    """Print one message with its text, and all its deliveries."""
    message = story.message
    say(f"{message.id}  {message.created_at:%Y-%m-%d %H:%M:%S} UTC  by {message.via}")
    say(f"from {message.sender} to {message.recipient}: {message.state}")
    if message.reason:
        say(f"because: {message.reason}")
    if message.uncertain:
        say(f"uncertain: of {message.uncertain} attempts nobody knows the end; it may arrive twice")
    if story.notice:
        say(f"its author was told by message {story.notice[:12]}")
    say("")
    say("\n".join(filter(None, (message.subject, story.text))))
    for delivery in story.deliveries:
        _print_delivery(delivery)


def _print_delivery(d: DeliveryRow) -> None:
    say("")
    say(f"delivery {d.id} by {d.via}, from {d.sender} to {d.recipient}: {d.state}")
    say(f"  attempts {d.attempts}, of unknown outcome {d.uncertain}, parts sent {d.parts_sent}")
    for name, value in (
        ("reason", d.reason),
        ("the network's id", d.network_id),
        ("units charged", d.units),
        ("next attempt", "under way" if d.under_way else d.due_at),
        ("expires", _end(d) if d.settled_at is None else None),
        ("settled", d.settled_at),
    ):
        if value:
            say(f"  {name}: {value}")
    for part in d.parts:
        say(f"  handed over as {part.network_id}: {_fate(part)}")


def _fate(part: PartRow) -> str:
    """What the network says of what it was handed; many networks never say more."""
    if part.state == ReceiptState.ON_ITS_WAY:
        return "the network has not said yet whether it arrived"
    return f"{part.state}: {part.reason}" if part.reason else part.state


def _end(delivery: DeliveryRow) -> object:
    return "never, it is about an emergency" if delivery.is_urgent else delivery.expires_at
