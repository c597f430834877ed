"""The mails about held messages as they arrive: digest, note and code, by a real SMTP server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone

from messaging.mail.bounce_addresses import BounceAddresses
from messaging.model.message import Delivery
from messaging.simulator.mail.server import MailSink
from tests.support.mail.outgoing import relay_at, send
from tests.support.store.mailboxes import (
    LINK,
    MAILBOX,
    hold_for_mailbox,
    send_digests,
    stranger,
    with_pages,
)
from tests.support.store.records import Clock, Gateway


@pytest.fixture
def clock() -> Clock:
    """The real time once: senders look at their own clock."""
    return Clock(timezone.now())


def deliver(*deliveries: Delivery) -> list[tuple[str, str, EmailMessage]]:
    """Send these mails; return the envelope and the mail that the server got of each."""
    until = datetime.now(UTC) + timedelta(seconds=100)
    with MailSink() as sink:
        for one in deliveries:
            addresses = BounceAddresses(lambda: "secret")
            sent = send(
                relay_at(sink.url), replace(one, lease_until=until), bounce_addresses=addresses
            )
            assert [outcome.result for outcome in sent] == ["sent"]
        return [(one.sender, one.recipients[0], one.message) for one in sink.received]


def test_code_digest_and_note_arrive_and_are_answered_by_no_machine(
    sqlite_gateway: Gateway,
) -> None:
    gateway = with_pages(sqlite_gateway)
    hold_for_mailbox(gateway, language="de")
    gateway.router.process(
        [replace(stranger("a", "ann@far.example", "proved"), reference="<1@far.example>")]
    )
    code_and_note = gateway.owed()
    for one in code_and_note:
        gateway.settle(one)
    gateway.clock.turn(86_400)
    send_digests(gateway)
    code, note, digest = deliver(*code_and_note, *gateway.owed())
    assert (code[1], note[1], digest[1]) == (MAILBOX, "ann@far.example", MAILBOX)
    assert note[0] == ""
    assert note[2]["In-Reply-To"] == "<1@far.example>"
    assert [mail["Auto-Submitted"] for _, _, mail in (code, note, digest)] == [
        "auto-generated",
        "auto-replied",
        "auto-generated",
    ]
    for envelope_sender, _, mail in (code, digest):
        assert envelope_sender.startswith("MAILER-DAEMON+b.")
        assert mail["From"] == "MAILER-DAEMON@example.org"
    assert digest[2]["Subject"] == "1 Nachricht wartet auf deine Entscheidung"
    assert "der Absender ist kein Kontakt" in digest[2].get_content()
    stop = LINK.findall(digest[2].get_content())[-1]
    assert digest[2]["List-Unsubscribe"] == f"<{stop}>"
    assert [mail["List-Unsubscribe"] for _, _, mail in (code, note)] == [None, None]
