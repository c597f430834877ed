"""A refusal of the relay is about the gateway, about a recipient, or about a mail."""

import pickle

import pytest

from messaging.errors import AccountBlocked, GatewayError, Rejected, Unavailable
from messaging.mail.relay_answers import RelayStep, answer_error

POSTFIX = b"5.7.1 <bob@x.example>: Relay access denied"


@pytest.mark.parametrize(
    ("step", "code", "text"),
    [
        (RelayStep.RCPT, 554, POSTFIX),
        (RelayStep.RCPT, 454, b"4.7.1 <bob@x.example>: Relay access denied"),
        (RelayStep.RCPT, 550, b"relay not permitted"),
        (RelayStep.RCPT, 550, b"5.7.1 <bob@x.example>... Relaying denied"),
        (RelayStep.RCPT, 550, b"5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
        (RelayStep.RCPT, 553, b"sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
        (RelayStep.RCPT, 550, b"Authentication is required for relay"),
        (RelayStep.RCPT, 554, b"5.7.1 <gw[192.0.2.1]>: Client host rejected: Access denied"),
        (RelayStep.RCPT, 554, b"5.7.1 Service unavailable; client blocked using zen.example"),
        (RelayStep.RCPT, 553, b"5.7.1 <a@x>: Sender address rejected: not owned by user gw"),
        (RelayStep.RCPT, 503, b"you must authenticate first"),
        (RelayStep.MAIL, 530, b"5.7.0 Must issue a STARTTLS command first"),
        (RelayStep.MAIL, 530, b"5.7.57 Client was not authenticated to send anonymous mail"),
        (RelayStep.MAIL, 550, b"5.1.8 sender domain not found"),
        (RelayStep.MAIL, 554, b"no"),
        (RelayStep.DATA, 534, b"5.7.9 stronger log-in"),
        (RelayStep.CONTENT, 535, b"5.7.8 log in again"),
        (RelayStep.CONTENT, 550, b"5.7.60 Client does not have permissions to send as this sender"),
        (RelayStep.CONTENT, 554, b"Message rejected: Email address is not verified."),
        (RelayStep.CONNECTION, 554, b"no SMTP service here"),
    ],
)
def test_what_is_about_the_gateway_waits_for_the_operator(
    step: RelayStep, code: int, text: bytes
) -> None:
    error = answer_error(step, code, text)
    assert isinstance(error, AccountBlocked)
    assert not error.is_doubtful
    assert "SATBRIDGE_RELAY_URL" in error.action
    assert error.retry_after_seconds


@pytest.mark.parametrize(
    ("step", "code", "text", "kind"),
    [
        (RelayStep.RCPT, 550, b"5.1.1 no such user", Rejected),
        (RelayStep.RCPT, 550, b"5.1.1 relay.denied@x.example: no such user", Rejected),
        (RelayStep.RCPT, 550, b"5.1.1 User unknown in relay recipient table", Rejected),
        (RelayStep.RCPT, 550, b"mailbox unavailable", Rejected),
        (RelayStep.RCPT, 556, b"5.1.10 domain takes no mail", Rejected),
        (RelayStep.RCPT, 550, b"5.7.17 mailbox has a new owner", Rejected),
        (RelayStep.RCPT, 554, b"5.7.1 <b@x>: Recipient address rejected: Access denied", Rejected),
        (RelayStep.MAIL, 552, b"5.3.4 too big", Rejected),
        (RelayStep.MAIL, 550, b"5.6.7 no international addresses", Rejected),
        (RelayStep.CONTENT, 552, b"5.3.4 too big", Rejected),
        (RelayStep.CONTENT, 554, b"5.7.1 message content rejected", Rejected),
        (RelayStep.CONTENT, 554, b"5.7.1 URL on a block list", Rejected),
        (RelayStep.RCPT, 450, b"4.7.1 greylisted", Unavailable),
        (RelayStep.RCPT, 452, b"4.2.2 mailbox full", Unavailable),
        (RelayStep.MAIL, 451, b"4.3.0 later", Unavailable),
        (RelayStep.DATA, 354, b"go on", Unavailable),
        (RelayStep.DATA, -1, b"", Unavailable),
    ],
)
def test_everything_else_is_about_the_mail_or_passes(
    step: RelayStep, code: int, text: bytes, kind: type[GatewayError]
) -> None:
    assert type(answer_error(step, code, text)) is kind


def test_other_policy_before_the_content_is_doubtful() -> None:
    for step in (RelayStep.RCPT, RelayStep.DATA):
        error = answer_error(step, 550, b"5.7.1 not today")
        assert isinstance(error, AccountBlocked)
        assert error.is_doubtful
        copy = pickle.loads(pickle.dumps(error))
        assert vars(copy) == vars(error)
