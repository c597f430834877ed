"""Puts the commands together."""

import typer

from messaging.cli import contacts, manage, prepare_for_shutdown, probe, status
from messaging.cli import messages as stories
from messaging.cli import run as lifecycle
from messaging.cli import users as people
from messaging.cli.exit_codes import run
from messaging.cli.simulate import bandwidth, command, modems, trackers

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
prepare_for_shutdown.add_to(app)
status.add_to(app)
probe.add_to(app)
manage.add_to(app)
people.users.add_typer(contacts.contacts, name="contacts")
app.add_typer(people.users, name="users")
app.add_typer(people.devices, name="devices")
app.add_typer(stories.messages, name="messages")
bandwidth.add_to(command.simulate)
modems.add_to(command.simulate)
trackers.add_to(command.simulate)
app.add_typer(command.simulate, name="simulate")


def main() -> None:
    """Run one command and exit."""
    run(app)
