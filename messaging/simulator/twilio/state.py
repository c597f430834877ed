"""The texts that the simulated Twilio holds, the shape in which it shows them, and who opted out."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from messaging.simulator.shared.segments import segments

MAX_PAGE_SIZE = 1000
API = "/2010-04-01/Accounts"
FINAL = frozenset(("delivered", "undelivered", "failed", "canceled", "received"))


def new_sid(kind: str = "SM") -> str:
    """Return a new identifier in Twilio's form."""
    return kind + secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One message resource."""

    sid: str
    account_sid: str
    sender: str
    recipient: str
    body: str
    status: str
    direction: str
    created: datetime
    sent: datetime | None = None
    error_code: int | None = None
    media: int = 0
    media_types: tuple[str, ...] = ()
    messaging_service_sid: str | None = None

    def resource(self) -> dict[str, Any]:
        """The JSON that the API answers with."""
        uri = f"{API}/{self.account_sid}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "from": self.sender,
            "to": self.recipient,
            "body": self.body,
            "status": self.status,
            "direction": self.direction,
            # A messaging service decides later; until then nothing is counted.
            "num_segments": "0" if self.status == "accepted" else str(segments(self.body)),
            "num_media": str(self.media),
            "price": None,
            "price_unit": "USD",
            "error_code": self.error_code,
            "error_message": None,
            "date_created": format_datetime(self.created),
            "date_updated": format_datetime(self.sent or self.created),
            "date_sent": format_datetime(self.sent) if self.sent else None,
            "messaging_service_sid": self.messaging_service_sid,
            "api_version": "2010-04-01",
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }

    def media_resources(self) -> list[dict[str, Any]]:
        """The JSON of the list of its media."""
        uri = f"{API}/{self.account_sid}/Messages/{self.sid}/Media"
        sids = [f"ME{self.sid[2:-2]}{number:02}" for number in range(len(self.media_types))]
        return [
            {
                "sid": sid,
                "account_sid": self.account_sid,
                "parent_sid": self.sid,
                "content_type": kind,
                "date_created": format_datetime(self.created),
                "date_updated": format_datetime(self.created),
                "uri": f"{uri}/{sid}.json",
            }
            for sid, kind in zip(sids, self.media_types, strict=True)
        ]


class Texts:
    """All texts of one account, in and out, newest last; and the pairs that have opted out."""

    def __init__(self, account_sid: str, max_page_size: int = MAX_PAGE_SIZE) -> None:
        self._account_sid = account_sid
        self._max_page_size = max_page_size
        self._texts: dict[str, Text] = {}
        self._opted_out: set[tuple[str, str]] = set()

    def add(self, *, sender: str, recipient: str, body: str, **fields: Any) -> Text:
        """Keep a new text and return it."""
        text = Text(
            sid=new_sid("MM" if fields.get("media") else "SM"),
            account_sid=self._account_sid,
            sender=sender,
            recipient=recipient,
            body=body,
            created=datetime.now(UTC).replace(microsecond=0),
            **fields,
        )
        self._texts[text.sid] = text
        return text

    def advance(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Move a text on, never back from a final state."""
        text = self._texts.get(sid)
        if text is None or text.status in FINAL:
            return
        sent = text.sent or datetime.now(UTC).replace(microsecond=0)
        self._texts[sid] = replace(text, status=status, sent=sent, error_code=error_code)

    def get(self, sid: str) -> Text | None:
        """Return one text."""
        return self._texts.get(sid)

    def all(self, direction: str | None = None) -> list[Text]:
        """Return the texts of one direction, or all, in order of arrival."""
        return [t for t in list(self._texts.values()) if direction in (None, t.direction)]

    def clear(self) -> None:
        """Forget every text; opt-outs stay."""
        self._texts.clear()

    def set_opted_out(self, phone: str, number: str, opted_out: bool) -> None:
        """Record that `phone` wants no more texts from `number`, or wants them again."""
        (self._opted_out.add if opted_out else self._opted_out.discard)((phone, number))

    def opt_outs(self) -> list[tuple[str, str]]:
        """Return the pairs (phone, number) that have opted out."""
        return sorted(self._opted_out)

    def has_opted_out(self, phone: str, number: str) -> bool:
        """Whether `phone` has said STOP to `number`."""
        return (phone, number) in self._opted_out

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        """Answer the list call: newest first, filtered by `To`, `From` and `DateSent`, in pages. Raises ValueError."""
        days = {n: date.fromisoformat(query[n][:10]) for n in query if n.startswith("DateSent")}
        found = [t for t in reversed(self.all()) if _matches(t, query, days)]
        size = min(max(int(query.get("PageSize", 50)), 1), self._max_page_size)
        number = max(int(query.get("Page", 0)), 0)
        shown = found[number * size : (number + 1) * size]
        return {
            "messages": [t.resource() for t in shown],
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": number * size + max(len(shown) - 1, 0),
            "uri": self._uri(query, number),
            "first_page_uri": self._uri(query, 0),
            "next_page_uri": self._uri(query, number + 1) if found[(number + 1) * size :] else None,
            "previous_page_uri": self._uri(query, number - 1) if number else None,
        }

    def _uri(self, query: dict[str, str], page: int) -> str:
        return f"{API}/{self._account_sid}/Messages.json?{urlencode({**query, 'Page': page})}"


def _matches(text: Text, query: dict[str, str], days: dict[str, date]) -> bool:
    return (
        query.get("To", text.recipient) == text.recipient
        and query.get("From", text.sender) == text.sender
        and all(_in_time(text, name, day) for name, day in days.items())
    )


def _in_time(text: Text, name: str, wanted: date) -> bool:
    """Compare the day on which it was sent; a text that is still queued has none and never matches."""
    if text.sent is None:
        return False
    day = text.sent.date()
    if name == "DateSent>":
        return day >= wanted
    return day <= wanted if name == "DateSent<" else day == wanted
