"""The routes of webhooks: bounded, checked, and answered with yes only after the router has committed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from messaging.errors import Unavailable
from messaging.logs.records import details
from messaging.model.message import Emit
from messaging.model.webhook import Acknowledgement, NotAuthentic, Webhook
from messaging.satellite import webhook as satellite
from messaging.satellite.account import SatelliteAccount, WebhookAccount
from messaging.sms import webhook as sms
from messaging.sms.account import SmsAccount
from messaging.web.front.answers import NotAllowed, incomplete, later, plain, too_large

log = logging.getLogger(__name__)

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
    provider, nothing was stored. 405: not a POST. 413: too large. 503 with `Retry-After`: later; the provider decides
    whether it retries. `answered` counts the answers to posts.
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
        try:
            taken = await receive(await _read(request, account))
            answer = Response(taken.content, media_type=taken.media_type)
        except Exception as error:
            answer = _refusal(account.name, error)
        answered[account.name, answer.status_code] += 1
        return answer

    # Both spellings of the end: a redirect would turn the POST into a GET without its form.
    for spelling in (path, f"{path}/{{rest:path}}"):
        router.add_api_route(spelling, serve, methods=["POST"], include_in_schema=False)
        router.routes.append(Route(spelling, NotAllowed(("POST",))))


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
            kind = f"{name} webhook refused"
            log.warning("%s webhook refused: %s", name, error, extra=details(kind=kind))
            if error.challenge:
                return plain(401, "not authentic", {"WWW-Authenticate": error.challenge})
            return plain(403, "not authentic")
        case _TooLarge():
            kind = f"{name} webhook too large"
            log.warning("%s webhook refused: too large", name, extra=details(kind=kind))
            return too_large()
        case _Incomplete():
            return incomplete()
        case Unavailable():
            kind = f"{name} webhook put off"
            log.warning("%s webhook put off: %s", name, error.reason, extra=details(kind=kind))
            return later(error.retry_after_seconds)
    # The type only: the text of a foreign exception may quote a body or a secret.
    log.error("%s webhook failed with %s", name, type(error).__name__)
    return later()
