"""Dumps a PostgreSQL store with the server's own tools, checks the dump, and loads it.

The password travels in the environment of the tools, never in their arguments.
"""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from messaging.errors import ConfigurationError, Unavailable

SUFFIX = ".pgdump"
PREFIXES = ("users_", "django_", "auth_", "account_", "mfa_")
"""The beginnings of the names of the tables that are the gateway's."""

_OTHERS = (
    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def dump(url: str, draft: Path) -> None:
    """Dump the database into a file; writers go on meanwhile. Raises ConfigurationError, Unavailable."""
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}")


def verify(file: Path) -> None:
    """Read the whole dump. Raises ConfigurationError unless it is one of this gateway."""
    try:
        listed = _run("", "pg_restore", "--list", str(file))
        _run("", "pg_restore", f"--file={os.devnull}", str(file))
    except Unavailable as error:
        raise ConfigurationError(f"{file}: is no backup of a store: {error.reason}") from None
    if " users_message " not in listed:
        raise ConfigurationError(f"{file}: is no backup of a store: it has no messages")


def load(url: str, file: Path) -> None:
    """Replace the tables of the gateway by those of the dump, in one transaction. Raises Unavailable."""
    quote = connection.ops.quote_name
    tables = connection.introspection.table_names()
    ours = ", ".join(quote(name) for name in tables if name.startswith(PREFIXES))
    # The function of the triggers that protect the audit outlives its table.
    drop = "DROP FUNCTION IF EXISTS users_auditentry_refuse() CASCADE"
    if ours:
        drop = f"DROP TABLE IF EXISTS {ours} CASCADE; {drop}"
    connection.close()
    with TemporaryDirectory() as folder:
        script = Path(folder, "restore.sql")
        _run("", "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file))
        once = ("--single-transaction", "--set=ON_ERROR_STOP=1")
        _run(url, "psql", "--no-psqlrc", "--quiet", *once, f"--command={drop}", f"--file={script}")


def claim() -> None:
    """Raise ConfigurationError while another program is connected to the database."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        [others] = cursor.fetchone()
    if others:
        raise ConfigurationError(
            f"{others} other connections use the database; stop the gateway first (satbridge down)"
        )


def _run(url: str, tool: str, *arguments: str) -> str:
    environment = dict(os.environ)
    target: tuple[str, ...] = ()
    if url:
        parameters = conninfo_to_dict(url)
        if password := parameters.pop("password", None):
            environment["PGPASSWORD"] = str(password)
        target = (f"--dbname={make_conninfo('', **parameters)}",)
    try:
        done = subprocess.run(  # noqa: S603 (a fixed tool; values are arguments, not shell)
            [tool, *target, *arguments], env=environment, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise ConfigurationError(
            f"{tool} is not installed here: it comes with PostgreSQL, in a version not older than the server's"
        ) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise Unavailable(f"{tool} failed: {last[:300]}")
    return done.stdout
