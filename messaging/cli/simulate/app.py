"""All commands of `satbridge simulate`, with the module that each is in."""

import typer

from messaging.cli.lazy import LazyCommand, lazy_group

SIMULATE = "messaging.cli.simulate"

COMMANDS = (
    LazyCommand("hive", f"{SIMULATE}.hive:app", "Run a Swarm Hive."),
    LazyCommand("uplink", f"{SIMULATE}.hive:app", "Send a message from a Hive device."),
    LazyCommand("twilio", f"{SIMULATE}.twilio:app", "Run a Twilio."),
    LazyCommand(
        "text",
        f"{SIMULATE}.twilio:app",
        "Send a text from a phone to one of the gateway's numbers.",
    ),
    LazyCommand("mail", f"{SIMULATE}.mail:app", "Run a mail server that accepts everything."),
    LazyCommand("bandwidth", f"{SIMULATE}.bandwidth:app", "Run a Bandwidth."),
    LazyCommand("rockblock", f"{SIMULATE}.modems:app", "Run a RockBLOCK."),
    LazyCommand("cloudloop", f"{SIMULATE}.modems:app", "Run a Cloudloop."),
    LazyCommand("directip", f"{SIMULATE}.modems:app", "Run Iridium's DirectIP gateway."),
    LazyCommand("sbdmail", f"{SIMULATE}.modems:app", "Run Iridium's SBD service by e-mail."),
    LazyCommand(
        "modem",
        f"{SIMULATE}.modems:app",
        "Send a message from a modem in the devices' own format, as an app beside it does.",
    ),
    LazyCommand(
        "typed",
        f"{SIMULATE}.modems:app",
        "Send plain text from a modem, for a device with the codec `text`.",
    ),
    LazyCommand("garmin", f"{SIMULATE}.trackers:app", "Run a Garmin Portal Connect."),
    LazyCommand("inreach", f"{SIMULATE}.trackers:app", "Send a message from an inReach."),
    LazyCommand("spot", f"{SIMULATE}.trackers:app", "Run SPOT's public feeds."),
    LazyCommand("tracker", f"{SIMULATE}.trackers:app", "Send a message from a SPOT device."),
)

app = typer.Typer(
    cls=lazy_group(*COMMANDS),
    help="Simulators of the networks, on this machine.",
    no_args_is_help=True,
)
app.callback()(lambda: None)
