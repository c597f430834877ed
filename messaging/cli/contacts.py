"""The commands about whom a user's devices can name: `users contacts`."""

from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_rows, say
from messaging.cli.store import cli_store

contacts = typer.Typer(
    help="Whom a user's devices can name, and who is told of an emergency.", no_args_is_help=True
)

Owner = Annotated[str, typer.Argument(help="The user whose contact it is.")]
Name = Annotated[str, typer.Argument(help="What is typed behind @ on the device.")]
ADDRESS = "A mailbox, or a number such as +15551230000."
EMERGENCY = "Whether they are told of every emergency."


@contacts.command("add")
def add(
    owner: Owner,
    name: Name,
    address: Annotated[str, typer.Argument(help=ADDRESS)],
    emergency: Annotated[bool, typer.Option("--emergency", help=EMERGENCY)] = False,
    as_json: Json = False,
) -> None:
    """Add a contact."""
    cli_store()
    from messaging.store.console.contacts import add_contact

    row = add_contact(owner, name, address, is_emergency=emergency)
    print_json(row) if as_json else say(f"{row.owner} can now write to @{row.name}, {row.address}")


@contacts.command("list")
def list_all(
    owner: Annotated[str | None, typer.Argument(help="Of this user only.")] = None,
    as_json: Json = False,
) -> None:
    """List the contacts."""
    cli_store()
    from messaging.store.console.contacts import list_contacts

    rows = list_contacts(owner)
    if as_json:
        print_json(rows)
    else:
        columns = ("user", "contact", "address", "emergency")
        cells = ((r.owner, r.name, r.address, r.is_emergency) for r in rows)
        print_rows("", columns, cells)


@contacts.command("change")
def change(
    owner: Owner,
    name: Name,
    address: Annotated[str | None, typer.Option(help=ADDRESS)] = None,
    emergency: Annotated[
        bool | None, typer.Option("--emergency/--no-emergency", help=EMERGENCY)
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a contact."""
    cli_store()
    from messaging.store.console.contacts import change_contact

    row = change_contact(owner, name, address=address, is_emergency=emergency)
    print_json(row) if as_json else say(f"changed @{row.name} of {row.owner}")


@contacts.command("remove")
def remove(owner: Owner, name: Name, as_json: Json = False) -> None:
    """Remove a contact."""
    cli_store()
    from messaging.store.console.contacts import remove_contact

    row = remove_contact(owner, name)
    print_json(row) if as_json else say(f"removed @{row.name} of {row.owner}")
