"""The texts that the simulated Bandwidth holds, the shapes in which it shows them, and who opted out."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from messaging.simulator.shared.segments import segments

FINAL = frozenset(("DELIVERED", "FAILED", "RECEIVED"))
_RECORD_FILTERS = ("messageId", "messageStatus", "messageDirection", "sourceTn", "destinationTn")
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


def new_id() -> str:
    """Return a new message id in Bandwidth's form: milliseconds and sixteen letters and digits."""
    return f"{int(datetime.now(UTC).timestamp() * 1000)}{secrets.token_hex(8)}"


def iso(moment: datetime) -> str:
    """Return a time as Bandwidth writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One message; `owner` is the number of the account that has to do with it. `direction` is "in" or "out"."""

    id: str = field(default_factory=new_id)
    application_id: str
    account_id: str
    direction: str
    owner: str
    sender: str
    recipients: tuple[str, ...]
    text: str
    media: tuple[str, ...] = ()
    tag: str = ""
    status: str
    error_code: int = 0
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def resource(self, *, with_text: bool = True) -> dict[str, Any]:
        """The JSON of the message; status callbacks come without its text."""
        return {
            "id": self.id,
            "owner": self.owner,
            "applicationId": self.application_id,
            "time": iso(self.created),
            "segmentCount": segments(self.text),
            "direction": self.direction,
            "to": list(self.recipients),
            "from": self.sender,
            "text": self.text if with_text else "",
            "tag": self.tag,
            "media": list(self.media),
            "priority": "default",
        }

    def record(self) -> dict[str, Any]:
        """The JSON of its record in the list, which has no text."""
        return {
            "messageId": self.id,
            "accountId": self.account_id,
            "sourceTn": self.sender,
            "destinationTn": self.recipients[0],
            "messageStatus": self.status,
            "messageDirection": "OUTBOUND" if self.direction == "out" else "INBOUND",
            "messageType": "mms" if self.media else "sms",
            "segmentCount": segments(self.text),
            "errorCode": self.error_code,
            "receiveTime": iso(self.created),
            "carrierName": "other",
            "messageSize": len(self.text.encode()) + 9,
            "messageLength": len(self.text),
            "attachmentCount": len(self.media),
            "recipientCount": len(self.recipients),
            "campaignClass": "T",
        }


class Texts:
    """All texts of one account, in and out, newest last; and the pairs that have opted out."""

    def __init__(self) -> None:
        self._texts: dict[str, Text] = {}
        self._opted_out: set[tuple[str, str]] = set()

    def add(self, text: Text) -> Text:
        """Keep a new text and return it."""
        self._texts[text.id] = text
        return text

    def get(self, text_id: str) -> Text | None:
        """Return one text."""
        return self._texts.get(text_id)

    def advance(self, text_id: str, status: str, error_code: int = 0) -> None:
        """Move a text on, never back from a final state."""
        text = self._texts.get(text_id)
        if text is not None and text.status not in FINAL:
            self._texts[text_id] = replace(text, status=status, error_code=error_code)

    def all(self, direction: str | None = None) -> list[Text]:
        """Return the texts of one direction, or all, in order of arrival."""
        return [t for t in list(self._texts.values()) if direction in (None, t.direction)]

    def clear(self) -> None:
        """Forget every text; opt-outs stay."""
        self._texts.clear()

    def set_opted_out(self, phone: str, number: str, opted_out: bool) -> None:
        """Record that `phone` wants no more texts from `number`, or wants them again."""
        (self._opted_out.add if opted_out else self._opted_out.discard)((phone, number))

    def has_opted_out(self, phone: str, number: str) -> bool:
        """Whether `phone` has said STOP to `number`."""
        return (phone, number) in self._opted_out

    def opt_outs(self) -> list[tuple[str, str]]:
        """Return the pairs (phone, number) that have opted out."""
        return sorted(self._opted_out)

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        """Answer the list call: newest first, filtered, in pages. Raises ValueError."""
        first, last = query.get("fromDateTime"), query.get("toDateTime")
        since = datetime.fromisoformat(first) if first else _EARLIEST
        until = datetime.fromisoformat(last) if last else _LATEST
        wanted = {name: query[name].split(",") for name in _RECORD_FILTERS if name in query}
        records = [t.record() for t in reversed(self.all()) if since <= t.created <= until]
        found = [r for r in records if all(str(r[n]) in values for n, values in wanted.items())]
        if query.get("sort") == "receiveTime:asc":
            found.reverse()
        start, limit = int(query.get("pageToken", 0)), int(query.get("limit", 100))
        shown = found[start : start + limit]
        more = {"nextPageToken": str(start + limit)} if found[start + limit :] else {}
        return {"totalCount": len(found), "pageInfo": more, "messages": shown}
