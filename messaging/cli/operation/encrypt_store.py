"""The command `encrypt-store`."""

from typing import Annotated

import typer

from messaging.cli.output import Json, print_json, print_text
from messaging.cli.store import open_settings_store
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.service.state_file import sole_service
from messaging.store.db.encryption import use_keys
from messaging.store.retention.reencrypt import Reencryption, reencrypt

app = typer.Typer()


@app.command("encrypt-store")
def encrypt_store(
    decrypt: Annotated[
        bool,
        typer.Option("--decrypt", help="Decrypt everything instead; the gateway must not run."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Encrypt the texts, bytes and positions of the store with the first key of SATBRIDGE_STORE_KEY.

    In small batches, beside the gateway. Values that have this key stay as they are.
    """
    settings = open_settings_store()
    if settings.store_key is None:
        raise ConfigurationError("SATBRIDGE_STORE_KEY: is not set")
    done = _decrypt(settings) if decrypt else reencrypt()
    if as_json:
        print_json(done)
        return
    verb = f"encrypted with the key {done.key}" if done.key else "decrypted"
    print_text(f"{done.messages} messages and {done.positions} positions were {verb}")


def _decrypt(settings: Settings) -> Reencryption:
    with sole_service(settings.state_dir):
        use_keys(
            settings.store_key.get_secret_value() if settings.store_key else None, encrypts=False
        )
        return reencrypt()
