"""Sends texts through Bandwidth's messaging API, looks up their records and probes the account.

Without Bandwidth's SDK, which chooses the host of each operation by itself and cannot be pointed at another.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import httpx

from messaging.errors import Unavailable, Uncertain
from messaging.model.message import SubmittedPart
from messaging.sms.account import OutgoingText
from messaging.sms.errors import Meaning, report_probe
from messaging.sms.http_client import MAYBE_TAKEN, NO_SENSE, HttpClient
from messaging.sms.providers.bandwidth.auth import Login, LoginRefused
from messaging.sms.providers.bandwidth.errors import of_answer
from messaging.sms.providers.bandwidth.wire import json_of, segment_count

LOOKUP_LIMIT: Final = 200
NOT_TAKEN: Final = ("FAILED", "UNDELIVERED")

Explain = Callable[[Meaning], Exception]
"""Turns the meaning of a refusal into the exception to raise."""


class BandwidthProvider:
    """Bandwidth's messaging API, version 2; every request is bounded by `timeout_seconds`.

    The messaging application has to call `webhook_url`; `advice` is what else the operator should know.
    """

    def __init__(
        self,
        *,
        messages_url: str,
        application_id: str,
        login: Login,
        timeout_seconds: float,
        webhook_url: str,
        advice: str = "",
    ) -> None:
        self._messages_url = messages_url
        self._application_id = application_id
        self._login = login
        self._http = HttpClient(timeout_seconds)
        self._webhook_url = webhook_url
        self._advice = advice

    async def send(self, text: OutgoingText) -> SubmittedPart:
        """Create a message (`POST …/messages`), tagged with our reference; return its id and its segments."""
        content = {
            "applicationId": self._application_id,
            "to": [text.recipient],
            "from": text.sender,
            "text": text.body,
            "tag": text.reference,
        }
        body = await self._call("POST", json=content)
        network_id = body.get("id") if isinstance(body, dict) else None
        if not isinstance(network_id, str) or not network_id:
            raise Uncertain(MAYBE_TAKEN)
        return SubmittedPart(network_id, segment_count(body))

    async def find_sent(self, text: OutgoingText, since: datetime) -> list[str]:
        """List the records of this pair and return the ids of those as long as this text, oldest first.

        Bandwidth keeps neither the text nor the tag, so another text of the same length is taken for this one.
        """
        start = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        query = {
            "sourceTn": text.sender,
            "destinationTn": text.recipient,
            "messageDirection": "OUTBOUND",
            "fromDateTime": start,
            "limit": str(LOOKUP_LIMIT),
        }
        body = await self._call("GET", params=query)
        rows = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise Unavailable(NO_SENSE)
        same = [row for row in rows if isinstance(row, dict) and _is_same(row, text.body)]
        same.sort(key=lambda row: str(row.get("receiveTime", "")))
        return [str(row["messageId"]) for row in same]

    async def check(self) -> str:
        """List one record, which costs nothing. Raises ConfigurationError or Unavailable."""
        body = await self._call("GET", explain=report_probe, params={"limit": "1"})
        if not isinstance(body, dict):
            raise Unavailable(NO_SENSE)
        finding = (
            "the account takes our credentials; the messaging application has to call"
            f" {self._webhook_url} with the callback user and password"
        )
        return "; ".join(part for part in (finding, self._advice) if part)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, method: str, explain: Explain | None = None, **content: Any) -> Any:
        """Make one call and return its answer. Raises Unavailable, or Uncertain when it may have taken effect."""
        explain = explain or Meaning.error
        request = partial(
            self._http.request, method, self._messages_url, writes=method == "POST", **content
        )
        try:
            proof = await self._login.prove(self._http)
            answer = await request(auth=proof)
            # Refused for want of a login, so it did not take effect and may be repeated.
            if answer.status_code == httpx.codes.UNAUTHORIZED and self._login.renew(proof):
                answer = await request(auth=await self._login.prove(self._http))
        except LoginRefused:
            raise explain(of_answer(httpx.codes.UNAUTHORIZED, None)) from None
        body = json_of(answer)
        if not answer.is_success:
            raise explain(of_answer(answer.status_code, body))
        return body


def _is_same(row: dict[str, Any], body: str) -> bool:
    lengths = (len(body), len(body.encode("utf-16-le")) // 2)
    return (
        bool(row.get("messageId"))
        and row.get("messageDirection", "OUTBOUND") == "OUTBOUND"
        and row.get("messageStatus") not in NOT_TAKEN
        and row.get("messageLength") in lengths
    )
