"""The command `manage`, for Django's own commands."""

import typer

from messaging.cli.store import no_store
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.store.db.room import has_no_store
from messaging.web.django_commands import run_django_command

WITHOUT_STORE = (
    "check",
    "diffsettings",
    "help",
    "makemigrations",
    "migrate",
    "version",
    "--help",
    "--version",
)
"""The commands of Django that make the store, or do not open it."""

app = typer.Typer()


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def manage(context: typer.Context) -> None:
    """Run a command of Django's, such as `migrate`, `createsuperuser`, `dbshell`."""
    settings = read(Settings)
    command = next(iter(context.args), "help")
    if command not in WITHOUT_STORE and has_no_store(settings):
        raise ConfigurationError(no_store(settings))
    run_django_command(settings, context.args)
