"""The simulated networks of Iridium modems: four serve, `modem` and `typed` act as a modem."""

from pathlib import Path
from typing import Annotated

import typer

from messaging.cli.output import print_text
from messaging.cli.simulate.mail import print_mail
from messaging.cli.simulate.serve import (
    Host,
    Port,
    one_of,
    port_error,
    post,
    print_acceptance,
    serve,
)
from messaging.errors import ConfigurationError
from messaging.satellite.codecs.plain_text import text_of
from messaging.simulator.cloudloop.push import FORMS as CLOUDLOOP_FORMS
from messaging.simulator.cloudloop.server import CloudloopSimulator
from messaging.simulator.directip.server import DirectIpSimulator
from messaging.simulator.rockblock.push import FORMS as ROCKBLOCK_FORMS
from messaging.simulator.rockblock.push import load_key
from messaging.simulator.rockblock.server import RockblockSimulator
from messaging.simulator.sbdmail.server import SbdMailSimulator
from messaging.simulator.shared.modems import Modem, ModemDownlink

Webhook = Annotated[str, typer.Option(help="The URL for messages from modems.")]


app = typer.Typer()


@app.command()
def rockblock(
    modem: Annotated[list[str], typer.Option(help="The IMEI of a modem; may be repeated.")],
    webhook: Webhook = "http://localhost:8000/satellite/rockblock/rockblock",
    form: Annotated[str, typer.Option(help=f"One of: {', '.join(ROCKBLOCK_FORMS)}.")] = "HTTP_JSON",
    host: Host = "127.0.0.1",
    port: Port = 7434,
    username: Annotated[str, typer.Option(help="The user name of the login.")] = "demo",
    password: Annotated[str, typer.Option(help="The password of the login.")] = "demo",  # noqa: S107
    key: Annotated[
        Path | None, typer.Option(help="The key that signs, PEM; made if it is not there.")
    ] = None,
) -> None:
    """Run a RockBLOCK; its web service is under /rockblock, its switches under /sim."""
    try:
        private_key = None if key is None else load_key(key)
    except (OSError, ValueError):
        raise ConfigurationError(f"--key: cannot read an RSA key from {key}") from None
    simulator = RockblockSimulator(
        [Modem(imei) for imei in modem],
        username=username,
        password=password,
        webhook_url=webhook,
        form=one_of(form, ROCKBLOCK_FORMS),
        private_key=private_key,
        on_shown=_print_downlink,
    )
    hint = f"SATBRIDGE_ROCKBLOCK_PUBLIC_KEY={simulator.public_key}"
    serve(simulator.app, host, port, "a RockBLOCK", "/rockblock", hint)


@app.command()
def cloudloop(
    thing: Annotated[list[str], typer.Option(help="A thing, as IMEI=thing; may be repeated.")],
    webhook: Webhook = "http://localhost:8000/satellite/cloudloop/cloudloop/demo-demo-demo-demo",
    form: Annotated[str, typer.Option(help=f"One of: {', '.join(CLOUDLOOP_FORMS)}.")] = "LINGO",
    service: Annotated[
        str, typer.Option(help="The service that carries messages: sbd or imt.")
    ] = "sbd",
    host: Host = "127.0.0.1",
    port: Port = 7435,
    token: Annotated[str, typer.Option(help="The API token.")] = "demo",  # noqa: S107
) -> None:
    """Run a Cloudloop; its API is at the root, its switches under /sim."""
    pairs = [one.partition("=") for one in thing]
    simulator = CloudloopSimulator(
        [Modem(imei, thing=name) for imei, _, name in pairs],
        token=token,
        service=one_of(service, ("sbd", "imt")),
        webhook_url=webhook,
        form=one_of(form, CLOUDLOOP_FORMS),
        on_shown=_print_downlink,
    )
    serve(simulator.app, host, port, "a Cloudloop", "")


