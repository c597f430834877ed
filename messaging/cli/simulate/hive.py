"""The simulated Swarm Hive: `simulate hive` serves it, `uplink` acts as a device."""

from typing import Annotated

import typer

from messaging.cli.output import print_text
from messaging.cli.simulate.serve import Host, Port, post, serve
from messaging.simulator.hive.api import HiveHabits
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice

app = typer.Typer()


@app.command()
def hive(
    device: Annotated[list[int], typer.Option(help="A device that exists; may be repeated.")],
    host: Host = "127.0.0.1",
    port: Port = 7431,
    username: Annotated[str, typer.Option(help="The user name of the login.")] = "demo",
    password: Annotated[str, typer.Option(help="The password of the login.")] = "demo",  # noqa: S107
) -> None:
    """Run a Swarm Hive; its REST API is under /hive, its switches under /sim."""
    simulator = HiveSimulator(
        devices=[HiveDevice(number) for number in device],
        habits=HiveHabits(username=username, password=password),
        on_shown=lambda packet: print_text(
            f"device {packet.device_id} got {len(packet.data)} bytes: {packet.data.hex()}"
        ),
    )
    serve(simulator.app, host, port, "a Swarm Hive", "/hive")


@app.command()
def uplink(
    to: Annotated[str, typer.Argument(help="A mailbox, or a number such as +15551230000.")],
    text: Annotated[str, typer.Argument(help="The text that the device sends.")],
    device: Annotated[int, typer.Option(help="The number of the device.")] = 1001,
    hive: Annotated[str, typer.Option(help="The URL of the simulated Hive.")] = (
        "http://127.0.0.1:7431"
    ),
) -> None:
    """Send a message from a Hive device."""
    protocol = "email" if "@" in to else "sms"
    texts = [{"text": text, "to": to, "protocol": protocol}]
    answer = post(f"{hive}/sim/uplinks", {"device": device, "texts": texts})
    print_text(f"packet {answer['packetId']}, {answer['bytes']} bytes, waits at the Hive")
