"""Sends texts through Bandwidth's messaging API, looks up their records and probes the account.

Plain `requests`: the SDK chooses the host of each operation by itself and cannot be pointed at another.
"""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from messaging.errors import Unavailable, Uncertain
from messaging.message import Handed
from messaging.sms.http import MAYBE_TAKEN, NO_SENSE, broken_off, overloaded
from messaging.sms.provider import OutgoingText
from messaging.sms.providers.bandwidth_errors import of_answer
from messaging.sms.refusals import report, report_probe

PROVIDER: Final = "Bandwidth"
LOOKUP_LIMIT = 200
_NOT_TAKEN = ("FAILED", "UNDELIVERED")


class BandwidthProvider:
    """Bandwidth's messaging API, version 2. Blocking; every request is bounded by `timeout_seconds`.

    `webhook_url` is where the messaging application has to call us.
    """

    def __init__(
        self,
        *,
        messages_url: str,
        application_id: str,
        username: str,
        password: SecretStr,
        timeout_seconds: float,
        connections: int,
        webhook_url: str,
    ) -> None:
        self._messages_url = messages_url
        self._application_id = application_id
        self._username = username
        self._password = password
        self._timeout_seconds = timeout_seconds
        self._connections = connections
        self._webhook_url = webhook_url

    def send(self, text: OutgoingText) -> Handed:
        """Create a message (`POST …/messages`), tagged with our reference; return its id and its segments."""
        content = {
            "applicationId": self._application_id,
            "to": [text.recipient],
            "from": text.sender,
            "text": text.body,
            "tag": text.reference,
        }
        answer = self._call("POST", json=content)
        body = _json(answer)
        if not _is_success(answer):
            raise report(of_answer(answer.status_code, body), PROVIDER)
        network_id = body.get("id") if isinstance(body, dict) else None
        if not isinstance(network_id, str) or not network_id:
            raise Uncertain(MAYBE_TAKEN)
        return Handed(network_id, segment_count(body))

    def find_sent(self, text: OutgoingText, since: datetime) -> list[str]:
        """List the records of this pair and return the ids of those as long as this text, oldest first.

        Bandwidth keeps neither the text nor the tag, so another text of the same length is taken for this one.
        """
        query = {
            "sourceTn": text.sender,
            "destinationTn": text.recipient,
            "messageDirection": "OUTBOUND",
            "fromDateTime": _iso(since),
            "limit": str(LOOKUP_LIMIT),
        }
        answer = self._call("GET", params=query)
        body = _json(answer)
        if not _is_success(answer):
            raise report(of_answer(answer.status_code, body), PROVIDER)
        listed = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(listed, list):
            raise Unavailable(NO_SENSE)
        same = [row for row in listed if isinstance(row, dict) and _is_same(row, text.body)]
        same.sort(key=lambda row: str(row.get("receiveTime", "")))
        return [str(row["messageId"]) for row in same]

    def check(self) -> str:
        """List one record, which costs nothing. Raises ConfigurationError or Unavailable."""
        answer = self._call("GET", params={"limit": "1"})
        if not _is_success(answer):
            raise report_probe(of_answer(answer.status_code, _json(answer)))
        if not isinstance(_json(answer), dict):
            raise Unavailable(NO_SENSE)
        return (
            "the account takes our credentials; the messaging application has to call"
            f" {self._webhook_url} with the callback user and password"
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _call(self, method: str, **content: Any) -> requests.Response:
        """Make one request. Raises Unavailable, or Uncertain when it writes and may have taken effect."""
        writes = method == "POST"
        try:
            answer = self._session.request(
                method,
                self._messages_url,
                auth=self._credentials,
                timeout=self._timeout_seconds,
                allow_redirects=False,
                **content,
            )
        except requests.RequestException as error:
            raise broken_off(error, PROVIDER, writes=writes) from None
        failure = overloaded(answer.status_code, answer.headers, writes=writes)
        if failure is not None:
            raise failure
        return answer

    @property
    def _credentials(self) -> HTTPBasicAuth:
        # In bytes: `requests` writes strings in Latin-1, which has not every character that a password may have.
        return HTTPBasicAuth(self._username.encode(), self._password.get_secret_value().encode())

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=self._connections))
        return session


def segment_count(message: dict[str, Any]) -> int | None:
    """Return how many SMS Bandwidth says that a message takes, if it says so."""
    count = message.get("segmentCount")
    return count if type(count) is int and count > 0 else None


def _is_success(answer: requests.Response) -> bool:
    return 200 <= answer.status_code < 300


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _is_same(row: dict[str, Any], body: str) -> bool:
    lengths = (len(body), len(body.encode("utf-16-le")) // 2)
    return (
        bool(row.get("messageId"))
        and row.get("messageDirection", "OUTBOUND") == "OUTBOUND"
        and row.get("messageStatus") not in _NOT_TAKEN
        and row.get("messageLength") in lengths
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
