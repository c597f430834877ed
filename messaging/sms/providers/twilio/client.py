"""Sends texts through Twilio's SDK, looks them up and probes the account; the SDK's exceptions end here."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from twilio.base import values
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from messaging.errors import ConfigurationError, GatewayError, Unavailable, Uncertain
from messaging.model.message import SubmittedPart
from messaging.sms.account import OutgoingText
from messaging.sms.errors import Meaning, report, report_probe
from messaging.sms.http_errors import MAYBE_TAKEN, NO_SENSE
from messaging.sms.providers.twilio.errors import meaning
from messaging.sms.providers.twilio.transport import Transport

log = logging.getLogger(__name__)

LOOKUP_LIMIT = 200
_NOT_TAKEN = ("failed", "undelivered", "canceled")
_PROVIDER = "Twilio"


class TwilioProvider:
    """Twilio's REST API, version 2010-04-01. Blocking; every request is bounded by `timeout_seconds`.

    Twilio tells `status_url` what becomes of a text; `advice` is what the operator has to enter over there.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: SecretStr,
        api_url: str,
        timeout_seconds: float,
        connections: int,
        messaging_service_sid: str | None = None,
        status_url: str | None = None,
        advice: str = "",
    ) -> None:
        self._messaging_service_sid = messaging_service_sid or values.unset
        self._status_url = status_url or values.unset
        self._advice = advice
        self._account_sid = account_sid
        self._client = Client(
            account_sid,
            auth_token.get_secret_value(),
            http_client=Transport(api_url, timeout_seconds, connections),
            # Not the process's own: TWILIO_EDGE and TWILIO_REGION there would change the host name.
            environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
        )

    def send(self, text: OutgoingText) -> SubmittedPart:
        """Create a message (`POST …/Messages.json`) and return its sid and its segments."""
        # What comes back after the request was written, and cannot be read, decides nothing.
        with _foreign_errors(Uncertain(MAYBE_TAKEN)):
            # The number stays the subscriber's own, also where a messaging service could choose another.
            created = self._client.messages.create(
                from_=text.sender,
                to=text.recipient,
                body=text.body,
                messaging_service_sid=self._messaging_service_sid,
                status_callback=self._status_url,
            )
            sid, error_code = created.sid, created.error_code
        if error_code:
            raise report(meaning(error_code, None), _PROVIDER)
        if not isinstance(sid, str) or not sid:
            raise Uncertain(MAYBE_TAKEN)
        return SubmittedPart(sid, _count(created.num_segments))

    def find_sent(self, text: OutgoingText, since: datetime) -> list[str]:
        """List the newest messages of this pair and return the sids of those with this very text, oldest first.

        Not filtered by `DateSent` at Twilio: a message that is still queued there has none yet.
        """
        with _foreign_errors(Unavailable(NO_SENSE)):
            listed = self._client.messages.list(
                from_=text.sender, to=text.recipient, limit=LOOKUP_LIMIT
            )
            return [str(m.sid) for m in reversed(listed) if _is_same(m, text.body, since)]

    def check(self) -> str:
        """Fetch the account, which costs nothing. Raises ConfigurationError or Unavailable."""
        with _foreign_errors(Unavailable(NO_SENSE), report_probe):
            status = self._client.api.v2010.accounts(self._account_sid).fetch().status
        if status != "active":
            raise ConfigurationError("SATBRIDGE_TWILIO_ACCOUNT_SID: the account is not active")
        return "; ".join(said for said in ("the account is active", self._advice) if said)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.http_client.session.close()


@contextmanager
def _foreign_errors(
    unreadable: GatewayError, explain: Callable[[Meaning], Exception] | None = None
) -> Iterator[None]:
    """Turn what the SDK raises into our errors; `unreadable` is for an answer that it chokes on."""
    try:
        yield
    except GatewayError:
        raise
    except TwilioException as error:
        found = _meaning_of(error)
        raise (explain(found) if explain else report(found, _PROVIDER)) from None
    except Exception as error:
        log.warning("Twilio's answer could not be read: %s", type(error).__name__)
        raise unreadable from None


def _meaning_of(error: TwilioException) -> Meaning:
    """Read an exception of the SDK; the one for a failed list carries the answer as its second argument."""
    answer = error.args[1] if len(error.args) > 1 else None
    status = getattr(error, "status", None) or getattr(answer, "status_code", None)
    return meaning(getattr(error, "code", None), status)


def _count(segments: object) -> int | None:
    """Read `num_segments`, a number in a string; 0 while a messaging service has not decided."""
    text = str(segments)
    count = int(text[:6]) if text.isascii() and text.isdecimal() else 0
    return count or None


def _is_same(found: Any, body: str, since: datetime) -> bool:
    return (
        (found.body or "").strip() == body.strip()
        and found.direction != "inbound"
        and found.status not in _NOT_TAKEN
        and (found.date_created is None or found.date_created >= since)
    )
