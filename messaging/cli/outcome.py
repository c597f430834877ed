"""How a command ends: what went wrong becomes one sentence and an exit code."""

import typer

from messaging.cli.console import complain
from messaging.errors import ConfigurationError, GatewayError
from messaging.users.entries import WrongEntry

OK, NOT_WELL, WRONG = 0, 1, 2


def run(app: typer.Typer) -> None:
    """Run one command and exit."""
    try:
        app()
    except (ConfigurationError, WrongEntry) as error:
        complain(str(error))
        raise SystemExit(WRONG) from None
    except GatewayError as error:
        complain(error.reason)
        raise SystemExit(NOT_WELL) from None
