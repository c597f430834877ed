"""Output of the history of messages for people: a table of many, everything about one."""

from datetime import datetime

from messaging.cli.output import print_error, print_json, print_table, print_text
from messaging.model.receipt import ReceiptState
from messaging.store.console.messages import DeliveryRow, MessageHistory, MessageList
from messaging.store.console.readable import printable

MAX_RAW_CHARACTERS = 4000
COLUMNS = ("id", "when (UTC)", "from", "to", "state", "reason")


def print_found(found: MessageList, as_json: bool) -> None:
    """Print a line for each message; the state has a ? where the outcome of an attempt is unknown.

    A line on standard error says how far back a search went that did not read all messages.
    """
    if as_json:
        print_json(found.rows)
    else:
        cells = (
            (
                row.id[:12],
                row.created_at,
                row.sender,
                row.recipient,
                row.state + " ?" * (row.uncertain > 0),
                row.reason,
            )
            for row in found.rows
        )
        print_table("", COLUMNS, cells)
    if found.searched_since:
        print_error(
            f"messages were searched back to {found.searched_since:%Y-%m-%d %H:%M} UTC only;"
            " --older-than, --user and --device search others"
        )


def print_history(history: MessageHistory) -> None:
    """Print one message with its text, and all its deliveries."""
    message = history.message
    print_text(f"{message.id}  {message.created_at:%Y-%m-%d %H:%M:%S} UTC  by {message.via}")
    print_text(f"from {message.sender} to {message.recipient or '-'}: {message.state}")
    if history.author_level:
        print_text(f"author: {printable(history.author_reason) or history.author_level}")
    if message.reason:
        print_text(f"reason: {printable(message.reason)}")
    if history.kept_because and history.deliveries:
        print_text(f"sent on by an operator; before, it had no recipient: {history.kept_because}")
    if history.device:
        print_text(f"device: {history.device}")
    if position := history.position:
        moment = f" at {position.at:%Y-%m-%d %H:%M} UTC" if position.at else ""
        print_text(f"position: {position.latitude:.5f}, {position.longitude:.5f}{moment}")
    if message.uncertain:
        have = "attempt has" if message.uncertain == 1 else "attempts have"
        print_text(f"uncertain: {message.uncertain} {have} an unknown outcome; it may arrive twice")
    if history.notice:
        print_text(f"failure notice to its author: message {history.notice[:12]}")
    print_text("")
    print_text(printable("\n".join(filter(None, (message.subject, history.text)))))
    _print_originals(history)
    for delivery in history.deliveries:
        _print_delivery(delivery)


def _print_originals(history: MessageHistory) -> None:
    """Print all that was written where a device is shown less of it, and the bytes of a dead letter."""
    if whole := history.whole_text:
        print_text("")
        print_text(f"as it was written ({len(whole)} characters):")
        print_text(printable(whole))
    if (raw := history.raw_text) and raw != history.text:
        if len(raw) > MAX_RAW_CHARACTERS:
            end = f"… ({len(raw)} characters in all; --json has them)"
            raw = raw[:MAX_RAW_CHARACTERS] + end
        print_text("")
        print_text(f"as it came ({history.raw_bytes} bytes): {raw}")


def _print_steps(delivery: DeliveryRow) -> None:
    """Print the attempts that have ended and the actions of operators, in the order of time."""
    lines = []
    for one in delivery.history:
        began = f"began {_moment(one.began_at)}" if one.began_at else "did not begin"
        text = f"{began}, ended {_moment(one.ended_at)}: {one.outcome}"
        text += f", {printable(one.reason)}" if one.reason else ""
        text += f", {one.units} units" if one.units is not None else ""
        lines.append((one.began_at or one.ended_at, f"attempt {one.number} {text}"))
    for action in delivery.actions:
        text = f"{_moment(action.at)}: {action.action} by {action.channel}:{action.actor}"
        lines.append((action.at, text))
    if delivery.under_way:
        text = f"attempt {delivery.attempts} began {_moment(delivery.updated_at)}, is under way"
        lines.append((delivery.updated_at, text))
    missing = delivery.attempts - delivery.under_way - len(delivery.history)
    if missing > 0:
        print_text(f"  of {missing} attempts only the number is known")
    for _, line in sorted(lines):
        print_text(f"  {line}")


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _print_delivery(delivery: DeliveryRow) -> None:
    d = delivery
    print_text("")
    print_text(f"delivery {d.id} by {d.via}, from {d.sender} to {d.recipient}: {d.state}")
    print_text(
        f"  attempts {d.attempts}, of unknown outcome {d.uncertain}, parts sent {d.parts_sent}"
    )
    _print_steps(d)
    expires = "never, it is about an emergency" if d.is_urgent else d.expires_at
    for name, value in (
        ("reason", printable(d.reason)),
        ("the network's id", d.network_id),
        ("units charged", d.units),
        ("lost, perhaps charged", f"{d.losses} times" if d.losses else ""),
        ("the other recipients were told", d.unreached_notice),
        ("next attempt", "under way" if d.under_way else d.due_at),
        ("expires", expires if d.settled_at is None else None),
        ("settled", d.settled_at),
    ):
        if value:
            print_text(f"  {name}: {value}")
    for part in d.parts:
        state = f"{part.state}: {part.reason}" if part.reason else part.state
        if part.state == ReceiptState.ON_ITS_WAY:
            state = "the network has not reported yet whether it arrived"
        print_text(f"  submitted as {part.network_id}: {state}")
