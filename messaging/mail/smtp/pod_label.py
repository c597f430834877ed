"""Sets and removes one label of the pod that we run in, by the API of Kubernetes."""

import json
import socket
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import requests
from pydantic import Field

from messaging.config.env import Section
from messaging.config.settings import Positive
from messaging.errors import Unavailable

_WHY = {
    401: "it refuses the token of the service account",
    403: "the service account may not patch this pod",
    404: "it knows no pod of this name",
    409: "somebody else changed the pod at the same time",
    415: "it does not take merge patches",
    422: "a policy forbids this change",
    429: "it has too much to do",
}


class PodLabel(Section, prefix="SATBRIDGE_POD_LABEL_"):
    """Which label says that mail is taken in this pod, and how the API server is reached. Off without a `name`.

    `credentials` is the folder with the service account's `token`, `ca.crt` and `namespace`. What was set is set again
    every `recheck_seconds`, since others may change labels too.
    """

    name: Annotated[
        str, Field(pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")
    ]
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")] = (
        "ready"
    )
    api_url: Annotated[str, Field(pattern=r"^https://[^/?#]+$")] = "https://kubernetes.default.svc"
    credentials: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    timeout_seconds: Positive = 5
    retry_seconds: Positive = 1
    longest_retry_seconds: Positive = 60
    recheck_seconds: Positive = 60


class LabelledPod:
    """The pod that this process runs in; its name is its host name. Blocking.

    Kubernetes: "Update API Objects in Place Using kubectl patch", JSON merge patch (RFC 7386), in which null removes.
    """

    def __init__(self, settings: PodLabel, name: str | None = None) -> None:
        self._settings = settings
        self._name = name or socket.gethostname()

    def mark(self, on: bool) -> None:
        """Set or remove the label; again is no harm. Raises Unavailable, with the reason in words.

        The token is read anew each time: Kubernetes replaces it every hour.
        """
        value = self._settings.value if on else None
        patch = {"metadata": {"labels": {self._settings.name: value}}}
        status, retry_after = self._sent(json.dumps(patch).encode())
        if status != 200:
            why = _WHY.get(status, f"it answers {status}")
            raise Unavailable(f"the API server did not change the label: {why}", retry_after)

    def _sent(self, patch: bytes) -> tuple[int, float | None]:
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
                    self._url(),
                    data=patch,
                    headers=headers,
                    verify=str(self._settings.credentials / "ca.crt"),
                    timeout=self._settings.timeout_seconds,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    return answer.status_code, _seconds(answer)
        except requests.exceptions.SSLError:
            raise Unavailable("the certificate of the API server is not trusted") from None
        except (requests.RequestException, OSError) as error:
            # The type only: the texts of requests quote addresses.
            raise Unavailable(f"the API server cannot be reached: {type(error).__name__}") from None

    def _url(self) -> str:
        namespace, name = quote(self._read("namespace"), safe=""), quote(self._name, safe="")
        return f"{self._settings.api_url}/api/v1/namespaces/{namespace}/pods/{name}"

    def _read(self, name: str) -> str:
        path = self._settings.credentials / name
        try:
            return path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise Unavailable(
                f"the service account's {name} cannot be read: {_why(error)}"
            ) from None


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _seconds(answer: Any) -> float | None:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdecimal() else None
