"""The commands about people and what they carry: `users`, `devices`."""

from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_rows, say
from messaging.cli.store import cli_store
from messaging.gateway import satellite_names
from messaging.satellite.providers import ACCOUNTS

users = typer.Typer(
    help="The subscribers: who has a mailbox and a number here.", no_args_is_help=True
)
devices = typer.Typer(help="The satellite devices of the subscribers.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What stands before @ in the mailbox.")]
Number = Annotated[str | None, typer.Option(help="The gateway's number for SMS, as +15550001111.")]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Whether messages are taken.")
]
Serial = Annotated[str, typer.Argument(help="The device's number on its network.")]
Owner = Annotated[str | None, typer.Option(help="The user who carries it.")]
NETWORKS = f"One of: {', '.join(ACCOUNTS)}, or a further account such as hive-north."
SatelliteName = Annotated[str | None, typer.Option(help=NETWORKS)]
CODEC = "How it reads and writes: protobuf or text; empty for the way of its network."
POSITION = "Whether mail and SMS from it end with where it was."
Nickname = Annotated[str | None, typer.Option(help="How people call it.")]


@users.command("add")
def add_user(name: Name, number: Number = None, as_json: Json = False) -> None:
    """Add a subscriber."""
    cli_store()
    from messaging.store.console.directory import add_subscriber

    row = add_subscriber(name, number)
    print_json(row) if as_json else say(
        f"added {row.name}" + (f", {row.number}" if row.number else "")
    )


@users.command("list")
def list_users(as_json: Json = False) -> None:
    """List the subscribers."""
    cli_store()
    from messaging.store.console.directory import list_subscribers

    rows = list_subscribers()
    if as_json:
        print_json(rows)
    else:
        columns = ("name", "number", "active", "devices")
        print_rows("", columns, ((r.name, r.number, r.is_active, r.devices) for r in rows))


@users.command("change")
def change_user(
    name: Name, number: Number = None, active: Active = None, as_json: Json = False
) -> None:
    """Change a subscriber; an empty number takes the number away."""
    cli_store()
    from messaging.store.console.directory import change_subscriber

    row = change_subscriber(name, number=number, is_active=active)
    print_json(row) if as_json else say(f"changed {row.name}")


@devices.command("add")
def add_device(
    serial: Serial,
    owner: Annotated[str, typer.Option(help="The user who carries it.")],
    network: Annotated[str, typer.Option(help=NETWORKS)],
    nickname: Annotated[str, typer.Option(help="How people call it.")] = "",
    codec: Annotated[str, typer.Option(help=CODEC)] = "",
    position: Annotated[bool, typer.Option(help=POSITION)] = True,
    as_json: Json = False,
) -> None:
    """Add a device."""
    cli_store()
    from messaging.store.console import directory

    row = directory.add_device(
        serial,
        owner=owner,
        network=network,
        networks=satellite_names(),
        nickname=nickname,
        codec=codec,
        adds_position=position,
    )
    print_json(row) if as_json else say(f"added {row.network} device {row.serial} of {row.owner}")


@devices.command("list")
def list_devices(owner: Owner = None, as_json: Json = False) -> None:
    """List the devices."""
    cli_store()
    from messaging.store.console import directory

    rows = directory.list_devices(owner)
    if as_json:
        print_json(rows)
    else:
        columns = ("network", "serial", "nickname", "owner", "active", "codec", "position")
        cells = (
            (r.network, r.serial, r.nickname, r.owner, r.is_active, r.codec, r.adds_position)
            for r in rows
        )
        print_rows("", columns, cells)


@devices.command("change")
def change_device(
    serial: Serial,
    network: SatelliteName = None,
    owner: Owner = None,
    nickname: Nickname = None,
    active: Active = None,
    codec: Annotated[str | None, typer.Option(help=CODEC)] = None,
    position: Annotated[bool | None, typer.Option(help=POSITION)] = None,
    as_json: Json = False,
) -> None:
    """Change a device, or switch it off."""
    cli_store()
    from messaging.store.console import directory

    row = directory.change_device(
        serial,
        network=network,
        owner=owner,
        nickname=nickname,
        is_active=active,
        codec=codec,
        adds_position=position,
    )
    print_json(row) if as_json else say(f"changed {row.network} device {row.serial}")


@devices.command("positions")
def list_positions(
    serial: Annotated[str | None, typer.Argument(help="Of this device only.")] = None,
    owner: Owner = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List where devices were, the newest first, as far as their networks say it."""
    cli_store()
    from messaging.store.accept.positions import list_positions

    rows = list_positions(serial=serial, owner=owner, limit=limit)
    if as_json:
        print_json(rows)
    else:
        columns = (
            "when (UTC)",
            "device",
            "owner",
            "north",
            "east",
            "metres high",
            "within",
            "battery",
            "sos",
        )
        cells = (
            (
                r.at,
                f"{r.network} {r.serial}",
                r.owner,
                r.latitude,
                r.longitude,
                r.altitude_meters,
                r.accuracy_meters,
                r.battery_percent,
                r.sos,
            )
            for r in rows
        )
        print_rows("", columns, cells)
