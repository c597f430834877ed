"""The simulated networks of trackers: `simulate garmin|spot` serve, `inreach` and `tracker` act as devices."""

from typing import Annotated

import typer

from messaging.cli.output import print_text
from messaging.cli.simulate.serve import Host, Port, post, print_acceptance, serve
from messaging.errors import ConfigurationError
from messaging.simulator.garmin.api import GarminDevice
from messaging.simulator.garmin.portal import Portal
from messaging.simulator.garmin.server import GarminSimulator
from messaging.simulator.garmin.wire import VERSIONS
from messaging.simulator.spot.server import (
    BASE_PATH,
    BETWEEN_SECONDS,
    BLOCK_SECONDS,
    LEAST_SECONDS,
    SpotFeed,
    SpotSimulator,
)

Place = Annotated[str, typer.Option(help="Its position: degrees north and east, as 47.5,-3.25.")]


app = typer.Typer()


@app.command()
def garmin(
    device: Annotated[list[str], typer.Option(help="The IMEI of a device; may be repeated.")],
    webhook: Annotated[str, typer.Option(help="The URL for events.")] = (
        "http://localhost:8000/satellite/garmin/garmin"
    ),
    version: Annotated[str, typer.Option(help=f"One of: {', '.join(VERSIONS)}.")] = VERSIONS[-1],
    token: Annotated[str, typer.Option(help="The static token of the posts.")] = "demo",  # noqa: S107
    api_key: Annotated[str, typer.Option(help="The key for messages to devices.")] = "demo",
    replies: Annotated[bool, typer.Option(help="Whether devices answer every text.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 7438,
) -> None:
    """Run a Garmin Portal Connect; IPC Inbound is under /api, its switches under /sim."""
    try:
        portal = Portal.model_validate({"url": webhook, "version": version, "token": token})
    except ValueError:
        raise ConfigurationError(f"{version!r} is none of: {', '.join(VERSIONS)}") from None
    simulator = GarminSimulator(
        [GarminDevice(imei, replies) for imei in device],
        api_key=api_key,
        portal=portal,
        on_shown=lambda downlink: print_text(
            f"device {downlink.imei} got from {downlink.sender or 'no sender'}:"
            f" {downlink.text or downlink.payload.hex()}"
        ),
    )
    serve(simulator.app, host, port, "a Portal Connect", "/api")


@app.command()
def inreach(
    text: Annotated[str, typer.Argument(help="The text that the device sends.")],
    imei: Annotated[str, typer.Option(help="The device that sends it.")],
    to: Annotated[list[str] | None, typer.Option(help="A mailbox or a number; repeatable.")] = None,
    code: Annotated[int, typer.Option(help="The message code: 3 is a text, 4 an SOS.")] = 3,
    place: Place = "",
    at: Annotated[str, typer.Option(help="The URL of its simulated network.")] = (
        "http://127.0.0.1:7438"
    ),
) -> None:
    """Send a message from an inReach."""
    event = {"imei": imei, "code": code, "text": text, "to": to or [], **_position(place)}
    print_acceptance(post(f"{at}/sim/events", event))


@app.command()
def spot(
    feed: Annotated[list[str], typer.Option(help="A feed, as ID or ID:password; repeatable.")],
    least_seconds: Annotated[
        float, typer.Option(help="A client that asks a feed again sooner is blocked.")
    ] = LEAST_SECONDS,
    block_seconds: Annotated[
        float, typer.Option(help="For as long a client that asked too soon is refused.")
    ] = BLOCK_SECONDS,
    host: Host = "127.0.0.1",
    port: Port = 7439,
) -> None:
    """Run SPOT's public feeds, with their limits; the switches are under /sim."""
    feeds = [SpotFeed(name, password) for name, _, password in (one.partition(":") for one in feed)]
    between_seconds = min(BETWEEN_SECONDS, least_seconds)
    simulator = SpotSimulator(
        feeds,
        least_seconds=least_seconds,
        between_seconds=between_seconds,
        block_seconds=block_seconds,
    )
    serve(simulator.app, host, port, "a SPOT", BASE_PATH)


@app.command()
def tracker(
    text: Annotated[str, typer.Argument(help="The text of the button.")],
    feed: Annotated[str, typer.Option(help="The feed that shows the device.")],
    kind: Annotated[str, typer.Option("--type", help="OK, CUSTOM, HELP, TRACK, …")] = "OK",
    place: Place = "",
    messenger: Annotated[str, typer.Option(help="The device that sends it.")] = "0-8356068",
    at: Annotated[str, typer.Option(help="The URL of its simulated network.")] = (
        "http://127.0.0.1:7439"
    ),
) -> None:
    """Send a message from a SPOT device."""
    position = {name: value for name, value in _position(place).items() if name != "fix"}
    sent = {"feed": feed, "type": kind, "content": text, "messenger": messenger, **position}
    print_text(f"message {post(f'{at}/sim/messages', sent)['id']} is in the feed")


def _position(place: str) -> dict[str, float]:
    if not place:
        return {}
    try:
        latitude, longitude = map(float, place.split(","))
    except ValueError:
        raise ConfigurationError("--place: must look like 47.5,-3.25") from None
    return {"latitude": latitude, "longitude": longitude, "fix": 2}
