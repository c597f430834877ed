"""Exit codes: an error becomes one sentence on standard error and a code."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from messaging.cli.output import print_error
from messaging.errors import ConfigurationError, GatewayError
from messaging.service.signals import StopRequest, stopping_signal

OK, FAILURE, WRONG_INPUT = 0, 1, 2


def run(app: typer.Typer) -> None:
    """Run one command and exit."""
    try:
        app()
    except ConfigurationError as error:
        for problem in error.problems:
            print_error(problem)
        raise SystemExit(WRONG_INPUT) from None
    except GatewayError as error:
        from messaging.store.db.errors import StoreAway, describe  # loads Django

        cause = error.__cause__
        why = f": {describe(cause)}" if isinstance(error, StoreAway) and cause else ""
        print_error(error.reason + why)
        raise SystemExit(FAILURE) from None


@contextmanager
def interruptible() -> Iterator[StopRequest]:
    """Let a signal that arrives while the gateway starts end the command at once; see `signals.StopRequest`."""
    with stopping_signal(interrupts=True) as stop:
        try:
            yield stop
        except KeyboardInterrupt:
            print_error("stopped at once, as asked; what is in work goes on at the next start")
            raise typer.Exit(FAILURE) from None
