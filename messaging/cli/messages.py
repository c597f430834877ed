"""The commands `messages list|show|retry|cancel|release|refuse`, and where `messages send` and `deliver` are."""

from typing import Annotated

import typer

from messaging.cli.deliver import (
    deliver_message,
    retry_dead_letter,
    retry_dead_letters,
    send_text,
)
from messaging.cli.durations import moment_before, moment_of
from messaging.cli.message_output import print_found, print_history
from messaging.cli.output import Json, print_json, print_text
from messaging.cli.store import open_settings_store
from messaging.gateway import all_account_names
from messaging.store.console import messages as history
from messaging.store.console.selection import (
    DEAD_LETTER,
    DeliveryFilter,
    MessageFilter,
    require_known,
)

messages = typer.Typer(
    help="The history of each message; search, send, retry and cancel; release what is held.",
    no_args_is_help=True,
)
messages.command("send")(send_text)
messages.command("deliver")(deliver_message)

STATES = "held, waiting, sent, delivered, failed, expired, cancelled, refused"
State = Annotated[str | None, typer.Option(help=f"In this state: {STATES}.")]
Via = Annotated[str | None, typer.Option(help="By this provider, such as smtp, hive or twilio.")]
User = Annotated[str | None, typer.Option(help="To or from this subscriber.")]
Author = Annotated[str | None, typer.Option("--from", help="Written by this mailbox or number.")]
OlderThan = Annotated[str | None, typer.Option(help="Accepted longer ago than this: 90m, 12h, 3d.")]
SINCE = "Not older than this (UTC): 2026-11-30, 2026-11-30T14:00, today, yesterday, 12h, 3d."
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
MaybeId = Annotated[str | None, typer.Argument(help="The id of a message, or its first digits.")]
MessageId = Annotated[str, typer.Argument(help="The id of a message; its first digits are enough.")]


@messages.command("list")
def list_messages(
    state: Annotated[str | None, typer.Option(help=f"{STATES} or undeliverable.")] = None,
    via: Via = None,
    user: User = None,
    device: Annotated[str | None, typer.Option(help="To or from this device.")] = None,
    address: Annotated[str | None, typer.Option(help="With this in an address.")] = None,
    text: Annotated[str | None, typer.Option(help="With this in the text or subject.")] = None,
    id: Annotated[str | None, typer.Option(help="With an id that begins so (6 or more).")] = None,
    message_id: Annotated[
        str | None, typer.Option(help="Of a mail that came, or left, with this Message-ID.")
    ] = None,
    since: Annotated[str | None, typer.Option(help=SINCE)] = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option(min=1, help="The largest number of rows.")] = 50,
    as_json: Json = False,
) -> None:
    """List messages, the newest first. A state with a ? means that the outcome of an attempt is unknown."""
    open_settings_store(only_reads=True)
    require_known(all_account_names(), user, via, device)
    found = history.search_messages(
        MessageFilter(
            state=state,
            via=via,
            user=user,
            device=device,
            address=address,
            text=text or None,
            id=id,
            author_id=message_id,
            since=moment_of(since),
            before=moment_before(older_than),
            limit=limit,
        )
    )
    print_found(found, as_json)


@messages.command("show")
def show_message(message_id: MessageId, as_json: Json = False) -> None:
    """Show everything about one message."""
    open_settings_store(only_reads=True)
    message = history.show(message_id)
    if as_json:
        print_json(message)
    else:
        print_history(message)


