"""The checks in front of Django's pages: method, host and body."""

import logging
from collections.abc import Collection
from typing import Final

from django.http.request import split_domain_port, validate_host
from starlette.types import ASGIApp, Receive, Scope, Send

from messaging.logs.records import details
from messaging.web.front.answers import not_allowed, plain
from messaging.web.front.bodies import BodyRoom, BoundedBodies
from messaging.web.front.limits import BODY_SECONDS, ROOM_BYTES, is_posted, max_page_bytes

log = logging.getLogger(__name__)

UNKNOWN_HOST: Final = "the host is not that of SATBRIDGE_PUBLIC_URL"
READ: Final = ("GET", "HEAD")
READ_AND_POST: Final = ("GET", "HEAD", "POST")


class GuardedPages:
    """ASGI middleware for Django's pages: 400 for a host that is not ours, 405, and bounded bodies.

    Django itself would write a traceback for each wrong host, and store any body in a file before it looks at it.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        # Django logs each request that it refuses, and scanners send thousands. Errors of ours still are.
        for name in ("django.request", "django.security"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._hosts = hosts
        self._bounded = BoundedBodies(app, max_page_bytes, BODY_SECONDS, BodyRoom(ROOM_BYTES))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            methods = READ_AND_POST if is_posted(scope) else READ
            names = [value for name, value in scope["headers"] if name == b"host"]
            name = names[0].decode("latin-1") if len(names) == 1 else ""
            domain, _ = split_domain_port(name)
            if not (domain and validate_host(domain, list(self._hosts))):
                log.warning("page refused: %s", UNKNOWN_HOST, extra=details(kind=UNKNOWN_HOST))
                await plain(400, "unknown host")(scope, receive, send)
                return
            if scope["method"] not in methods:
                await not_allowed(methods)(scope, receive, send)
                return
        await self._bounded(scope, receive, send)
