"""The commands `users contacts`: the names that a subscriber's devices can address."""

from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_table, print_text
from messaging.cli.store import open_settings_store
from messaging.store.console.contacts import (
    add_contact,
    change_contact,
    list_contacts,
    remove_contact,
)

contacts = typer.Typer(
    help="The names that a user's devices can address, and the recipients of an emergency.",
    no_args_is_help=True,
)

Owner = Annotated[str, typer.Argument(help="The user whose contact it is.")]
Name = Annotated[str, typer.Argument(help="The name behind @ on the device.")]
ADDRESS = "A mailbox, or a number such as +15551230000."
EMERGENCY = "Whether it is told of every emergency."


@contacts.command("add")
def add(
    owner: Owner,
    name: Name,
    address: Annotated[str, typer.Argument(help=ADDRESS)],
    emergency: Annotated[bool, typer.Option("--emergency", help=EMERGENCY)] = False,
    as_json: Json = False,
) -> None:
    """Add a contact."""
    open_settings_store()
    row = add_contact(owner, name, address, is_emergency=emergency)
    print_json(row) if as_json else print_text(
        f"{row.owner} can now write to @{row.name}, {row.address}"
    )


@contacts.command("list")
def list_all(
    owner: Annotated[str | None, typer.Argument(help="Of this user only.")] = None,
    as_json: Json = False,
) -> None:
    """List the contacts."""
    open_settings_store(only_reads=True)
    rows = list_contacts(owner)
    if as_json:
        print_json(rows)
        return
    cells = ((r.owner, r.name, r.address, r.is_emergency) for r in rows)
    print_table("", ("user", "contact", "address", "emergency"), cells)


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
    open_settings_store()
    row = change_contact(owner, name, address=address, is_emergency=emergency)
    print_json(row) if as_json else print_text(f"changed @{row.name} of {row.owner}")


@contacts.command("remove")
def remove(owner: Owner, name: Name, as_json: Json = False) -> None:
    """Remove a contact."""
    open_settings_store()
    row = remove_contact(owner, name)
    print_json(row) if as_json else print_text(f"removed @{row.name} of {row.owner}")