@messages.command("retry")
def retry_message(
    message_id: MaybeId = None,
    state: Annotated[str | None, typer.Option(help=f"{STATES} or undeliverable.")] = None,
    via: Via = None,
    user: User = None,
    older_than: OlderThan = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Try again now: one message, or everything that matches and has failed, expired, was cancelled or waits.

    Undeliverable messages are sent where they can be routed now, such as an SOS once there is an emergency contact.
    """
    settings = open_settings_store()
    selected = _filter(message_id, state, via, user, older_than)
    if message_id is not None:
        if history.is_dead_letter(message_id):
            return retry_dead_letter(message_id, as_json)
        done = history.retry(message_id, settings)
    elif state == DEAD_LETTER:
        number = history.count_dead_letters(selected)
        _ask(number, "sent on where they can be routed now", yes or as_json, "messages")
        done = retry_dead_letters(selected)
    else:
        _ask(history.count_dead_or_waiting(selected), "tried again now", yes or as_json)
        done = history.retry_all(selected, settings)
    if as_json:
        print_json(done)
    else:
        print_text(f"{done.due_now} deliveries are due now; {done.left_alone} were left alone")


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
    """Cancel what still waits, of one message or of all that match. An attempt under way cannot be recalled."""
    open_settings_store()
    selected = _filter(message_id, state, via, user, older_than)
    if message_id is not None:
        done = history.cancel(message_id)
    else:
        _ask(history.count_waiting(selected), "cancelled", yes or as_json)
        done = history.cancel_all(selected)
    if as_json:
        print_json(done)
    else:
        under_way = (
            f"; {done.under_way} were under way and may still arrive" if done.under_way else ""
        )
        print_text(f"{done.cancelled} deliveries cancelled{under_way}")


@messages.command("release")
def release_message(
    message_id: MaybeId = None,
    author: Author = None,
    user: User = None,
    older_than: OlderThan = None,
    over_budget: Annotated[
        bool, typer.Option("--over-budget", help="Also those whose budget has no room.")
    ] = False,
    unproved: Annotated[
        bool, typer.Option("--unproved", help="With --from: also mail that may be by another.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let held messages go: one, or all that match. One that expired while it was held goes by its id.

    So does the rest of a long text, of which the first parts were sent.
    """
    settings = open_settings_store()
    selected = _read_hold_filter(message_id, author, user, older_than)
    doubtful = 0
    if message_id is not None:
        done = history.release(message_id, settings, over_budget=over_budget)
    else:
        number = history.count_releasable(selected, unproved=unproved)
        _ask(number, "released", yes or as_json)
        doubtful = history.count_releasable(selected, unproved=True) - number
        done = history.release_all(selected, settings, over_budget=over_budget, unproved=unproved)
    if as_json:
        print_json(done)
        return
    waiting = f"; {done.over_budget} wait for their budgets (--over-budget)" * bool(
        done.over_budget
    )
    stay = f"; {done.switched_off} stay held: their device or its owner is switched off or removed"
    stay *= bool(done.switched_off)
    stay += f"; {done.opted_out} stay: the phone said STOP" * bool(done.opted_out)
    stay += f"; {doubtful} stay held: they may be by another author (--unproved)" * bool(doubtful)
    print_text(f"{done.released} deliveries released{waiting}{stay}")


@messages.command("refuse")
def refuse_message(
    message_id: MaybeId = None,
    author: Author = None,
    user: User = None,
    older_than: OlderThan = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Refuse held messages: one, or all that match. Their authors are not told."""
    open_settings_store()
    selected = _read_hold_filter(message_id, author, user, older_than)
    if message_id is not None:
        number = history.refuse(message_id)
    else:
        _ask(history.count_held(selected), "refused", yes or as_json)
        number = history.refuse_all(selected)
    print_json({"refused": number}) if as_json else print_text(f"{number} deliveries refused")


def _read_hold_filter(
    message_id: str | None, author: str | None, user: str | None, age: str | None
) -> DeliveryFilter:
    """Return the filter of the options. Raises typer.BadParameter unless there is either a filter or an id."""
    selected = DeliveryFilter(author=author, user=user, before=moment_before(age))
    if (message_id is None) == (selected == DeliveryFilter()):
        raise typer.BadParameter(
            "give either the id of a message, or a filter: --from, --user, --older-than"
        )
    require_known((), user)
    return selected


def _filter(
    message_id: str | None, state: str | None, via: str | None, user: str | None, age: str | None
) -> DeliveryFilter:
    """Return the filter of the options. Raises typer.BadParameter unless there is either a filter or an id."""
    selected = DeliveryFilter(state=state, via=via, user=user, before=moment_before(age))
    if (message_id is None) == (selected == DeliveryFilter()):
        raise typer.BadParameter(
            "give either the id of a message, or a filter: --state, --via, --user, --older-than"
        )
    require_known(all_account_names(), user, via)
    return selected


def _ask(number: int, what: str, sure: bool, noun: str = "deliveries") -> None:
    """Ask before a change of many deliveries. Without a yes the command ends with code 1."""
    if not sure:
        typer.confirm(f"{number} {noun} will be {what}. Go on?", abort=True)
