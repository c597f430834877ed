"""The commands `users contacts` and `users blocks`: the people of a subscriber, and the authors who are refused."""

from dataclasses import replace
from typing import Annotated

import typer

from messaging.cli.durations import moment_of
from messaging.cli.output import Json, print_json, print_table, print_text
from messaging.cli.store import open_settings_store
from messaging.store.admission.terms import MayWrite
from messaging.store.console.contacts import (
    ContactChange,
    add_address,
    add_block,
    add_contact,
    change_contact,
    list_blocks,
    list_contacts,
    remove_address,
    remove_block,
    remove_contact,
)

contacts = typer.Typer(
    help="The names that a user's devices can address, and the recipients of an emergency.",
    no_args_is_help=True,
)

blocks = typer.Typer(
    help="The authors whose messages are refused: mailboxes, numbers and whole domains.",
    no_args_is_help=True,
)

Blocked = Annotated[str, typer.Argument(help="A mailbox, a number, or a domain as @example.org.")]
BlockOwner = Annotated[
    str | None, typer.Option("--user", help="Of this user only; else of all users.")
]

Owner = Annotated[str, typer.Argument(help="The user whose contact it is.")]
Name = Annotated[str, typer.Argument(help="The name behind @ on the device.")]
ADDRESS = "A mailbox, or a number such as +15551230000."
EMERGENCY = "Whether it is told of every emergency."
Write = Annotated[
    str | None,
    typer.Option("--write", help="May write to the devices: always, never, or until a time (UTC)."),
]
Proved = Annotated[
    bool | None,
    typer.Option("--proved/--likely", help="Whether a mail needs a full proof (DKIM) to count."),
]
Positions = Annotated[
    bool | None,
    typer.Option("--positions/--no-positions", help="Whether texts end with the position."),
]
Receipts = Annotated[
    bool | None, typer.Option("--receipts/--no-receipts", help="Whether it gets receipts.")
]


@contacts.command("add")
def add(
    owner: Owner,
    name: Name,
    address: Annotated[str, typer.Argument(help=ADDRESS)],
    emergency: Annotated[bool, typer.Option("--emergency", help=EMERGENCY)] = False,
    write: Write = None,
    proved: Proved = None,
    positions: Positions = None,
    receipts: Receipts = None,
    as_json: Json = False,
) -> None:
    """Add a contact."""
    open_settings_store()
    rights = _rights(write, proved, positions, receipts)
    row = add_contact(owner, name, address, is_emergency=emergency, change=rights)
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
    cells = (
        (
            *(r.owner, r.name, ", ".join((r.address, *r.further_addresses)), r.is_emergency),
            f"until {r.write_until:%Y-%m-%d %H:%M}" if r.write_until else r.may_write,
            r.must_be_proved,
        )
        for r in rows
    )
    columns = ("user", "contact", "address", "emergency", "may write", "must be proved")
    print_table("", columns, cells)


@contacts.command("change")
def change(
    owner: Owner,
    name: Name,
    address: Annotated[str | None, typer.Option(help=ADDRESS)] = None,
    emergency: Annotated[
        bool | None, typer.Option("--emergency/--no-emergency", help=EMERGENCY)
    ] = None,
    write: Write = None,
    proved: Proved = None,
    positions: Positions = None,
    receipts: Receipts = None,
    as_json: Json = False,
) -> None:
    """Change a contact."""
    open_settings_store()
    rights = _rights(write, proved, positions, receipts)
    row = change_contact(owner, name, replace(rights, address=address, is_emergency=emergency))
    print_json(row) if as_json else print_text(f"changed @{row.name} of {row.owner}")


@contacts.command("remove")
def remove(owner: Owner, name: Name, as_json: Json = False) -> None:
    """Remove a contact."""
    open_settings_store()
    row = remove_contact(owner, name)
    print_json(row) if as_json else print_text(f"removed @{row.name} of {row.owner}")


@contacts.command("add-address")
def add_further(
    owner: Owner,
    name: Name,
    address: Annotated[str, typer.Argument(help=ADDRESS)],
    as_json: Json = False,
) -> None:
    """Add a further address that a contact writes from."""
    open_settings_store()
    row = add_address(owner, name, address)
    print_json(row) if as_json else print_text(f"@{row.name} of {row.owner} writes from it too")


@contacts.command("remove-address")
def remove_further(
    owner: Owner,
    name: Name,
    address: Annotated[str, typer.Argument(help=ADDRESS)],
    as_json: Json = False,
) -> None:
    """Remove a further address of a contact."""
    open_settings_store()
    row = remove_address(owner, name, address)
    print_json(row) if as_json else print_text(f"changed @{row.name} of {row.owner}")


@blocks.command("add")
def add_blocked(address: Blocked, owner: BlockOwner = None, as_json: Json = False) -> None:
    """Block an author."""
    open_settings_store()
    row = add_block(address, owner)
    print_json(row) if as_json else print_text(f"blocked {row.address} for {row.owner or 'all'}")


@blocks.command("list")
def list_blocked(owner: BlockOwner = None, as_json: Json = False) -> None:
    """List the blocked authors."""
    open_settings_store(only_reads=True)
    rows = list_blocks(owner)
    if as_json:
        print_json(rows)
        return
    print_table("", ("user", "blocked"), ((one.owner or "all", one.address) for one in rows))


@blocks.command("remove")
def remove_blocked(address: Blocked, owner: BlockOwner = None, as_json: Json = False) -> None:
    """Take a block away."""
    open_settings_store()
    row = remove_block(address, owner)
    print_json(row) if as_json else print_text(f"{row.address} is not blocked any more")


def _rights(
    write: str | None, proved: bool | None, positions: bool | None, receipts: bool | None
) -> ContactChange:
    """Return the permissions of the options. Raises typer.BadParameter for an unknown time."""
    may_write = MayWrite(write) if write in (MayWrite.ALWAYS, MayWrite.NEVER) else None
    return ContactChange(
        may_write=may_write,
        write_until=None if may_write else moment_of(write),
        must_be_proved=proved,
        sees_positions=positions,
        gets_receipts=receipts,
    )
