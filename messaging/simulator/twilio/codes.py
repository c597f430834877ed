"""The errors that the simulated Twilio answers with, and the numbers that provoke them.

Codes: https://www.twilio.com/docs/api/errors. Magic numbers: Twilio's page "Test credentials". Beyond those, the
number `+150055<code>` provokes any code below: `+15005521610` as recipient is answered with 21610.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import JSONResponse

FIXTURE_PREFIX: Final = "+150055"

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
    }
)
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


def provoked(number: str, magic: Mapping[str, int]) -> int | None:
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
