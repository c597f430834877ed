"""The collector of the soak reads each arrival once in any number of rounds."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chaos.gateway import TargetGateway
from chaos.record import Direction
from chaos.soak.collector import Collector, collect_deliveries, count_open_deliveries
from chaos.soak.record import SpooledRecord
from chaos.soak.spool import Spool
from messaging.simulator.hive.server import HiveSimulator
from messaging.simulator.hive.state import HiveDevice
from messaging.simulator.shared.device_payload import device_payload
from messaging.simulator.shared.serving import Serving
from messaging.simulator.twilio.server import TwilioSimulator

ACCOUNT_SID = "AC" + "1" * 32
RUN = "0123abcd"


@pytest.fixture
def hive() -> HiveSimulator:
    return HiveSimulator([HiveDevice(1000)])


@pytest.fixture
def gateway(hive: HiveSimulator, tmp_path: Path) -> Iterator[TargetGateway]:
    """Return a gateway that does not run, before networks that do."""
    gateway = TargetGateway(f"sqlite:///{tmp_path}/store.sqlite3", tmp_path)
    twilio = TwilioSimulator(ACCOUNT_SID, "a token")
    with gateway.sink, Serving(hive.app) as hive_server, Serving(twilio.app) as twilio_server:
        gateway.hive, gateway.twilio = hive_server.url, twilio_server.url
        gateway._people()
        yield gateway


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool") as spool:
        yield spool


def send_mail(gateway: TargetGateway, to: str, text: str) -> None:
    with smtplib.SMTP(gateway.sink.host, gateway.sink.port) as smtp:
        mail = f"From: us@example.org\r\nTo: {to}\r\nMessage-ID: <1@example.org>\r\n\r\n{text}\r\n"
        smtp.sendmail("us@example.org", [to], mail)


def send_text(gateway: TargetGateway, to: str, body: str) -> None:
    url = f"{gateway.twilio}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    form = {"From": "+15550001111", "To": to, "Body": body}
    httpx.post(url, data=form, auth=(ACCOUNT_SID, "a token")).raise_for_status()


def test_every_arrival_is_read_once_and_mails_are_not_kept(
    gateway: TargetGateway, hive: HiveSimulator, spool: Spool
) -> None:
    record = SpooledRecord(RUN, spool)
    text, device_mail, mail = (
        record.offer(way) for way in (Direction.NOTE, Direction.LETTER, Direction.MAIL)
    )
    collector = Collector(gateway, record, spool)
    send_text(gateway, "+15551230001", text.compose())
    collector.collect()
    send_text(gateway, "+15551230001", "no token")
    send_mail(gateway, "friend@example.net", device_mail.compose())
    shown = {"text": mail.compose(), "to": "boss@example.org", "protocol": "email"}
    hive.state.put_downlink(1000, device_payload([shown]))
    for _ in range(3):
        collector.collect()
    assert spool.arrived == 3
    assert gateway.sink.received == []
    for offer in (text, device_mail, mail):
        [arrival] = spool._arrivals_of(offer.token)
        assert arrival.text.strip() == offer.text


def test_an_acknowledged_uplink_gets_its_yes(
    gateway: TargetGateway, hive: HiveSimulator, spool: Spool
) -> None:
    record = SpooledRecord(RUN, spool)
    offer = record.offer(Direction.LETTER)
    offer.packet = gateway.uplink_of(1, offer)
    collector = Collector(gateway, record, spool)
    collector.collect()
    assert collector.waiting_uplinks == 1
    hive.state.acknowledge(offer.packet)
    collector.collect()
    assert collector.waiting_uplinks == 0
    assert offer.yes_at is not None
    assert record.offers == []


def test_an_empty_store_owes_nothing(gateway: TargetGateway, spool: Spool) -> None:
    assert count_open_deliveries(gateway) == 0
    collect_deliveries(gateway, RUN, spool)
    assert spool.count_states(Direction.NOTE) == {}
