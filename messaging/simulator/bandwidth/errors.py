"""The errors that the simulated Bandwidth answers with and reports, and the numbers that provoke them.

Codes: Bandwidth's page "Messaging errors". The number `+1500550<code>` provokes any code below, as sender or as
recipient: a text to `+15005504775` is taken and then fails with 4775.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import JSONResponse

FIXTURE_PREFIX: Final = "+1500550"

DESCRIPTIONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        4001: "service-not-allowed",
        4301: "malformed-invalid-encoding",
        4302: "malformed-invalid-from-number",
        4303: "malformed-invalid-to-number",
        4350: "malformed-for-destination",
        4360: "message-not-sent-expiration-date-passed",
        4401: "rejected-routing-error",
        4403: "rejected-forbidden-from-number",
        4404: "rejected-forbidden-to-number",
        4405: "rejected-unallocated-from-number",
        4406: "rejected-unallocated-to-number",
        4407: "rejected-account-not-defined-from-number",
        4408: "rejected-account-not-defined-to-number",
        4409: "rejected-invalid-from-profile",
        4410: "media-unavailable",
        4411: "rejected-message-size-limit-exceeded",
        4412: "media-content-invalid",
        4420: "rejected-carrier-does-not-exist",
        4421: "rejected-forbidden-no-destination",
        4431: "rejected-forbidden-shortcode",
        4432: "rejected-forbidden-country",
        4433: "rejected-forbidden-tollfree",
        4434: "rejected-forbidden-tollfree-for-recipient",
        4435: "forbidden-too-many-recipients",
        4451: "rejected-wrong-user-id",
        4452: "rejected-wrong-application-id",
        4470: "rejected-spam-detected",
        4481: "rejected-from-number-in-blacklist",
        4482: "rejected-to-number-in-blacklist",
        4492: "reject-emergency",
        4493: "rejected-unauthorized",
        4700: "invalid-service-type",
        4701: "destination-service-unavailable",
        4702: "destination-subscriber-unavailable",
        4711: "rejected-message-size-limit-exceeded",
        4712: "media-content-invalid",
        4720: "invalid-destination-address",
        4721: "destination-tn-deactivated",
        4730: "no-route-to-destination-carrier",
        4740: "invalid-source-address-address",
        4750: "destination-rejected-message",
        4751: "destination-rejected-message-size-invalid",
        4752: "destination-rejected-malformed",
        4770: "destination-spam-detected",
        4771: "rejected-shortened-url",
        4772: "rejected-tn-blocked",
        4773: "inactive-campaign",
        4774: "provisioning-issue",
        4775: "destination-rejected-due-to-user-opt-out",
        4780: "volume-violation-tmo",
        4781: "volume-violation-att",
        4785: "volumetric-violation",
        4790: "destination-rejected-sc-not-allowed",
        4791: "destination-rejected-campaign-not-allowed",
        4792: "destination-rejected-sc-not-provisioned",
        4793: "destination-rejected-sc-expired",
        4795: "tfn-not-verified",
        5100: "temporary-app-error",
        5101: "temporary-app-shutdown",
        5106: "impossible-to-route",
        5111: "temporary-app-connection-closed",
        5201: "temporary-rout-error-retries-exceeded",
        5211: "temporary-app-error-app-busy",
        5220: "temporary-store-error",
        5231: "discarded-concatenation-timeout",
        5500: "message-send-failed",
        5501: "message-send-failed",
        5600: "destination-carrier-queue-full",
        5610: "submit_sm-or-submit_multi-failed",
        5620: "destination-app-error",
        5630: "message-not-acknowle",
        5650: "destination-failed",
        5999: "unknown-error",
        9902: "delivery-receipt-expired",
        9999: "unknown-error",
    }
)
_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "request-validation",
        401: "unauthorized",
        403: "forbidden",
        415: "unsupported-content-type",
        429: "max-message-queue-size-exceeded",
    }
)


def fixture_code(*numbers: str) -> int | None:
    """Return the code that the first fixture number among these provokes, if one does."""
    for number in numbers:
        digits = number.removeprefix(FIXTURE_PREFIX)
        code = int(digits) if digits != number and digits.isdecimal() else 0
        if code in DESCRIPTIONS:
            return code
    return None


def refusal(status: int, field: str = "", headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error of the API, in its shape; `field` is what is wrong in the request."""
    content: dict[str, Any] = {
        "type": _TYPES.get(status, "error"),
        "description": f"Your request could not be accepted ({status})",
    }
    if field:
        content["fieldErrors"] = [{"fieldName": field, "description": f"'{field}' is not valid"}]
    return JSONResponse(content, status, headers=headers)
