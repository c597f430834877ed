"""The commands that export, erase and remove: `users export|erase|remove` and `devices remove`."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_text, to_json
from messaging.cli.store import open_settings_store
from messaging.errors import ConfigurationError
from messaging.store.retention import people

Name = Annotated[str, typer.Argument(help="The part before @ of the mailbox.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Output = Annotated[
    Path | None, typer.Option(help="Write to this file, readable by its owner only.")
]


def export_user(name: Name, output: Output = None) -> None:
    """Print everything about a subscriber as JSON: contacts, devices, messages with texts, positions."""
    open_settings_store(only_reads=True)
    data = people.export(name)
    if output is None:
        print_json(data)
        return
    try:
        mode = stat.S_IRUSR | stat.S_IWUSR
        number = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(number, "w") as file:
            file.write(to_json(data))
    except OSError as error:
        raise ConfigurationError(f"{output}: {error.strerror}") from None


def erase_user(name: Name, yes: Yes = False, as_json: Json = False) -> None:
    """Empty the past of a subscriber: texts, addresses, positions, contacts. What waits is cancelled."""
    open_settings_store()
    _ask(f"The texts, addresses, positions and contacts of {name}", yes or as_json)
    _print(people.erase(name, datetime.now(UTC)), f"erased the past of {name}", as_json)


def remove_user(name: Name, yes: Yes = False, as_json: Json = False) -> None:
    """Erase a subscriber, and remove the registration with its devices. Ids, counts and states stay."""
    open_settings_store()
    _ask(f"{name}, with all texts, addresses, positions, contacts and devices,", yes or as_json)
    _print(people.remove_subscriber(name, datetime.now(UTC)), f"removed {name}", as_json)


def remove_device(
    serial: Annotated[str, typer.Argument(help="The device's number on its network.")],
    network: Annotated[str | None, typer.Option(help="Its account, if several know it.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove a device, with the texts and addresses of its messages and its positions."""
    open_settings_store()
    _ask(f"Device {serial}, with the texts of its messages and its positions,", yes or as_json)
    done = people.remove_device(serial, network, datetime.now(UTC))
    _print(done, f"removed device {serial}", as_json)


def _ask(what: str, sure: bool) -> None:
    if not sure:
        typer.confirm(f"{what} will be deleted; no command brings them back. Go on?", abort=True)


def _print(done: people.Erasure, head: str, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    print_text(
        f"{head}: {done.messages} messages emptied, {done.positions} positions and {done.contacts} contacts deleted,"
        f" {done.cancelled} deliveries cancelled. Backups still have them."
    )
