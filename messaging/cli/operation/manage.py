"""The command `manage`, for Django's own commands."""

import typer

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.web.django_commands import run_django_command

app = typer.Typer()


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def manage(context: typer.Context) -> None:
    """Run a command of Django's, such as `migrate`, `createsuperuser`, `dbshell`."""
    run_django_command(read(Settings), context.args)
