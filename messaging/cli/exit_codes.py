"""How a command ends: what went wrong becomes one sentence and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from messaging.cli.output import complain
from messaging.errors import ConfigurationError, GatewayError
from messaging.service.signals import StopRequest, stopping_signal
from messaging.store.console.entries import InvalidInput

OK, NOT_WELL, WRONG = 0, 1, 2


def run(app: typer.Typer) -> None:
    """Run one command and exit."""
    try:
        app()
    except (ConfigurationError, InvalidInput) as error:
        complain(str(error))
        raise SystemExit(WRONG) from None
    except GatewayError as error:
        complain(error.reason)
        raise SystemExit(NOT_WELL) from None


@contextmanager
def interruptible() -> Iterator[StopRequest]:
    """A signal to end that comes while the gateway starts ends it at once; see `signals.StopRequest`."""
    with stopping_signal(interrupts=True) as stopped:
        try:
            yield stopped
        except KeyboardInterrupt:
            complain("stopped at once, as asked; what is in work goes on at the next start")
            raise typer.Exit(NOT_WELL) from None
