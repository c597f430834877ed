"""Checks Twilio's webhooks and reads them: a request in, messages, consents and receipts out. Pure.

Twilio's pages "Webhooks security" (the signature), "TwiML for Programmable SMS" (the fields) and "Track the message
status of outbound messages" (the callbacks).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs, parse_qsl

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from messaging.model.message import Receipt, ReceiptState
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.sms.account import Received
from messaging.sms.errors import Kind
from messaging.sms.inbound import MAX_MEDIA, Media, PhoneText, consent_of, undeliverable
from messaging.sms.inbound import received as texted
from messaging.sms.opt_out_keywords import Keyword, keyword
from messaging.sms.providers.twilio.errors import of_callback

VIA: Final = "twilio"
MAX_FIELDS = 1000
_ENDS: Final[Mapping[str, ReceiptState]] = MappingProxyType(
    {
        "delivered": ReceiptState.DELIVERED,
        "read": ReceiptState.DELIVERED,
        "undelivered": ReceiptState.FAILED,
        "failed": ReceiptState.FAILED,
        "canceled": ReceiptState.FAILED,
    }
)

Fields = ImmutableMultiDict[str, str]


def fields_of(webhook: Webhook, url: str, tokens: Sequence[str]) -> Fields:
    """Return the posted fields when one of `tokens` signed this request to `url`. Raises NotAuthentic.

    A JSON body has no fields; it counts as signed when its hash stands in the URL (`bodySHA256`).
    """
    signature = webhook.headers.get("x-twilio-signature")
    if not signature:
        raise NotAuthentic("the signature is missing")
    is_json = webhook.headers.get("content-type", "").strip().lower().startswith("application/json")
    signed = _json_text(webhook) if is_json else _form(webhook.body)
    if not any(_is_signed(url, signed, signature, token) for token in tokens):
        raise NotAuthentic(f"the signature does not match {_shown(url)}")
    return Fields([]) if isinstance(signed, str) else signed


def _shown(url: str) -> str:
    """The URL for the log: without a query, or a password, that may be secret."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _is_signed(url: str, signed: Fields | str, signature: str, token: str) -> bool:
    try:
        return bool(RequestValidator(token).validate(url, signed, signature))
    except (TypeError, ValueError):  # the SDK trips over URLs that are none
        return False


def _form(body: bytes) -> Fields:
    """Read a form so that empty, unknown and repeated fields all count: the signature covers every one."""
    try:
        text = body.decode("utf-8")
        return Fields(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise NotAuthentic("the body is not a form") from error


def _json_text(webhook: Webhook) -> str:
    # Without this field the SDK would take the text for a mapping and raise TypeError.
    if "bodySHA256" not in parse_qs(webhook.query):
        raise NotAuthentic("the body is JSON without a hash in the URL")
    try:
        return webhook.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotAuthentic("the body is not text") from error


def received(
    fields: Mapping[str, str], body: bytes, via: str = VIA, *, media_links: bool = True
) -> list[Received]:
    """Return what an authentic webhook brings to the account `via`.

    That is a message, a consent, news of a text of ours, something undeliverable, or nothing.
    """
    told = _told(fields, body, via)
    status = fields.get("MessageStatus") or "received"
    if status not in ("received", "receiving"):
        return _news(fields, told, status)
    wish = _wish(fields)
    if wish is Keyword.HELP:
        return []  # Twilio answers it
    # Only Twilio knows whether a bare "yes" opts in or answers a question, and says so when asked to (OptOutType).
    is_sure = "OptOutType" in fields
    return texted(told, wish, is_sure=is_sure, media_links=media_links)


def _told(fields: Mapping[str, str], body: bytes, via: str) -> PhoneText:
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("SmsMessageSid") or ""
    return PhoneText(
        via=via,
        facts=(sid,),
        sender=fields.get("From", ""),
        recipient=fields.get("To", ""),
        text=fields.get("Body", ""),
        media=_media(fields),
        raw=body,
    )


def _news(fields: Mapping[str, str], about: PhoneText, status: str) -> list[Received]:
    """Return what a status callback says; nothing while the text is on its way, for which no order is promised."""
    state = _ENDS.get(status)
    if state is None:
        return []
    (sid,) = about.facts
    if not sid:
        return [undeliverable(about, "the status callback does not name its message")]
    receipt = Receipt(via=about.via, network_id=sid, state=state)
    if state is not ReceiptState.FAILED:
        return [receipt]
    why = of_callback(fields.get("ErrorCode", "").strip())
    receipt = replace(receipt, reason=why.reason, retry_after_seconds=why.late_retry_seconds)
    if why.kind is not Kind.OPTED_OUT:
        return [receipt]
    # Here the phone is the one that the text was for.
    turned = replace(about, sender=about.recipient, recipient=about.sender)
    return [receipt, consent_of(turned, allowed=False)]


def _wish(fields: Mapping[str, str]) -> Keyword | None:
    """Return what the phone asks for; what Twilio says it is counts more than the words."""
    said = fields.get("OptOutType", "").strip().lower()
    if said in {known.value for known in Keyword}:
        return Keyword(said)
    return keyword(fields.get("Body", ""))


def _media(fields: Mapping[str, str]) -> list[Media]:
    number = fields.get("NumMedia", "").strip()
    count = min(int(number[:3]), MAX_MEDIA) if number.isascii() and number.isdecimal() else 0
    return [
        Media(fields.get(f"MediaUrl{n}", ""), fields.get(f"MediaContentType{n}", ""))
        for n in range(count)
    ]
