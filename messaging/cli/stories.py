"""The commands about what became of messages: `messages list|show|retry|cancel`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from messaging.cli.console import Json, print_json, print_rows, say
from messaging.cli.opened import opened_store

messages = typer.Typer(help="What became of each message.", no_args_is_help=True)

MessageId = Annotated[str, typer.Argument(help="The id of a message; its first digits are enough.")]


@messages.command("list")
def list_messages(
    state: Annotated[
        str | None,
        typer.Option(help="waiting, sent, delivered, failed, expired, cancelled or undeliverable."),
    ] = None,
    user: Annotated[str | None, typer.Option(help="To or from this subscriber.")] = None,
    device: Annotated[str | None, typer.Option(help="To or from this device.")] = None,
    address: Annotated[str | None, typer.Option(help="With this in an address.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Not older than this (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List messages, the newest first."""
    opened_store()
    from messaging.users import history

    wanted = history.Wanted(
        state=state,
        user=user,
        device=device,
        address=address,
        since=since.replace(tzinfo=UTC) if since else None,
        limit=limit,
    )
    rows = history.list_messages(wanted)
    if as_json:
        print_json(rows)
        return
    columns = ("id", "when (UTC)", "from", "to", "state", "reason")
    cells = ((r.id[:12], r.created_at, r.sender, r.recipient, r.state, r.reason) for r in rows)
    print_rows("", columns, cells)


@messages.command("show")
def show_message(message_id: MessageId, as_json: Json = False) -> None:
    """Show everything about one message."""
    opened_store()
    from messaging.users import history

    story = history.show(message_id)
    if as_json:
        print_json(story)
        return
    message = story.message
    say(f"{message.id}  {message.created_at:%Y-%m-%d %H:%M:%S} UTC  by {message.via}")
    say(f"from {message.sender} to {message.recipient}: {message.state}")
    if message.reason:
        say(f"because: {message.reason}")
    say("")
    say("\n".join(filter(None, (message.subject, story.text))))
    for d in story.deliveries:
        say("")
        say(f"delivery {d.id} by {d.via}, from {d.sender} to {d.recipient}: {d.state}")
        say(f"  attempts {d.attempts}, of unknown outcome {d.uncertain}, parts sent {d.parts_sent}")
        for name, value in (
            ("reason", d.reason),
            ("the network's id", d.network_id),
            ("next attempt", "under way" if d.under_way else d.due_at),
            ("expires", d.expires_at if d.settled_at is None else None),
            ("settled", d.settled_at),
        ):
            if value:
                say(f"  {name}: {value}")


@messages.command("retry")
def retry_message(
    message_id: Annotated[str | None, typer.Argument(help="The id, or its first digits.")] = None,
    state: Annotated[str | None, typer.Option(help="Instead: everything in this state.")] = None,
    via: Annotated[str | None, typer.Option(help="With --state: of this provider only.")] = None,
    as_json: Json = False,
) -> None:
    """Try again now: one message, or everything that failed, expired or waits."""
    settings = opened_store()
    from messaging.users import history

    if (message_id is None) == (state is None):
        raise typer.BadParameter("give either the id of a message or --state")
    if message_id is not None:
        done = history.retry(message_id, settings)
    else:
        done = history.retry_all(str(state), via, settings)
    if as_json:
        print_json(done)
    else:
        say(f"{done.due_now} deliveries are due now; {done.left_alone} were left alone")


@messages.command("cancel")
def cancel_message(message_id: MessageId, as_json: Json = False) -> None:
    """Call off what still waits of a message. An attempt that is under way cannot be recalled."""
    opened_store()
    from messaging.users import history

    done = history.cancel(message_id)
    if as_json:
        print_json(done)
    else:
        under_way = (
            f"; {done.under_way} were under way and may still arrive" if done.under_way else ""
        )
        say(f"{done.cancelled} deliveries cancelled{under_way}")
