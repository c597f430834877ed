"""Iridium's SBD service by e-mail for the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.simulator.mail.server import AccessRules, MailFaults
from messaging.simulator.shared.faults import Faults
from messaging.simulator.shared.modems import Modem
from tests.conformance.stand import SECRET, Stand
from tests.support.closed_port import closed_port
from tests.support.satellite.sbdmail_service import IMEI, sbdmail_account, sbdmail_service


@contextmanager
def sbdmail() -> Iterator[Stand]:
    rules = AccessRules(user="boop", password=SECRET)
    # The error is so large that no position is stored: the tables are about messages.
    modem = Modem(IMEI, cep=1000)
    with sbdmail_service(modem, access_rules=rules) as service, closed_port() as nowhere:
        simulator = service.simulator
        quick = {"timeout_seconds": 15, "relay_seconds": 3}
        relay = simulator.relay_url

        def uplink(text: str) -> None:
            service.uplink(texts=[{"text": text, "to": "a@example.com", "protocol": "email"}])

        def set_faults(faults: Faults) -> None:
            simulator.sink.faults = _in_smtp(faults)

        def point_at(where: str) -> None:
            simulator.listener = where

        yield Stand(
            account=service.account(**quick),
            unreachable=sbdmail_account(
                nowhere.replace("http://", f"smtp://boop:{SECRET}@").removesuffix("/hive"),
                **quick,
            ),
            refused=sbdmail_account(relay.replace(SECRET, f"{SECRET}-but-wrong"), **quick),
            recipient=IMEI,
            faults=set_faults,
            arrived=lambda: len(simulator.modems.downlinks()),
            uplink=uplink,
            taken=lambda: sum(one.is_accepted for one in simulator.posts.tries),
            point_at=point_at,
        )


def _in_smtp(faults: Faults) -> MailFaults:
    """Return the same faults for a mail server: errors are 451, and connections drop after the mail is written."""
    said = faults.model_dump()
    if faults.error_status >= 500:
        said["error_status"] = 451
    if faults.refuse_rate:
        said |= {"refuse_rate": 0, "hang_before_rate": faults.refuse_rate, "hang_seconds": 0}
    return MailFaults(**said)
