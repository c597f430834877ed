"""The meanings of Bandwidth's answers and error codes: the one table.

Bandwidth's page "Messaging errors": the first digit says whose fault it is (4 the sender's, 5 the network's, 9
unknown), the second who noticed (1 to 5 Bandwidth, 6 and 7 the mobile network).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from messaging.sms.errors import Meaning, later, never, opt_out, unknown, wrong_setting

_ACCOUNT = "SATBRIDGE_BANDWIDTH_ACCOUNT_ID"
_APPLICATION = "SATBRIDGE_BANDWIDTH_APPLICATION_ID"
_LOGIN = (
    "SATBRIDGE_BANDWIDTH_CLIENT_ID and SATBRIDGE_BANDWIDTH_CLIENT_SECRET,"
    " or SATBRIDGE_BANDWIDTH_USERNAME and SATBRIDGE_BANDWIDTH_PASSWORD"
)
_URL = "SATBRIDGE_BANDWIDTH_API_URL"
_NUMBER = "the subscriber's number"

_INVALID = never("the recipient's number is not one that can get texts")
_NO_ROUTE = never("there is no route for texts to the recipient's number")
_TOO_LONG = never("the text is too long for the mobile network")
_GARBLED = never("the text has characters that the mobile network does not carry")
_MEDIA = never("the mobile network refused what came with the text")
_SPAM = never("the mobile network filtered the text out as unwanted")
_REFUSED = never("the recipient's mobile network refused the text")
_NOT_OURS = wrong_setting("the gateway's sending number cannot send texts", _NUMBER)
_CAMPAIGN = wrong_setting(
    "the gateway's number is not registered for texts (10DLC or short code)", _NUMBER
)
_FULL = later("more texts were sent than the mobile network allows the gateway's number", 3600)
_OWN_FAULT = later("the SMS provider had an error of its own", 60)
_CARRIER_FAULT = later("the recipient's mobile network had an error of its own", 600)
_NO_RECEIPT = unknown("the mobile network did not say whether the text arrived")

CODES: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        4001: wrong_setting("the gateway's SMS account may not send such texts", _ACCOUNT),
        4301: _GARBLED,
        4302: _NOT_OURS,
        4303: _INVALID,
        4350: _INVALID,
        4360: never("the text could not be delivered before it expired"),
        4401: _NO_ROUTE,
        4403: _NOT_OURS,
        4404: _INVALID,
        4405: _NOT_OURS,
        4406: _INVALID,
        4407: _NOT_OURS,
        4408: _INVALID,
        4409: _INVALID,
        **dict.fromkeys((4410, 4411, 4412, 4711, 4712), _MEDIA),
        4420: _NO_ROUTE,
        4421: _NO_ROUTE,
        4431: wrong_setting("the gateway's SMS account may not use short codes", _ACCOUNT),
        4432: never("texts to the recipient's country are not enabled for this gateway"),
        4433: wrong_setting("the gateway's SMS account may not use toll-free numbers", _ACCOUNT),
        4434: _INVALID,
        4435: never("the text has too many recipients"),
        4451: wrong_setting("the gateway's SMS account was not found", _ACCOUNT),
        4452: wrong_setting("the gateway's messaging application was not found", _APPLICATION),
        4470: _SPAM,
        4481: wrong_setting("the gateway's number is blocked from sending texts", _NUMBER),
        4482: never("the recipient's number is blocked"),
        4492: never("texts to emergency numbers are not carried"),
        4493: wrong_setting("the gateway's SMS account may not send texts", _ACCOUNT),
        4700: never("the recipient's phone or its network takes no texts"),
        4701: never("the recipient's number cannot be reached"),
        4702: later("the recipient's phone is switched off or out of reach", 7200),
        4720: _INVALID,
        4721: never("the recipient's number is unknown or no longer in service"),
        4730: _NO_ROUTE,
        4740: _NOT_OURS,
        4750: _REFUSED,
        4751: _TOO_LONG,
        4752: _GARBLED,
        4770: _SPAM,
        4771: never("the mobile network refused a shortened link in the text"),
        4772: never("the recipient's number, or the gateway's, is blocked"),
        4773: _CAMPAIGN,
        4774: _CAMPAIGN,
        4775: opt_out(),
        **dict.fromkeys((4780, 4781, 4785), _FULL),
        **dict.fromkeys((4790, 4791, 4792, 4793), _CAMPAIGN),
        4795: wrong_setting("the gateway's toll-free number is not verified yet", _NUMBER),
        **dict.fromkeys((5100, 5101, 5106, 5111, 5201, 5211, 5220, 5231), _OWN_FAULT),
        **dict.fromkeys((5500, 5501, 5999), _OWN_FAULT),
        **dict.fromkeys((5600, 5610, 5620, 5630, 5650), _CARRIER_FAULT),
        9902: _NO_RECEIPT,
        9999: _NO_RECEIPT,
    }
)


def of_code(code: object) -> Meaning:
    """Return the meaning of the `errorCode` of a failed message; by its first digits where it is not in the table."""
    if not isinstance(code, int):
        return unknown("the SMS provider could not deliver the text and gave no reason")
    known = CODES.get(code)
    if known:
        return known
    if 4000 <= code < 5000:
        return never(f"the SMS provider or the mobile network refused the text (error {code})")
    if 5000 <= code < 6000:
        return _CARRIER_FAULT if code // 100 == 56 else _OWN_FAULT
    return _NO_RECEIPT


def of_answer(status: int, body: object) -> Meaning:
    """Return the meaning of an answer to a request that is neither a success nor 5xx nor 429."""
    match status:
        case 400:
            return _invalid_request(body)
        case 401 | 403:
            return wrong_setting("the gateway's SMS account was not recognised", _LOGIN)
        case 402:
            return wrong_setting(
                "the gateway's SMS account is out of credit", f"the credit of {_ACCOUNT}"
            )
        case 404 | 405:
            # Their pages call it permanent; but what is wrong is the path, which is made of settings.
            return wrong_setting("the gateway's SMS account was not found", f"{_ACCOUNT} or {_URL}")
        case 406 | 415:
            return never(f"the SMS provider does not understand the gateway (status {status})")
    if 300 <= status < 400:
        return wrong_setting("the SMS provider is not at the configured address", _URL)
    return later(f"the SMS provider refused it for now (status {status})")


def _invalid_request(body: object) -> Meaning:
    """Return the meaning of a 400, by the fields that the answer names (`fieldErrors`)."""
    errors: Any = body.get("fieldErrors") if isinstance(body, dict) else None
    rows = errors if isinstance(errors, list) else []
    names = (row.get("fieldName") for row in rows if isinstance(row, dict))
    named = {name.partition("[")[0] for name in names if isinstance(name, str)}
    if "applicationId" in named:
        return CODES[4452]
    if "from" in named:
        return _NOT_OURS
    if "to" in named:
        return _INVALID
    return never("the SMS provider refused the text as not valid")