@app.command()
def directip(
    modem: Annotated[list[str], typer.Option(help="The IMEI of a modem; may be repeated.")],
    listener: Annotated[
        str, typer.Option(help="The listener that it connects to with messages.")
    ] = ("127.0.0.1:10800"),
    host: Host = "127.0.0.1",
    port: Port = 7440,
    gateway_port: Annotated[
        int, typer.Option(help="The port for messages to modems; 0 is any free one.")
    ] = 7441,
    confirm: Annotated[bool, typer.Option(help="Whether it waits for a confirmation.")] = True,
    speed: Annotated[
        float, typer.Option(min=0.001, help="How many times faster it connects again.")
    ] = 1,
) -> None:
    """Run Iridium's DirectIP gateway; its switches are under /sim, messages to modems have a port of their own."""
    try:
        simulator = DirectIpSimulator(
            [Modem(imei) for imei in modem],
            listener=listener,
            confirms=confirm,
            speed=speed,
            host=host,
            port=gateway_port,
            on_shown=_print_downlink,
        )
    except OSError as error:
        raise port_error("--gateway-port", host, gateway_port, error) from None
    with simulator:
        hint = f"SATBRIDGE_DIRECTIP_GATEWAY={simulator.address}"
        serve(simulator.app, host, port, "Iridium's DirectIP gateway", "", hint)


@app.command()
def sbdmail(
    modem: Annotated[list[str], typer.Option(help="The IMEI of a modem; may be repeated.")],
    listener: Annotated[str, typer.Option(help="The mail server that it writes to.")] = (
        "127.0.0.1:7420"
    ),
    mailbox: Annotated[str, typer.Option(help="The mailbox there.")] = "sbd@localhost",
    host: Host = "127.0.0.1",
    port: Port = 7442,
    smtp_port: Annotated[
        int, typer.Option(help="The port of its mail server; 0 is any free one.")
    ] = 7443,
) -> None:
    """Run Iridium's SBD service by e-mail; its switches are under /sim, its mail server accepts all mails."""
    try:
        simulator = SbdMailSimulator(
            [Modem(imei) for imei in modem],
            listener=listener,
            recipient=mailbox,
            host=host,
            port=smtp_port,
            on_shown=_print_downlink,
            on_mail=print_mail,
        )
    except OSError as error:
        raise port_error("--smtp-port", host, smtp_port, error) from None
    with simulator:
        hint = f"SATBRIDGE_RELAY_URL={simulator.relay_url}"
        serve(simulator.app, host, port, "Iridium's SBD service by e-mail", "", hint)


@app.command()
def modem(
    to: Annotated[str, typer.Argument(help="A mailbox, or a number such as +15551230000.")],
    text: Annotated[str, typer.Argument(help="The text that the modem sends.")],
    imei: Annotated[str, typer.Option(help="The IMEI of the modem.")],
    at: Annotated[str, typer.Option(help="The URL of its simulated network.")] = (
        "http://127.0.0.1:7434"
    ),
) -> None:
    """Send a message from a modem in the devices' own format, as an app beside it does."""
    protocol = "email" if "@" in to else "sms"
    texts = [{"text": text, "to": to, "protocol": protocol}]
    print_acceptance(post(f"{at}/sim/uplinks", {"imei": imei, "texts": texts}))


@app.command("typed")
def text_from_modem(
    text: Annotated[str, typer.Argument(help="The text, such as: @alice See you")],
    imei: Annotated[str, typer.Option(help="The IMEI of the modem.")],
    at: Annotated[str, typer.Option(help="The URL of its simulated network.")] = (
        "http://127.0.0.1:7434"
    ),
) -> None:
    """Send plain text from a modem, for a device with the codec `text`."""
    content = {"imei": imei, "data": text.encode().hex()}
    print_acceptance(post(f"{at}/sim/uplinks", content))


def _print_downlink(downlink: ModemDownlink) -> None:
    content = text_of(downlink.data) or downlink.data.hex()
    print_text(f"modem {downlink.imei} got {len(downlink.data)} bytes: {content}")
