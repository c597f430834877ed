"""Reads Twilio's webhooks: authentic fields in; messages, opt-outs and receipts out. Pure.

Twilio's pages "TwiML for Programmable SMS" (the fields) and "Track the message status of outbound messages" (the
callbacks).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from messaging.model.address_syntax import whatsapp_address
from messaging.model.message import Receipt, ReceiptState
from messaging.sms.account import Received
from messaging.sms.errors import Kind
from messaging.sms.inbound import (
    MAX_MEDIA,
    Media,
    PhoneText,
    dead_letter,
    opt_out_change,
    records_of,
)
from messaging.sms.opt_out_keywords import Keyword, is_answered_help, keyword
from messaging.sms.providers.twilio.errors import of_callback

VIA: Final = "twilio"
FINAL_STATUSES: Final[Mapping[str, ReceiptState]] = MappingProxyType(
    {
        "delivered": ReceiptState.DELIVERED,
        "read": ReceiptState.DELIVERED,
        "undelivered": ReceiptState.FAILED,
        "failed": ReceiptState.FAILED,
        "canceled": ReceiptState.FAILED,
    }
)


def read_webhook(
    fields: Mapping[str, str], body: bytes, via: str = VIA, *, media_links: bool = True
) -> list[Received]:
    """Return the records that an authentic webhook brings to the account `via`; perhaps none."""
    number = fields.get("NumMedia", "").strip()
    media = min(int(number[:3]), MAX_MEDIA) if number.isascii() and number.isdecimal() else 0
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("SmsMessageSid") or ""
    phone_text = PhoneText(
        via=via,
        identity=(sid,),
        sender=fields.get("From", ""),
        recipient=fields.get("To", ""),
        text=fields.get("Body", ""),
        media=[
            Media(fields.get(f"MediaUrl{n}", ""), fields.get(f"MediaContentType{n}", ""))
            for n in range(media)
        ],
        raw=body,
    )
    status = fields.get("MessageStatus") or "received"
    if status not in ("received", "receiving"):
        return _read_callback(fields, phone_text, status)
    # The type that Twilio gives counts more than the words of the text.
    kind = fields.get("OptOutType", "").strip().lower()
    is_known = kind in {known.value for known in Keyword}
    wish = Keyword(kind) if is_known else keyword(phone_text.text)
    is_whatsapp = whatsapp_address(phone_text.sender) is not None
    if wish is Keyword.HELP and (
        is_known or (is_answered_help(phone_text.text) and not is_whatsapp)
    ):
        return []  # Twilio answers it
    # Only Twilio knows whether a bare "yes" opts in or answers a question, and says so when asked to (OptOutType).
    return records_of(phone_text, wish, is_sure=is_known, media_links=media_links)


def _read_callback(fields: Mapping[str, str], phone_text: PhoneText, status: str) -> list[Received]:
    """Return the records of a status callback; none while the text is on its way, for which no order is promised."""
    state = FINAL_STATUSES.get(status)
    if state is None:
        return []
    (sid,) = phone_text.identity
    if not sid:
        return [dead_letter(phone_text, "the status callback does not name its message")]
    receipt = Receipt(via=phone_text.via, network_id=sid, state=state)
    if state is not ReceiptState.FAILED:
        return [receipt]
    why = of_callback(fields.get("ErrorCode", "").strip())
    receipt = replace(receipt, reason=why.reason, retry_after_seconds=why.late_retry_seconds)
    if why.kind is not Kind.OPTED_OUT:
        return [receipt]
    # Here the phone is the recipient of the text.
    reply = replace(phone_text, sender=phone_text.recipient, recipient=phone_text.sender)
    return [receipt, opt_out_change(reply, allowed=False)]
