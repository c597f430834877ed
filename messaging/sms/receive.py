"""Takes the webhooks of SMS providers over HTTP; says yes only after the router has committed."""

import asyncio
import logging

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from messaging.errors import Rejected, Unavailable
from messaging.message import Emit, Undeliverable
from messaging.sms.provider import NotAuthentic, Received, SmsAccount, Webhook

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 30


class _TooLarge(Exception):
    """The body is larger than any webhook of the provider."""


class _Incomplete(Exception):
    """The peer went away, or took too long, before its request was whole."""


def routes(account: SmsAccount, emit: Emit, public_url: str) -> APIRouter:
    """Return the route `POST /sms/<provider>`, for the application that serves `public_url`.

    Answers 200 with the provider's acknowledgement after `emit` returned. What the router rejects is stored as
    `Undeliverable` and also answered with 200, because coming back cannot help. 403: not from the provider, nothing
    was stored. 413: too large. 503 with `Retry-After`: later; whether a provider then comes back is its own affair.
    """
    router = APIRouter()

    async def receive(request: Request) -> Response:
        return await _answer(account, emit, public_url, request)

    # Both spellings: a redirect would turn the POST into a GET without its form.
    for path in (f"/sms/{account.name}", f"/sms/{account.name}/"):
        router.add_api_route(path, receive, methods=["POST"], include_in_schema=False)
    return router


async def _answer(account: SmsAccount, emit: Emit, public_url: str, request: Request) -> Response:
    message_id = ""
    try:
        webhook = await _read(request, account)
        for inbound in account.parse(webhook, public_url):
            message_id = inbound.id
            await _offer(emit, inbound, webhook.body)
    except Exception as error:
        return _refusal(account, error, message_id)
    taken = account.acknowledgement
    return Response(taken.content, media_type=taken.media_type)


async def _read(request: Request, account: SmsAccount) -> Webhook:
    try:
        async with asyncio.timeout(account.timeout_seconds):
            body = await _read_body(request, account.max_webhook_bytes)
    except (ClientDisconnect, TimeoutError):
        raise _Incomplete from None
    path = request.scope.get("raw_path") or request.url.path.encode()
    return Webhook(
        path=path.decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        headers=dict(request.headers),
        body=body,
    )


async def _read_body(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise _TooLarge
    return bytes(body)


async def _offer(emit: Emit, inbound: Received, raw: bytes) -> None:
    """Hand over one thing; when it is rejected, hand it over again as undeliverable so that it can be looked up."""
    try:
        await emit(inbound)
    except Rejected as error:
        log.info("rejected: %s", error.reason, extra={"message_id": inbound.id})
        if not isinstance(inbound, Undeliverable):
            await _offer(emit, _as_undeliverable(inbound, raw, error.reason), raw)


def _as_undeliverable(inbound: Received, raw: bytes, reason: str) -> Undeliverable:
    return Undeliverable(
        id=inbound.id, sender=inbound.sender, via=inbound.via, raw=raw, reason=reason
    )


def _refusal(account: SmsAccount, error: Exception, message_id: str) -> Response:
    """Return the answer for what went wrong: generic words for the peer, the reason for the log."""
    known = {"message_id": message_id}
    match error:
        case NotAuthentic():
            log.warning("%s webhook refused: %s", account.name, error)
            return PlainTextResponse("not authentic", 403)
        case _TooLarge():
            log.warning("%s webhook refused: too large", account.name)
            return PlainTextResponse("too large", 413, headers={"Connection": "close"})
        case _Incomplete():
            return PlainTextResponse("incomplete", 408, headers={"Connection": "close"})
        case Unavailable():
            log.warning("%s webhook put off: %s", account.name, error.reason, extra=known)
            return _later(error.retry_after_seconds)
    # The type only: the text of a foreign exception may quote a body or a secret.
    log.error("%s webhook failed with %s", account.name, type(error).__name__, extra=known)
    return _later(None)


def _later(seconds: float | None) -> Response:
    wait = str(max(1, round(seconds or RETRY_AFTER_SECONDS)))
    return PlainTextResponse("try again later", 503, headers={"Retry-After": wait})
