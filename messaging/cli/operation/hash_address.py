"""The command `hash-address`."""

from typing import Annotated

import typer

from messaging.cli.output import print_text
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.logs.addresses import AddressHasher
from messaging.store.db.django_settings import secret_key

app = typer.Typer()


@app.command("hash-address")
def hash_address(
    addresses: Annotated[
        list[str],
        typer.Argument(help="Mailboxes, numbers, serials, IP addresses or Message-IDs."),
    ],
) -> None:
    """Print the hashes that stand for addresses in the log, with `SATBRIDGE_LOG_ADDRESSES=hashed`."""
    hasher = AddressHasher(secret_key(read(Settings)))
    for address in addresses:
        print_text(hasher.name(address))
