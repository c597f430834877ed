"""Checks Twilio's webhooks and reads them: a request in, messages or consents out. Pure.

Twilio's pages "Webhooks security" (the signature) and "TwiML for Programmable SMS" (the fields).
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, parse_qsl

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from messaging.message import Address, Consent, Message, Network, Undeliverable, message_id
from messaging.sms.keywords import Keyword, is_everyday_answer, keyword
from messaging.sms.numbers import normalised
from messaging.sms.provider import Received
from messaging.webhook import NotAuthentic, Webhook

VIA: Final = "twilio"
MAX_FIELDS = 1000
MAX_ADDRESS_CHARACTERS = 100
MAX_MEDIA = 10

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


def received(fields: Mapping[str, str], body: bytes, via: str = VIA) -> list[Received]:
    """Return what an authentic webhook brings to the account `via`.

    That is a message, a consent, something undeliverable, or nothing.
    """
    if fields.get("MessageStatus", "received") not in ("received", "receiving"):
        return []  # about a text of ours: a status callback that was given this URL
    problem = _problem(fields)
    if problem:
        return [_undeliverable(fields, body, problem, via)]
    wish = _wish(fields)
    if wish is Keyword.HELP:
        return []  # Twilio answers it
    if wish is None:
        return [_message(fields, via)]
    consent = _consent(fields, wish is Keyword.START, via)
    # Only Twilio knows whether a bare "yes" opts in or answers a question, and says so when asked to (OptOutType).
    is_answer = "OptOutType" not in fields and is_everyday_answer(fields.get("Body", ""))
    return [consent, _message(fields, via)] if is_answer else [consent]


def _problem(fields: Mapping[str, str]) -> str:
    """Return why no message can be made of the fields, or nothing."""
    if not _sid(fields):
        return "the webhook has no MessageSid"
    for name in ("From", "To"):
        value = normalised(fields.get(name, ""))
        if not value or len(value) > MAX_ADDRESS_CHARACTERS:
            return f"the webhook has no usable {name}"
    return "" if _wish(fields) or _text(fields) else "the text is empty"


def _wish(fields: Mapping[str, str]) -> Keyword | None:
    """Return what the phone asks for; what Twilio says it is counts more than the words."""
    said = fields.get("OptOutType", "").strip().lower()
    if said in {known.value for known in Keyword}:
        return Keyword(said)
    return keyword(fields.get("Body", ""))


def _sid(fields: Mapping[str, str]) -> str:
    return fields.get("MessageSid") or fields.get("SmsSid") or fields.get("SmsMessageSid") or ""


def _address(fields: Mapping[str, str], name: str) -> Address:
    return Address(Network.SMS, normalised(fields.get(name, ""))[:MAX_ADDRESS_CHARACTERS])


def _message(fields: Mapping[str, str], via: str) -> Message:
    return Message(
        id=message_id(via, _sid(fields)),
        sender=_address(fields, "From"),
        recipient=_address(fields, "To"),
        text=_text(fields),
        via=via,
        wants_notice=True,
    )


def _consent(fields: Mapping[str, str], allowed: bool, via: str) -> Consent:
    return Consent(
        id=message_id(via, _sid(fields), "consent"),
        sender=_address(fields, "From"),
        recipient=_address(fields, "To"),
        allowed=allowed,
        via=via,
    )


def _undeliverable(fields: Mapping[str, str], body: bytes, reason: str, via: str) -> Undeliverable:
    sid = _sid(fields)
    return Undeliverable(
        id=message_id(via, sid) if sid else message_id(via, "body", body),
        sender=_address(fields, "From"),
        via=via,
        raw=body,
        reason=reason,
    )


def _text(fields: Mapping[str, str]) -> str:
    """Return the text, with a note of the media that cannot travel."""
    said = fields.get("Body", "").replace("\0", "")
    note = _left_out(fields)
    return "\n".join(line for line in (said, note) if line.strip())


def _left_out(fields: Mapping[str, str]) -> str:
    types = [fields.get(f"MediaContentType{n}", "") for n in range(_media_count(fields))]
    pictures = sum(kind.lower().startswith("image/") for kind in types)
    counted = [_counted(pictures, "picture"), _counted(len(types) - pictures, "attachment")]
    named = " and ".join(words for words in counted if words)
    return f"[{named} left out]" if named else ""


def _media_count(fields: Mapping[str, str]) -> int:
    number = fields.get("NumMedia", "").strip()
    return min(int(number), MAX_MEDIA) if number.isascii() and number.isdecimal() else 0


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""
