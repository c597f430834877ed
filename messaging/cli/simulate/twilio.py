"""The simulated Twilio: `simulate twilio` serves it, `text` acts as a phone at any SMS provider."""

from typing import Annotated

import typer

from messaging.cli.output import print_error, print_text
from messaging.cli.simulate.serve import Host, Port, post, serve
from messaging.simulator.twilio.server import TwilioSimulator

app = typer.Typer()


@app.command()
def twilio(
    account_sid: Annotated[str, typer.Option(help="The account, AC…")] = "AC" + "0" * 32,
    auth_token: Annotated[str, typer.Option(help="Its token.")] = "demo",  # noqa: S107
    webhook: Annotated[
        str, typer.Option(help="The URL for texts from phones, #rc=… and all.")
    ] = "http://localhost:8000/sms/twilio",
    host: Host = "127.0.0.1",
    port: Port = 7432,
) -> None:
    """Run a Twilio; its REST API is at the root, its switches under /sim."""
    simulator = TwilioSimulator(
        account_sid,
        auth_token,
        webhook_url=webhook,
        on_sent=lambda text: print_text(
            f"text from {text.sender} to {text.recipient}: {text.body}"
        ),
    )
    serve(simulator.app, host, port, "a Twilio", "")


@app.command("text")
def text_from_phone(
    body: Annotated[str, typer.Argument(help="The text that the phone sends.")],
    to: Annotated[str, typer.Option(help="The gateway's number.")],
    sender: Annotated[str, typer.Option("--from", help="The phone's number.")] = "+15551230000",
    at: Annotated[
        str, typer.Option("--at", "--twilio", help="The URL of the simulated provider.")
    ] = "http://127.0.0.1:7432",
) -> None:
    """Send a text from a phone to one of the gateway's numbers."""
    answer = post(f"{at}/sim/inbound", {"from": sender, "to": to, "body": body})
    if not answer["taken"]:
        last = answer["tries"][-1]
        print_error(f"the gateway did not take it: {last['failure']} {last['status'] or ''}")
        raise typer.Exit(1)
    print_text("the gateway took it")
