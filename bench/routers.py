"""Routers on PostgreSQL: one against two."""

import tempfile
from pathlib import Path

from bench import smtp_load
from bench.figures import Line
from bench.gateway_under_load import gateway, make_network_hang
from tests.support.postgres_server import postgres_server_in

MAILS = 4000


def measure() -> list[Line]:
    """Run the same load on a gateway with one router, then with two."""
    one, two = _rate(1), _rate(2)
    note = "the load generator, mail-in and the database share the cores with the routers"
    return [
        Line("mail accepted on PostgreSQL, 2 routers", two, "mails/s", "1 router", one, None, note)
    ]


def _rate(routers: int) -> float:
    with (
        tempfile.TemporaryDirectory() as name,
        postgres_server_in(Path(name)) as server,
        gateway(server.get_uri(), ROUTERS=str(routers)) as ours,
    ):
        make_network_hang(ours)
        return smtp_load.mails_per_second(ours.smtp_port, mails=MAILS, connections=40, keep=True)
