"""The command that hands over to Django's own: `manage`."""

import typer

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.web.django_commands import run_django_command


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        add_help_option=False,
    )(manage)


def manage(context: typer.Context) -> None:
    """Run a command of Django's, such as `migrate`, `createsuperuser`, `dbshell`."""
    run_django_command(read(Settings), context.args)
