"""The commands about what became of messages: `messages list|show|retry|cancel`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from messaging.cli.durations import moment_before
from messaging.cli.message_output import print_messages, print_story
from messaging.cli.output import Json, print_json, say
from messaging.cli.store import cli_store

if TYPE_CHECKING:
    # Its models can be imported only once the store is open.
    from messaging.store.console.selection import DeliveryFilter

messages = typer.Typer(help="What became of each message.", no_args_is_help=True)

StateName = "waiting, sent, delivered, failed, expired, cancelled"
State = Annotated[str | None, typer.Option(help=f"In this state: {StateName}.")]
Via = Annotated[str | None, typer.Option(help="By this provider, such as smtp, hive or twilio.")]
User = Annotated[str | None, typer.Option(help="To or from this subscriber.")]
OlderThan = Annotated[str | None, typer.Option(help="Taken longer ago than this: 90m, 12h, 3d.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
MaybeId = Annotated[str | None, typer.Argument(help="The id of a message, or its first digits.")]
MessageId = Annotated[str, typer.Argument(help="The id of a message; its first digits are enough.")]


@messages.command("list")
def list_messages(
    state: Annotated[str | None, typer.Option(help=f"{StateName} or undeliverable.")] = None,
    via: Via = None,
    user: User = None,
    device: Annotated[str | None, typer.Option(help="To or from this device.")] = None,
    address: Annotated[str | None, typer.Option(help="With this in an address.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Not older than this (UTC).")] = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List messages, the newest first. A state with a ? means that the outcome of an attempt is unknown."""
    cli_store()
    from messaging.store.console import messages as history
    from messaging.store.console.selection import MessageFilter

    rows = history.list_messages(
        MessageFilter(
            state=state,
            via=via,
            user=user,
            device=device,
            address=address,
            since=since.replace(tzinfo=UTC) if since else None,
            before=moment_before(older_than),
            limit=limit,
        )
    )
    if as_json:
        print_json(rows)
    else:
        print_messages(rows)


@messages.command("show")
def show_message(message_id: MessageId, as_json: Json = False) -> None:
    """Show everything about one message."""
    cli_store()
    from messaging.store.console import messages as history

    story = history.show(message_id)
    if as_json:
        print_json(story)
    else:
        print_story(story)


@messages.command("retry")
def retry_message(
    message_id: MaybeId = None,
    state: State = None,
    via: Via = None,
    user: User = None,
    older_than: OlderThan = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Try again now: one message, or everything that matches and has failed, expired, was cancelled or waits."""
    settings = cli_store()
    from messaging.store.console import messages as history

    chosen = _chosen(message_id, state, via, user, older_than)
    if message_id is not None:
        done = history.retry(message_id, settings)
    else:
        _ask(history.count_dead_or_waiting(chosen), "tried again now", yes or as_json)
        done = history.retry_all(chosen, settings)
    if as_json:
        print_json(done)
    else:
        say(f"{done.due_now} deliveries are due now; {done.left_alone} were left alone")


@messages.command("cancel")
def cancel_message(
    message_id: MaybeId = None,
    state: State = None,
    via: Via = None,
    user: User = None,
    older_than: OlderThan = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Call off what still waits, of one message or of all that match. What is under way cannot be recalled."""
    cli_store()
    from messaging.store.console import messages as history

    chosen = _chosen(message_id, state, via, user, older_than)
    if message_id is not None:
        done = history.cancel(message_id)
    else:
        _ask(history.count_waiting(chosen), "cancelled", yes or as_json)
        done = history.cancel_all(chosen)
    if as_json:
        print_json(done)
    else:
        under_way = (
            f"; {done.under_way} were under way and may still arrive" if done.under_way else ""
        )
        say(f"{done.cancelled} deliveries cancelled{under_way}")


def _chosen(
    message_id: str | None, state: str | None, via: str | None, user: str | None, age: str | None
) -> DeliveryFilter:
    """Return what to choose by. Raises typer.BadParameter unless there is either that, or the id of a message."""
    from messaging.store.console.selection import DeliveryFilter

    chosen = DeliveryFilter(state=state, via=via, user=user, before=moment_before(age))
    if (message_id is None) == (chosen == DeliveryFilter()):
        raise typer.BadParameter(
            "give either the id of a message, or what to choose by: --state, --via, --user, --older-than"
        )
    return chosen


def _ask(number: int, what: str, sure: bool) -> None:
    """Say how many it is about and ask; a no, or nobody to answer, ends the command with code 1."""
    if not sure:
        typer.confirm(f"{number} deliveries will be {what}. Go on?", abort=True)
