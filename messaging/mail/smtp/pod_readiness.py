"""The readiness label of the pod: its settings, the request to Kubernetes, and the task that keeps it up to date."""

import asyncio
import contextlib
import json
import logging
import socket
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

import requests
from pydantic import Field

from messaging.config.env import Section
from messaging.config.settings import Positive
from messaging.errors import Unavailable
from messaging.sending.backoff import wait_seconds

log = logging.getLogger(__name__)

_REASONS: Final = {
    401: "it refuses the token of the service account",
    403: "the service account may not patch this pod",
    404: "it knows no pod of this name",
    409: "another client changed the pod at the same time",
    415: "it does not take merge patches",
    422: "a policy forbids this change",
    429: "it gets too many requests",
}


class PodLabel(Section, prefix="SATBRIDGE_POD_LABEL_"):
    """The label that a pod has while it takes mail, and the address of the API server. Off without a `name`.

    `credentials` is the folder with the service account's `token`, `ca.crt` and `namespace`. The label is set again
    every `recheck_seconds`, since other programs may change it.
    """

    name: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
            examples=["satbridge/mail"],
        ),
    ]
    value: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", examples=["ready"])
    ] = "ready"
    api_url: Annotated[
        str, Field(pattern=r"^https://[^/?#]+$", examples=["https://kubernetes.default.svc"])
    ] = "https://kubernetes.default.svc"
    credentials: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    timeout_seconds: Positive = 5
    retry_seconds: Positive = 1
    longest_retry_seconds: Positive = 60
    recheck_seconds: Positive = 60


class PodLabelClient:
    """Sets and removes the label of the pod of this process, whose name is the host name. Blocking."""

    def __init__(self, settings: PodLabel, pod: str | None = None) -> None:
        self._settings = settings
        self._pod = pod or socket.gethostname()

    def set_label(self, on: bool) -> None:
        """Set or remove the label. Idempotent. Raises Unavailable."""
        # A JSON merge patch (RFC 7386), in which null removes a key.
        value = self._settings.value if on else None
        patch = {"metadata": {"labels": {self._settings.name: value}}}
        status, retry_after = self._send(json.dumps(patch).encode())
        if status != 200:
            reason = _REASONS.get(status, f"it answers {status}")
            raise Unavailable(f"the API server did not change the label: {reason}", retry_after)

    def _send(self, patch: bytes) -> tuple[int, float | None]:
        """Return the status code and the seconds of Retry-After."""
        namespace, pod = (quote(text, safe="") for text in (self._read("namespace"), self._pod))
        headers = {
            "Authorization": f"Bearer {self._read('token')}",
            "Content-Type": "application/merge-patch+json",
            "Accept": "application/json",
        }
        try:
            with requests.Session() as session:
                # Neither a proxy nor a .netrc of the environment may see the token, nor another host by a redirect.
                session.trust_env = False
                with session.patch(
                    f"{self._settings.api_url}/api/v1/namespaces/{namespace}/pods/{pod}",
                    data=patch,
                    headers=headers,
                    verify=str(self._settings.credentials / "ca.crt"),
                    timeout=self._settings.timeout_seconds,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    wait = response.headers.get("Retry-After", "")
                    is_number = wait.isascii() and wait.isdecimal()
                    return response.status_code, float(wait) if is_number else None
        except requests.exceptions.SSLError:
            raise Unavailable("the certificate of the API server is not trusted") from None
        except (requests.RequestException, OSError) as error:
            # The type only: the texts of requests quote addresses.
            raise Unavailable(f"the API server cannot be reached: {type(error).__name__}") from None

    def _read(self, name: str) -> str:
        """Read a file of the service account, every time anew: Kubernetes replaces the token every hour."""
        path = self._settings.credentials / name
        try:
            return path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise Unavailable(f"the service account's {name} cannot be read: {reason}") from None


class PodReadiness:
    """A task that sets the label until it succeeds, and again every `recheck_seconds`. Belongs to an event loop.

    Starts closed, so that it removes the label of an earlier process until `open`. Retries without end.
    """

    def __init__(self, settings: PodLabel, client: PodLabelClient | None = None) -> None:
        self._settings = settings
        self._client = client or PodLabelClient(settings)
        self._wanted = False
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()
        self._failures = 0
        self.state = "unknown"
        self._task = asyncio.get_running_loop().create_task(self._run())

    def open(self) -> None:
        """Set the label from now on."""
        self._set_wanted(True)

    def close(self) -> None:
        """Remove the label from now on."""
        self._set_wanted(False)

    async def wait_closed(self) -> bool:
        """Close, wait for twice `timeout_seconds` at most, and return whether the label is removed."""
        self.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * self._settings.timeout_seconds):
                await self._closed.wait()
        return self._closed.is_set()

    async def stop(self) -> None:
        """Close and end the task."""
        if not await self.wait_closed():
            log.warning("the label of the pod could not be removed")
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _set_wanted(self, wanted: bool) -> None:
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._closed.clear()
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            pause = await self._update(self._wanted)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._changed.wait()

    async def _update(self, wanted: bool) -> float:
        """Set or remove the label once; return the seconds until the next time."""
        settings = self._settings
        try:
            await asyncio.to_thread(self._client.set_label, wanted)
        except Unavailable as error:
            self._set_state(f"failing: {error.reason}")
            self._failures += 1
            return wait_seconds(
                self._failures,
                settings.retry_seconds,
                settings.longest_retry_seconds,
                error.retry_after_seconds,
            )
        self._failures = 0
        self._set_state("open" if wanted else "closed")
        if not wanted and not self._wanted:
            self._closed.set()
        return settings.recheck_seconds

    def _set_state(self, state: str) -> None:
        if state == self.state:
            return
        self.state = state
        level = logging.WARNING if state.startswith("failing") else logging.INFO
        log.log(level, "the label of this pod: %s", state)
