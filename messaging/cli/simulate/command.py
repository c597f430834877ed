"""The outside on this machine: `simulate hive|twilio|mail` serve; `uplink` and `text` act as a device and a phone."""

from typing import Annotated, Any

import httpx
import typer

from messaging.cli.output import complain, say
from messaging.errors import ConfigurationError
from messaging.service.signals import stopping_signal
from messaging.simulator.hive.api import Habits
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import Device, Packet
from messaging.simulator.mail.server import MailSink, ReceivedMail
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator
from messaging.simulator.twilio.texts import Text

simulate = typer.Typer(help="Local stand-ins of the outside networks.", no_args_is_help=True)

ASK_SECONDS = 20.0
Host = Annotated[str, typer.Option(help="Where to listen.")]
Port = Annotated[int, typer.Option(help="The port; 0 is any free one.")]


@simulate.command()
def hive(
    device: Annotated[list[int], typer.Option(help="A device that exists; may be repeated.")],
    host: Host = "127.0.0.1",
    port: Port = 7431,
    username: Annotated[str, typer.Option(help="Who may log in.")] = "demo",
    password: Annotated[str, typer.Option(help="With which password.")] = "demo",  # noqa: S107
) -> None:
    """Run a Swarm Hive; its REST API is under /hive, its switches under /sim."""
    simulator = HiveSimulator(
        devices=[Device(number) for number in device],
        habits=Habits(username=username, password=password),
        on_shown=_say_shown,
    )
    serve(simulator.app, host, port, "a Swarm Hive", "/hive")


@simulate.command()
def twilio(
    account_sid: Annotated[str, typer.Option(help="The account, AC…")] = "AC" + "0" * 32,
    auth_token: Annotated[str, typer.Option(help="Its token.")] = "demo",  # noqa: S107
    webhook: Annotated[
        str, typer.Option(help="Where texts from phones are posted, #rc=… and all.")
    ] = "http://localhost:8000/sms/twilio",
    host: Host = "127.0.0.1",
    port: Port = 7432,
) -> None:
    """Run a Twilio; its REST API is at the root, its switches under /sim."""
    simulator = TwilioSimulator(account_sid, auth_token, webhook_url=webhook, on_sent=_say_sent)
    serve(simulator.app, host, port, "a Twilio", "")


@simulate.command()
def mail(host: Host = "127.0.0.1", port: Port = 7433) -> None:
    """Run a mail server that takes everything and shows what it took."""
    try:
        with stopping_signal() as stopped, MailSink(host, port, on_mail=say_mail) as sink:
            say(f"a mail server at {sink.url}")
            stopped.wait()
    except OSError as error:
        raise port_taken("--port", host, port, error) from None


@simulate.command()
def uplink(
    to: Annotated[str, typer.Argument(help="A mailbox, or a number such as +15551230000.")],
    text: Annotated[str, typer.Argument(help="What the device sends.")],
    device: Annotated[int, typer.Option(help="Which device sends it.")] = 1001,
    hive: Annotated[str, typer.Option(help="Where the simulated Hive is.")] = (
        "http://127.0.0.1:7431"
    ),
) -> None:
    """Send a message from a device, as if somebody had typed it there."""
    protocol = "email" if "@" in to else "sms"
    texts = [{"text": text, "to": to, "protocol": protocol}]
    answer = post(f"{hive}/sim/uplinks", {"device": device, "texts": texts})
    say(f"packet {answer['packetId']}, {answer['bytes']} bytes, waits at the Hive")


@simulate.command("text")
def text_from_phone(
    body: Annotated[str, typer.Argument(help="What the phone sends.")],
    to: Annotated[str, typer.Option(help="The gateway's number.")],
    sender: Annotated[str, typer.Option("--from", help="The phone's number.")] = "+15551230000",
    at: Annotated[
        str, typer.Option("--at", "--twilio", help="Where the simulated provider is.")
    ] = "http://127.0.0.1:7432",
) -> None:
    """Send a text from a phone to one of the gateway's numbers."""
    answer = post(f"{at}/sim/inbound", {"from": sender, "to": to, "body": body})
    if not answer["taken"]:
        last = answer["tries"][-1]
        complain(f"the gateway did not take it: {last['failure']} {last['status'] or ''}")
        raise typer.Exit(1)
    say("the gateway took it")


def serve(app: Any, host: str, port: int, what: str, path: str, hint: str = "") -> None:
    """Serve a stand-in until a signal stops it, after saying where it is."""
    try:
        serving = Serving(app, host, port)
    except OSError as error:
        raise port_taken("--port", host, port, error) from None
    with stopping_signal() as stopped, serving:
        say(f"{what} at {serving.url}{path}")
        if hint:
            say(hint)
        stopped.wait()


def port_taken(option: str, host: str, port: int, error: OSError) -> ConfigurationError:
    """Return what is said when the port of an option cannot be used."""
    return ConfigurationError(f"{option}: cannot listen on {host}:{port}: {error.strerror}")


def post(url: str, content: Any) -> Any:
    """Use a switch of a stand-in; returns its answer. Raises ConfigurationError."""
    try:
        answer = httpx.post(url, json=content, timeout=ASK_SECONDS)
        answer.raise_for_status()
        return answer.json()
    except httpx.HTTPStatusError as error:
        raise ConfigurationError(f"{url}: {error.response.text}") from None
    except (httpx.HTTPError, ValueError) as error:
        raise ConfigurationError(
            f"{url}: {type(error).__name__}; is the simulator running?"
        ) from None


def _say_shown(packet: Packet) -> None:
    say(f"device {packet.device_id} got {len(packet.data)} bytes: {packet.data.hex()}")


def _say_sent(text: Text) -> None:
    say(f"text from {text.sender} to {text.recipient}: {text.body}")


def say_mail(mail: ReceivedMail) -> None:
    """Say that a mail has come."""
    say(f"mail from {mail.sender} to {', '.join(mail.recipients)}: {mail.message['Subject']}")
