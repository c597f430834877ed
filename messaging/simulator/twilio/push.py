"""Posts the webhooks of the simulated Twilio: signs them, and comes back by the rules in the URL's fragment.

Twilio's pages "Webhooks security" and "Webhooks: connection overrides". Written without Twilio's SDK, so that the
gateway's use of it is checked against a second reading of the same rules.
"""

import asyncio
import base64
import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin

import httpx

from messaging.simulator.twilio.state import new_sid

Fields = Sequence[tuple[str, str]]

_READABLE = ("text/xml", "application/xml", "text/html", "text/plain")
_KINDS = frozenset(("4xx", "5xx", "ct", "rt"))


def signature(auth_token: str, url: str, fields: Fields) -> str:
    """Return `X-Twilio-Signature`: HMAC-SHA1 over the URL and the fields, names in byte order, values distinct."""
    values: dict[str, set[str]] = {}
    for name, value in fields:
        values.setdefault(name, set()).add(value)
    signed = url + "".join(name + v for name in sorted(values) for v in sorted(values[name]))
    digest = hmac.digest(auth_token.encode(), signed.encode(), "sha1")
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Rules:
    """How long to wait and when to come back. The defaults are Twilio's: once, when the connection failed."""

    connect_seconds: float = 5
    read_seconds: float = 15
    total_seconds: float = 15
    retries: int = 1
    when: frozenset[str] = frozenset(("ct",))

    @classmethod
    def of(cls, fragment: str) -> "Rules":
        """Read the overrides (`rc=3&rp=all`); values out of range are clamped."""
        given = {name: values[-1] for name, values in parse_qs(fragment).items()}
        when = frozenset(given.get("rp", "ct").split(","))
        return cls(
            connect_seconds=_within(given.get("ct"), 100, 10_000, 5000) / 1000,
            read_seconds=_within(given.get("rt"), 100, 15_000, 15_000) / 1000,
            total_seconds=_within(given.get("tt"), 100, 15_000, 15_000) / 1000,
            retries=_within(given.get("rc"), 0, 5, 1),
            when=_KINDS if "all" in when else when & _KINDS,
        )


def _within(text: str | None, least: int, most: int, default: int) -> int:
    return min(max(int(text), least), most) if text and text.isdecimal() else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One request to a webhook and its result. `failure` is empty, or the kind of failure that `rp` names."""

    url: str
    status: int | None = None
    failure: str = ""
    reply: str = ""
    warning: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


class Webhooks:
    """Posts forms with the signature of one account."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self.requests = 0

    async def deliver(
        self, urls: Sequence[str], fields: Fields, headers: Mapping[str, str] | None = None
    ) -> list[Try]:
        """Try the first URL by its rules, then the next (the fallback); return every try, the last one decides.

        `headers` replace those that would be sent; an empty `X-Twilio-Signature` leaves the signature out.
        """
        token = new_sid("IT")
        tries: list[Try] = []
        for url in urls:
            tries += await self._by_the_rules(
                url, fields, {"I-Twilio-Idempotency-Token": token} | dict(headers or {})
            )
            if not tries[-1].failure:
                break
        return tries

    async def _by_the_rules(
        self, url: str, fields: Fields, headers: Mapping[str, str]
    ) -> list[Try]:
        address, _, fragment = url.partition("#")
        rules = Rules.of(fragment)
        ends = time.monotonic() + rules.total_seconds
        tries: list[Try] = []
        while len(tries) <= rules.retries and (left := ends - time.monotonic()) > 0:
            tries.append(await self._once(address, fields, headers, rules, left))
            if tries[-1].failure not in rules.when:
                break
        return tries

    async def _once(
        self, url: str, fields: Fields, headers: Mapping[str, str], rules: Rules, seconds: float
    ) -> Try:
        self.requests += 1
        limits = httpx.Timeout(rules.read_seconds, connect=rules.connect_seconds)
        try:
            async with (
                asyncio.timeout(seconds),
                httpx.AsyncClient(trust_env=False, timeout=limits) as client,
            ):
                response = await client.post(
                    url, content=urlencode(fields), headers=self._headers(url, fields, headers)
                )
                if response.has_redirect_location:  # the form is lost on the way, as at Twilio
                    response = await client.get(urljoin(url, response.headers["location"]))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Try(url=url, failure="ct")
        except (httpx.TransportError, TimeoutError):
            return Try(url=url, failure="rt")
        return _try_of(url, response)

    def _headers(self, url: str, fields: Fields, headers: Mapping[str, str]) -> dict[str, str]:
        all_headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signature(self._auth_token, url, fields),
        } | dict(headers)
        return {name: value for name, value in all_headers.items() if value}


def _try_of(url: str, response: httpx.Response) -> Try:
    kind = response.headers.get("content-type", "").partition(";")[0]
    unreadable = bool(response.content) and kind not in _READABLE
    return Try(
        url=url,
        status=response.status_code,
        failure=f"{response.status_code // 100}xx" if response.status_code >= 400 else "",
        reply=response.text,
        warning="12300 Invalid Content-Type" if unreadable else "",
    )
