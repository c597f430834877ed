"""The errors that the simulated Twilio answers with, and the numbers that provoke them.

Codes: https://www.twilio.com/docs/api/errors. Magic numbers: Twilio's page "Test credentials". Beyond those, the
number `+150055<code>` provokes any code below: `+15005521610` as recipient is answered with 21610.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from messaging.simulator.twilio.state import Texts

FIXTURE_PREFIX: Final = "+150055"
MAX_CHARACTERS: Final = 1600
Form = dict[str, str]
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")

TEXTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        20001: "Unknown parameter",
        20003: "Authenticate",
        20404: "The requested resource was not found",
        20429: "Too Many Requests",
        20500: "An internal server error has occurred",
        21211: "Invalid 'To' Phone Number",
        21212: "Invalid From Number (caller ID)",
        21265: "'To' number cannot be a Short Code",
        21266: "'To' and 'From' number cannot be the same",
        21408: "Permission to send an SMS has not been enabled for the region",
        21603: "A 'From' phone number is required.",
        21604: "A 'To' phone number is required.",
        21606: "The From phone number is not a valid, SMS-capable Twilio phone number",
        21608: "The number is unverified. Trial accounts cannot send messages to it",
        21610: "Attempt to send to unsubscribed recipient",
        21609: "Invalid 'StatusCallback' URL",
        21611: "This 'From' number has exceeded the maximum number of queued messages",
        21612: "The 'To' phone number is not currently reachable via SMS",
        21614: "'To' number is not a valid mobile number",
        21617: "The concatenated message body exceeds the 1600 character limit",
        21619: "A text message body or media urls must be specified.",
        21635: "'To' number is a landline",
        21701: "The Messaging Service does not exist",
        21703: "The Messaging Service does not contain a phone number",
        21705: "The Messaging Service is invalid",
        21711: "Phone Number is not associated to the specified Messaging Service",
        30001: "Queue overflow",
        30002: "Account suspended",
        30003: "Unreachable destination handset",
        30004: "Message blocked",
        30005: "Unknown destination handset",
        30006: "Landline or unreachable carrier",
        30007: "Carrier violation",
        30008: "Unknown error",
        30032: "Toll-Free Number Has Not Been Verified",
        30034: "Message from an Unregistered Number",
        30036: "Validity Period Expired",
        30450: "Message delivery blocked by SMS pumping protection",
        21910: "Invalid From and To pair. From and To should be of the same channel",
        63003: "Channel could not find To address",
        63007: "Twilio could not find a Channel with the specified From address",
        63015: "Channel Sandbox can only send messages to phone numbers that have joined the Sandbox",
        63016: "Failed to send freeform message because you are outside the allowed window",
        63018: "Rate limit exceeded for Channel",
        63024: "Invalid message recipient",
    }
)
_WHATSAPP: Final = "whatsapp:"
MAGIC_SENDERS: Final[Mapping[str, int]] = MappingProxyType(
    {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
)
MAGIC_RECIPIENTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "+15005550001": 21211,
        "+15005550002": 21612,
        "+15005550003": 21408,
        "+15005550004": 21610,
        "+15005550009": 21614,
    }
)
_HTTP_STATUS: Final[Mapping[int, int]] = MappingProxyType(
    {20003: 401, 20404: 404, 20429: 429, 20500: 500}
)


def fixture_code(number: str, magic: Mapping[str, int]) -> int | None:
    """Return the code that a fixture number provokes, if it is one."""
    if number in magic:
        return magic[number]
    digits = number.removeprefix(FIXTURE_PREFIX)
    code = int(digits) if digits != number and digits.isdecimal() else 0
    return code if code in TEXTS else None


def is_found_out_later(code: int) -> bool:
    """Whether Twilio first takes the text and learns of this error from the mobile network."""
    return code >= 30000


def refusal(
    code: int, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return Twilio's answer with this error code, in the shape of its API."""
    http_status = status or _HTTP_STATUS.get(code, 400)
    content: dict[str, Any] = {
        "code": code,
        "message": TEXTS.get(code, "Error"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": http_status,
    }
    return JSONResponse(content, http_status, headers=headers)


def problem(code: int, status: int | None = None) -> JSONResponse:
    """Return the same as a problem of RFC 9457, as Twilio's newer services do."""
    http_status = status or _HTTP_STATUS.get(code, 400)
    content: dict[str, Any] = {
        "type": f"https://www.twilio.com/docs/errors/{code}",
        "title": TEXTS.get(code, "Error"),
        "status": http_status,
        "code": code,
    }
    return JSONResponse(content, http_status, media_type="application/problem+json")


class Objections:
    """The checks of send requests to one account, in Twilio's order.

    `numbers` are the account's own; None means that it owns every number.
    `services` are its messaging services, by sid, with the numbers in each.
    """

    def __init__(
        self,
        texts: Texts,
        numbers: Iterable[str] | None,
        services: Mapping[str, Iterable[str]] | None,
    ) -> None:
        self._texts = texts
        self._numbers = None if numbers is None else frozenset(numbers)
        self._services = {sid: tuple(pool) for sid, pool in (services or {}).items()}

    def sender(self, form: Form) -> str:
        """Return the number that a text leaves from: the one that is asked for, or the first of the service."""
        pool = self._services.get(form.get("MessagingServiceSid", ""), ())
        return form.get("From") or (pool[0] if pool else "")

    def first(self, form: Form) -> int | None:
        """Return the code of the first thing that is wrong with a send request."""
        return (
            self._wrong_service(form)
            or self._missing(form)
            or self._wrong_number(self.sender(form), form["To"])
        )

    def _wrong_service(self, form: Form) -> int | None:
        sid = form.get("MessagingServiceSid")
        if sid is None:
            return None
        if not sid.startswith("MG"):
            return 21705
        if sid not in self._services:
            return 21701
        if not self._services[sid]:
            return 21703
        return None if self.sender(form) in self._services[sid] else 21711

    def _missing(self, form: Form) -> int | None:
        if not form.get("To"):
            return 21604
        if not self.sender(form):
            return 21603
        if not form.get("Body") and not form.get("MediaUrl"):
            return 21619
        if "StatusCallback" in form and not _is_callable(form["StatusCallback"]):
            return 21609
        return 21617 if len(form.get("Body", "")) > MAX_CHARACTERS else None

    def _wrong_number(self, sender: str, recipient: str) -> int | None:
        code = fixture_code(sender, MAGIC_SENDERS) or fixture_code(recipient, MAGIC_RECIPIENTS)
        if code and not is_found_out_later(code):
            return code
        if sender.startswith(_WHATSAPP) != recipient.startswith(_WHATSAPP):
            return 21910
        sender, recipient = sender.removeprefix(_WHATSAPP), recipient.removeprefix(_WHATSAPP)
        if not _PHONE.fullmatch(recipient):
            return 21211
        if not _PHONE.fullmatch(sender):
            return 21212
        if sender == recipient:
            return 21266
        if self._numbers is not None and sender not in self._numbers:
            return 21606
        return 21610 if self._texts.has_opted_out(recipient, sender) else None


def _is_callable(url: str) -> bool:
    """Whether Twilio takes this URL for its callbacks."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and host not in ("", "localhost") and "_" not in host
