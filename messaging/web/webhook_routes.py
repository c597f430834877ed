"""The routes of webhooks: bounded, checked, and answered with yes only after the router has committed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from messaging.errors import Unavailable
from messaging.logs.records import details
from messaging.model.message import Emit
from messaging.model.webhook import Acknowledgement, NotAuthentic, Webhook
from messaging.satellite import webhook as satellite
from messaging.satellite.account import SatelliteAccount, WebhookAccount
from messaging.sms import webhook as sms
from messaging.sms.account import SmsAccount

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 30

Receive = Callable[[Webhook], Awaitable[Acknowledgement]]
Answered = tuple[str, int]
"""An account, and the status code that one of its webhooks was answered with."""


class _TooLarge(Exception):
    """The body is larger than any webhook of the provider."""


class _Incomplete(Exception):
    """The peer left, or took too long, before its request was complete."""


def routes(
    texts: Mapping[str, SmsAccount],
    satellites: Mapping[str, SatelliteAccount],
    emit: Emit,
    public_url: str,
    answered: Counter[Answered] | None = None,
) -> APIRouter:
    """Return `POST /sms/<account>` and `POST /satellite/<provider>/<account>`, as reached under `public_url`.

    The account reads the rest of the path. The answer is 200 with the provider's acknowledgement once everything is
    on disk, also for a message that can never be delivered, because a retry cannot help. 401 or 403: not from the
    provider, nothing was stored. 413: too large. 503 with `Retry-After`: later; the provider decides whether it
    retries. `answered` counts the answers.
    """
    router = APIRouter()
    counts = Counter() if answered is None else answered
    for name, account in texts.items():
        receive: Receive = partial(_receive_text, account, emit, public_url)
        _add(router, f"/sms/{name}", account, receive, counts)
    for name, network in satellites.items():
        if isinstance(network, WebhookAccount):
            receive = partial(_receive_packets, network, emit, public_url)
            path = f"/satellite/{network.provider()}/{name}"
            _add(router, path, network, receive, counts)
    return router


async def _receive_text(
    account: SmsAccount, emit: Emit, public_url: str, webhook: Webhook
) -> Acknowledgement:
    await sms.receive(account, webhook, emit, public_url)
    return account.acknowledgement


async def _receive_packets(
    account: WebhookAccount, emit: Emit, public_url: str, webhook: Webhook
) -> Acknowledgement:
    await satellite.receive(account, webhook, emit, public_url)
    return account.acknowledge(webhook)


def _add(
    router: APIRouter,
    path: str,
    account: SmsAccount | WebhookAccount,
    receive: Receive,
    answered: Counter[Answered],
) -> None:
    async def serve(request: Request) -> Response:
        answer = await _answer(account, receive, request)
        answered[account.name, answer.status_code] += 1
        return answer

    # Both spellings of the end: a redirect would turn the POST into a GET without its form.
    for spelling in (path, f"{path}/{{rest:path}}"):
        router.add_api_route(spelling, serve, methods=["POST"], include_in_schema=False)


async def _answer(
    account: SmsAccount | WebhookAccount, receive: Receive, request: Request
) -> Response:
    try:
        taken = await receive(await _read(request, account))
    except Exception as error:
        return _refusal(account.name, error)
    return Response(taken.content, media_type=taken.media_type)


async def _read(request: Request, account: SmsAccount | WebhookAccount) -> Webhook:
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


def _refusal(name: str, error: Exception) -> Response:
    """Return the answer for an error: generic words for the peer, the reason for the log."""
    match error:
        case NotAuthentic():
            log.warning(
                "%s webhook refused: %s",
                name,
                error,
                extra=details(kind=f"{name} webhook refused"),
            )
            if error.challenge:
                return _plain_answer(401, "not authentic", {"WWW-Authenticate": error.challenge})
            return _plain_answer(403, "not authentic")
        case _TooLarge():
            kind = f"{name} webhook too large"
            log.warning("%s webhook refused: too large", name, extra=details(kind=kind))
            return _plain_answer(413, "too large", {"Connection": "close"})
        case _Incomplete():
            return _plain_answer(408, "incomplete", {"Connection": "close"})
        case Unavailable():
            kind = f"{name} webhook put off"
            log.warning("%s webhook put off: %s", name, error.reason, extra=details(kind=kind))
            return _later(error.retry_after_seconds)
    # The type only: the text of a foreign exception may quote a body or a secret.
    log.error("%s webhook failed with %s", name, type(error).__name__)
    return _later(None)


def _plain_answer(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(words, status, headers=headers)


def _later(seconds: float | None) -> Response:
    wait = str(max(1, round(seconds or RETRY_AFTER_SECONDS)))
    return _plain_answer(503, "try again later", {"Retry-After": wait})
