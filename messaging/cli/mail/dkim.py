"""The commands `dkim …`."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from messaging.cli.output import print_text
from messaging.config.env import entries_of, read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.mail.authentication.settings import DkimSettings
from messaging.mail.authentication.signing import SigningKey, load_key, make_key, zone_line
from messaging.model.address_syntax import ascii_domain

dkim = typer.Typer(
    no_args_is_help=True, help="The keys that sign outgoing mail: make one, print the DNS records."
)


@dkim.command("new")
def new_key(
    file: Annotated[Path, typer.Argument(help="The file for the private key; must not exist.")],
    kind: Annotated[Literal["rsa", "ed25519"], typer.Option(help="The algorithm.")] = "rsa",
    selector: Annotated[
        str, typer.Option(help="The selector; without it, the first of the settings.")
    ] = "",
) -> None:
    """Make a key, and print the DNS record and the settings that it needs."""
    data = make_key(kind)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror or 'cannot be made'}") from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
    settings = read(DkimSettings)
    key = SigningKey(selector or entries_of(settings.selectors)[0], load_key(file))
    print_text("Publish in DNS:\n")
    for domain in _domains(settings):
        print_text(zone_line(key.name(domain), key.record))
    print_text(
        f"\nThen set SATBRIDGE_DKIM_KEYS={file.absolute()} and SATBRIDGE_DKIM_SELECTORS={key.selector},"
        " and run `satbridge check`."
    )


@dkim.command("records")
def print_records() -> None:
    """Print the DNS record of every key of the settings."""
    settings = read(DkimSettings)
    if not settings.files:
        raise ConfigurationError("SATBRIDGE_DKIM_KEYS is not set")
    for selector, path in settings.files:
        key = SigningKey(selector, load_key(path))
        for domain in _domains(settings):
            print_text(zone_line(key.name(domain), key.record))


def _domains(settings: DkimSettings) -> list[str]:
    return entries_of(settings.domains or "") or [ascii_domain(read(Settings).mail_domain)]
