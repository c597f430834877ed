"""Puts the commands together."""

import typer

from messaging.cli import (
    contacts,
    departing,
    lifecycle,
    manage,
    people,
    probe,
    showing,
    simulate,
    simulate_bandwidth,
    simulate_modems,
    simulate_trackers,
    stories,
)
from messaging.cli.outcome import run

app = typer.Typer(
    name="satbridge",
    help="A gateway between e-mail, SMS and satellite messaging devices.",
    epilog="Exit codes: 0 all is well; 1 it is not (not running, not settled, store lost on the way); "
    "2 a setting, an argument or an entry is wrong, or the store cannot be opened.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
lifecycle.add_to(app)
departing.add_to(app)
showing.add_to(app)
probe.add_to(app)
manage.add_to(app)
people.users.add_typer(contacts.contacts, name="contacts")
app.add_typer(people.users, name="users")
app.add_typer(people.devices, name="devices")
app.add_typer(stories.messages, name="messages")
simulate_bandwidth.add_to(simulate.simulate)
simulate_modems.add_to(simulate.simulate)
simulate_trackers.add_to(simulate.simulate)
app.add_typer(simulate.simulate, name="simulate")


def main() -> None:
    """Run one command and exit."""
    run(app)
