"""Sends texts through Bandwidth's messaging API, looks up their records and probes the account.

Plain `requests`: the SDK chooses the host of each operation by itself and cannot be pointed at another.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from messaging.errors import Unavailable, Uncertain
from messaging.model.message import SubmittedPart
from messaging.sms.account import OutgoingText
from messaging.sms.errors import Meaning, report, report_probe
from messaging.sms.http_errors import MAYBE_TAKEN, NO_SENSE, broken_off, overloaded
from messaging.sms.providers.bandwidth.auth import Login, LoginRefused
from messaging.sms.providers.bandwidth.errors import of_answer

PROVIDER: Final = "Bandwidth"
NO_LOGIN: Final = 401
Explain = Callable[[Meaning], Exception]
"""Turns what a refusal means into what is raised."""

LOOKUP_LIMIT = 200
_NOT_TAKEN = ("FAILED", "UNDELIVERED")


class BandwidthProvider:
    """Bandwidth's messaging API, version 2. Blocking; every request is bounded by `timeout_seconds`.

    `webhook_url` is where the messaging application has to call us, `advice` what else the operator should know.
    """

    def __init__(
        self,
        *,
        messages_url: str,
        application_id: str,
        login: Login,
        timeout_seconds: float,
        connections: int,
        webhook_url: str,
        advice: str = "",
    ) -> None:
        self._messages_url = messages_url
        self._application_id = application_id
        self._login = login
        self._timeout_seconds = timeout_seconds
        self._connections = connections
        self._webhook_url = webhook_url
        self._advice = advice

    def send(self, text: OutgoingText) -> SubmittedPart:
        """Create a message (`POST …/messages`), tagged with our reference; return its id and its segments."""
        content = {
            "applicationId": self._application_id,
            "to": [text.recipient],
            "from": text.sender,
            "text": text.body,
            "tag": text.reference,
        }
        body = self._call("POST", json=content)
        network_id = body.get("id") if isinstance(body, dict) else None
        if not isinstance(network_id, str) or not network_id:
            raise Uncertain(MAYBE_TAKEN)
        return SubmittedPart(network_id, segment_count(body))

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
        body = self._call("GET", params=query)
        listed = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(listed, list):
            raise Unavailable(NO_SENSE)
        same = [row for row in listed if isinstance(row, dict) and _is_same(row, text.body)]
        same.sort(key=lambda row: str(row.get("receiveTime", "")))
        return [str(row["messageId"]) for row in same]

    def check(self) -> str:
        """List one record, which costs nothing. Raises ConfigurationError or Unavailable."""
        if not isinstance(self._call("GET", explain=report_probe, params={"limit": "1"}), dict):
            raise Unavailable(NO_SENSE)
        said = (
            "the account takes our credentials; the messaging application has to call"
            f" {self._webhook_url} with the callback user and password"
        )
        return "; ".join(one for one in (said, self._advice) if one)

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _call(self, method: str, explain: Explain | None = None, **content: Any) -> Any:
        """Make one call and return what it answers. Raises Unavailable, or Uncertain when it may have taken effect."""
        explain = explain or partial(report, provider=PROVIDER)
        try:
            answer = self._answer(method, content)
        except LoginRefused:
            raise explain(of_answer(NO_LOGIN, None)) from None
        failure = overloaded(answer.status_code, answer.headers, writes=_writes(method))
        if failure is not None:
            raise failure
        body = _json(answer)
        if not 200 <= answer.status_code < 300:
            raise explain(of_answer(answer.status_code, body))
        return body

    def _answer(self, method: str, content: dict[str, Any]) -> requests.Response:
        proof = self._login.proof(self._session)
        answer = self._request(method, proof, content)
        # Refused for want of a login, so it did not take effect and may be repeated.
        if answer.status_code == NO_LOGIN and self._login.renew(proof):
            return self._request(method, self._login.proof(self._session), content)
        return answer

    def _request(self, method: str, proof: AuthBase, content: dict[str, Any]) -> requests.Response:
        try:
            return self._session.request(
                method,
                self._messages_url,
                auth=proof,
                timeout=self._timeout_seconds,
                allow_redirects=False,
                **content,
            )
        except requests.RequestException as error:
            raise broken_off(error, PROVIDER, writes=_writes(method)) from None

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


def _writes(method: str) -> bool:
    return method == "POST"


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
