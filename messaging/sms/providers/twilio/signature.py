"""Checks that Twilio signed a webhook (Twilio's page "Webhooks security"). Pure."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, parse_qsl

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from messaging.model.webhook import NotAuthentic, Webhook

MAX_FIELDS: Final = 1000

Fields = ImmutableMultiDict[str, str]


def authentic_fields(webhook: Webhook, url: str, tokens: Sequence[str]) -> Fields:
    """Return the posted fields when one of `tokens` signed this request to `url`. Raises NotAuthentic.

    A JSON body has no fields; it counts as signed when its hash stands in the URL (`bodySHA256`).
    """
    signature = webhook.headers.get("x-twilio-signature")
    if not signature:
        raise NotAuthentic("the signature is missing")
    content_type = webhook.headers.get("content-type", "").strip().lower()
    is_json = content_type.startswith("application/json")
    content = _json_text(webhook) if is_json else _form(webhook.body)
    if not any(_is_signed(url, content, signature, token) for token in tokens):
        # Without a query, or a password, which may be secret.
        scheme, _, rest = url.partition("?")[0].partition("://")
        where = f"{scheme}://{rest.rpartition('@')[2]}"
        raise NotAuthentic(f"the signature does not match {where}")
    return Fields([]) if isinstance(content, str) else content


def _is_signed(url: str, content: Fields | str, signature: str, token: str) -> bool:
    try:
        return bool(RequestValidator(token).validate(url, content, signature))
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
