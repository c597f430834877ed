"""All commands of `satbridge`, with the module that each is in."""

import os
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from messaging.cli.exit_codes import run
from messaging.cli.lazy import LazyCommand, lazy_group

OPERATION = "messaging.cli.operation"

COMMANDS = (
    LazyCommand(
        "up",
        f"{OPERATION}.up:app",
        "Run the gateway in the foreground; SIGTERM and Ctrl-C drain and stop it.",
        uses_models=True,
        is_service=True,
    ),
    LazyCommand(
        "down",
        f"{OPERATION}.down:app",
        "Drain and stop the gateway that runs with these settings.",
    ),
    LazyCommand(
        "reload",
        f"{OPERATION}.reload:app",
        "Let the gateway that runs on this machine read its settings again, without a restart.",
    ),
    LazyCommand(
        "demo",
        f"{OPERATION}.demo:app",
        "Run everything on this machine, with simulated networks; nothing to configure.",
        uses_models=True,
    ),
    LazyCommand(
        "prepare-for-shutdown",
        f"{OPERATION}.prepare_for_shutdown:app",
        "Drain mail-in on this Ray node, because the node is about to end; a preStop hook.",
    ),
    LazyCommand(
        "status",
        f"{OPERATION}.status:app",
        "Print the state of the service and its queues.",
        uses_models=True,
    ),
    LazyCommand(
        "check",
        f"{OPERATION}.check:app",
        "Print the configured and the missing parts, and test each connection.",
        uses_models=True,
    ),
    LazyCommand(
        "dkim",
        "messaging.cli.mail.dkim:dkim",
        "The keys that sign outgoing mail: make one, print the DNS records.",
    ),
    LazyCommand(
        "graph",
        f"{OPERATION}.graph:app",
        "Print the dataflow that these settings declare.",
        uses_models=True,
    ),
    LazyCommand(
        "probe",
        f"{OPERATION}.probe:app",
        "Test whether mail or webhooks are accepted on this machine.",
    ),
    LazyCommand(
        "backup",
        f"{OPERATION}.backup:app",
        "Back the store up while the gateway runs: to one checked file that only its owner can read.",
        uses_models=True,
    ),
    LazyCommand(
        "restore",
        f"{OPERATION}.backup:app",
        "Replace the store by a backup, while the gateway does not run.",
        uses_models=True,
    ),
    LazyCommand(
        "compact",
        f"{OPERATION}.compact:app",
        "Rewrite the file of a SQLite store without its free pages, after a question.",
        uses_models=True,
    ),
    LazyCommand(
        "migrate",
        f"{OPERATION}.migrate:app",
        "Read all settings, and bring the database up to date.",
        uses_models=True,
    ),
    LazyCommand(
        "encrypt-store",
        f"{OPERATION}.encrypt_store:app",
        "Encrypt the texts, bytes and positions of the store with the first key.",
        uses_models=True,
    ),
    LazyCommand(
        "hash-address",
        f"{OPERATION}.hash_address:app",
        "Print the hashes that stand for addresses in the log.",
    ),
    LazyCommand(
        "manage",
        f"{OPERATION}.manage:app",
        "Run a command of Django's, such as `migrate`, `createsuperuser`, `dbshell`.",
    ),
    LazyCommand(
        "users",
        "messaging.cli.users:users",
        "The subscribers: each has a mailbox and a number here.",
        uses_models=True,
    ),
    LazyCommand(
        "devices",
        "messaging.cli.users:devices",
        "The satellite devices of the subscribers.",
        uses_models=True,
    ),
    LazyCommand(
        "messages",
        "messaging.cli.messages:messages",
        "The history of each message; search, send, retry and cancel.",
        uses_models=True,
    ),
    LazyCommand(
        "preview",
        "messaging.cli.preview:app",
        "Print what a device would show of a mail.",
        uses_models=True,
    ),
    LazyCommand(
        "audit",
        "messaging.cli.audit:app",
        "List the changes by operators, the newest first: time, operator, action, row.",
        uses_models=True,
    ),
    LazyCommand(
        "budget",
        "messaging.cli.money.budgets:budget",
        "The budgets: limits of units or money, which messages reserve before they are sent.",
        uses_models=True,
    ),
    LazyCommand(
        "tariff",
        "messaging.cli.money.budgets:tariff",
        "The prices of billed units by account.",
        uses_models=True,
    ),
    LazyCommand(
        "costs",
        "messaging.cli.money.costs:app",
        "Print the billed units by month, subscriber and account, as far as the networks report them.",
        uses_models=True,
    ),
    LazyCommand(
        "simulate",
        "messaging.cli.simulate.app:app",
        "Simulators of the networks, on this machine.",
    ),
)

app = typer.Typer(
    name="satbridge",
    cls=lazy_group(*COMMANDS),
    help="A gateway between e-mail, SMS and satellite messaging devices.",
    epilog="Exit codes: 0 success; 1 failure (not running, not settled, the store was lost); "
    "2 a setting, an argument or an entry is wrong, or the store cannot be opened.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        number = version("satbridge")
    except PackageNotFoundError:  # run from a checkout that is not installed
        number = "of unknown version"
    typer.echo(f"satbridge {number}")
    raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version, and exit."
        ),
    ] = False,
) -> None:
    """Read the options before the command."""


def main() -> None:
    """Run one command and exit. The files that it makes are for this user alone."""
    os.umask(0o077)
    run(app)
