"""The limits of requests, by path. Imports nothing that needs Django: Serve's proxy uses them too."""

from typing import Final

from starlette.types import Scope

from messaging.model.webhook import MAX_WEBHOOK_BYTES

POSTED: Final = ("/admin/",)
"""The paths below which forms are posted."""
WEBHOOKS: Final = ("/sms/", "/satellite/")
MAX_FORM_BYTES: Final = 2 * 1024 * 1024
MAX_UNWANTED_BYTES: Final = 8192
"""The largest body on a path where nothing is posted."""
BODY_SECONDS: Final = 30.0
"""How long a body may take."""
HEAD_SECONDS: Final = 20.0
"""How long a new connection may take until its first request, and the headers of a request."""
ROOM_BYTES: Final = 64 * 1024 * 1024
"""The memory for all bodies at once, beyond the first 64 KiB of each."""
MAX_CONNECTIONS: Final = 1000
MAX_CONNECTIONS_PER_CLIENT: Final = 100
"""From one public address. A private address may be that of a proxy, whose clients are many."""


def is_posted(scope: Scope) -> bool:
    """Whether forms are posted to the path."""
    return any(scope["path"].startswith(start) for start in POSTED)


def max_page_bytes(scope: Scope) -> int:
    """Return the largest body of a request for a page of the admin."""
    return MAX_FORM_BYTES if is_posted(scope) else MAX_UNWANTED_BYTES


def max_body_bytes(scope: Scope) -> int:
    """Return the largest body on the public port. Each account has a smaller limit of its own for its webhooks."""
    is_webhook = any(scope["path"].startswith(start) for start in WEBHOOKS)
    return MAX_WEBHOOK_BYTES if is_webhook else MAX_UNWANTED_BYTES
