"""The command `reload`."""

import typer

from messaging.cli.output import print_error, print_text
from messaging.gateway import read_gateway
from messaging.mail.smtp.tls import load_certificate
from messaging.service.reload import REFUSED
from messaging.service.state_file import read_running, reload_running

ANSWER_SECONDS = 30.0

app = typer.Typer()


@app.command()
def reload() -> None:
    """Let the gateway that runs on this machine read its settings again, without a restart.

    The log level, limits, SMS_COUNTRIES, EMERGENCY_WORDS, OPERATOR_ADDRESSES and the certificate of the mail port
    change at once; the output names every other change, which needs a restart. A wrong value changes nothing.
    """
    gateway = read_gateway()
    load_certificate(gateway.smtp)
    folder = gateway.settings.state_dir
    if read_running(folder) is None:
        print_error("no gateway is running with these settings")
        raise typer.Exit(1)
    result = reload_running(folder, ANSWER_SECONDS)
    if result is None or result.startswith(REFUSED):
        print_error(result or "the gateway has not read its settings; it may be starting")
        raise typer.Exit(1)
    print_text(result)
