"""The simulated Bandwidth: `simulate bandwidth`."""

from typing import Annotated

import typer

from messaging.cli.output import print_text
from messaging.cli.simulate.serve import Host, Port, serve
from messaging.simulator.bandwidth.api import Account
from messaging.simulator.bandwidth.push import CallbackHabits
from messaging.simulator.bandwidth.server import BandwidthSimulator

A_DAY_OF_TRIES = 24 * 3600 // 5


app = typer.Typer()


@app.command()
def bandwidth(
    account: Annotated[str, typer.Option(help="The number of the account.")] = "9900000",
    application: Annotated[str, typer.Option(help="Its messaging application.")] = "demo",
    username: Annotated[
        str, typer.Option(help="The user name, of the API and of the callbacks.")
    ] = "demo",
    password: Annotated[str, typer.Option(help="The password of both.")] = "demo",  # noqa: S107
    webhook: Annotated[
        str, typer.Option(help="The URL for texts from phones, and for callbacks.")
    ] = "http://localhost:8000/sms/bandwidth",
    host: Host = "127.0.0.1",
    port: Port = 7436,
) -> None:
    """Run a Bandwidth; its REST API is under /api/v2, its switches under /sim."""
    simulator = BandwidthSimulator(
        Account(
            account_id=account, application_id=application, username=username, password=password
        ),
        callback_url=webhook,
        callbacks=CallbackHabits(username=username, password=password, max_tries=A_DAY_OF_TRIES),
        on_sent=lambda text: print_text(
            f"text from {text.sender} to {', '.join(text.recipients)}: {text.text}"
        ),
    )
    serve(simulator.app, host, port, "a Bandwidth", "/api/v2")
