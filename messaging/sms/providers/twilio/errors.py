"""The meanings of Twilio's error codes: the one table.

Codes and classes: Twilio's error dictionary, https://www.twilio.com/docs/api/errors
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from messaging.sms.errors import Meaning, later, never, opt_out, wrong_setting

MAX_CODE_DIGITS = 6
_HOUR = 3600.0
_SID = "SATBRIDGE_TWILIO_ACCOUNT_SID"
_TOKEN = "SATBRIDGE_TWILIO_AUTH_TOKEN"  # noqa: S105 (the name of a setting, not a secret)
_SERVICE = "SATBRIDGE_TWILIO_MESSAGING_SERVICE_SID"
_NUMBER = "the subscriber's number"


MEANINGS: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        21211: never("the recipient's number is not a valid phone number"),
        21265: never("the recipient is a short code, which cannot receive texts"),
        21266: never("the recipient's number is the one that the text would come from"),
        21408: never("texts to the recipient's country are not enabled for this gateway"),
        21610: opt_out(),
        21612: never("there is no route for texts to the recipient's number"),
        21614: never("the recipient's number is not a mobile number"),
        21635: never("the recipient's number is a landline"),
        30004: never("the recipient's number is blocked"),
        30005: never("the recipient's number is unknown or no longer in service"),
        30006: never("the recipient's number is a landline or its network cannot be reached"),
        21617: never("the text is too long for one SMS"),
        21619: never("the text is empty"),
        30007: never("the mobile network filtered the text out as unwanted"),
        30450: never("the text was stopped by the protection against SMS fraud"),
        30036: never("the text could not be delivered before it expired"),
        63003: never("the recipient's number is not on WhatsApp"),
        63007: never("the gateway's number is no sender of WhatsApp"),
        63015: never("the recipient has not joined the sandbox for WhatsApp"),
        63016: never(
            "WhatsApp carries answers only within 24 hours after the recipient's last text"
        ),
        63018: later("too many texts were sent over WhatsApp", 60),
        63024: never("the recipient cannot be reached over WhatsApp"),
        20003: wrong_setting(
            "the gateway's SMS account was not recognised", f"{_SID} and {_TOKEN}"
        ),
        20404: wrong_setting("the gateway's SMS account was not found", _SID),
        21212: wrong_setting("the gateway's sending number is not valid", _NUMBER),
        21606: wrong_setting("the gateway's sending number cannot send texts", _NUMBER),
        21608: wrong_setting("the gateway's SMS account is a trial for verified recipients", _SID),
        21609: wrong_setting(
            "the gateway's public URL is not one that the SMS provider can call",
            "SATBRIDGE_PUBLIC_URL",
        ),
        21701: wrong_setting("the gateway's messaging service was not found", _SERVICE),
        21703: wrong_setting("the gateway's messaging service has no number", _SERVICE),
        21705: wrong_setting("the gateway's messaging service is not valid", _SERVICE),
        21711: wrong_setting("the gateway's number is not in its messaging service", _SERVICE),
        30002: wrong_setting("the gateway's SMS account is suspended", _SID),
        30032: wrong_setting("the gateway's toll-free number is not verified yet", _NUMBER),
        30034: wrong_setting("the gateway's number is not registered for texts (10DLC)", _NUMBER),
        20429: later("the SMS provider asked for fewer requests"),
        21611: later("too many texts are waiting at the sending number", 60),
        30001: later("too many texts are waiting at the SMS provider", 60),
        30003: later("the recipient's phone is switched off or out of reach", 2 * _HOUR),
        30008: later("the mobile network failed for an unknown reason", 600),
    }
)


def meaning(code: object, status: object) -> Meaning:
    """Return the meaning of an error code, or else of the HTTP status of the answer. Unknown means temporary."""
    known = MEANINGS.get(code) if isinstance(code, int) else None
    if known:
        return known
    if status in (401, 403):
        return MEANINGS[20003]
    if status == 402:
        return wrong_setting("the gateway's SMS account is out of credit", f"the credit of {_SID}")
    if status == 404:
        return MEANINGS[20404]
    if isinstance(status, int) and 300 <= status < 400:
        return wrong_setting(
            "the SMS provider is not at the configured address", "SATBRIDGE_TWILIO_API_URL"
        )
    return later(f"the SMS provider refused it for now (error {_number(code) or _number(status)})")


def _number(value: object) -> str:
    """Return the value when it is a number: any other content comes from outside."""
    return str(value) if isinstance(value, int) else ""


def of_callback(code: str) -> Meaning:
    """Return why a text that Twilio had taken did not arrive; `code` is the `ErrorCode` of the callback."""
    if not (code.isascii() and code.isdecimal() and len(code) <= MAX_CODE_DIGITS):
        return never("the SMS provider could not deliver the text and gave no reason")
    known = MEANINGS.get(int(code))
    return known or never(f"the SMS provider could not deliver the text (error {code})")
