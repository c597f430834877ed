"""Simulated SPOT feeds on a free port, and accounts with short waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from messaging.config.env import read
from messaging.satellite.providers.spot.account import SpotAccount
from messaging.simulator.shared.serving import Serving
from messaging.simulator.spot.server import BASE_PATH, SpotMessage, SpotSimulator

FEED, OTHER_FEED = "a-feed-id-that-is-secret", "another-feed-id-that-is-secret"
PASSWORD = "a-feed-password-that-is-secret"
SERIAL = "0-8356068"


def spot_account(url: str = "http://127.0.0.1:9", **settings: Any) -> SpotAccount:
    quick = {
        "feeds": FEED,
        "recipients": "mum@example.org",
        "feed_seconds": 0.05,
        "between_feeds_seconds": 0.01,
        "poll_seconds": 0.05,
        "retry_seconds": 0.02,
        "longest_retry_seconds": 0.2,
        "timeout_seconds": 20,
    }
    return read(SpotAccount, url=url, **{**quick, **settings})


@dataclass(frozen=True)
class SpotServer:
    simulator: SpotSimulator
    url: str

    def account(self, **settings: Any) -> SpotAccount:
        return spot_account(f"{self.url}{BASE_PATH}", **settings)

    def send(self, content: str = "", **sent: Any) -> int:
        return self.simulator.send(SpotMessage(**{"feed": FEED, "content": content, **sent}))

    def switch(self, method: str, path: str, content: Any = None, *, status: int = 200) -> Any:
        with httpx.Client(trust_env=False, timeout=30) as client:
            answer = client.request(method, f"{self.url}/sim/{path}", json=content)
        assert answer.status_code == status, answer.text
        return answer.json()

    def page(self, feed: str = FEED, name: str = "message.json", **query: Any) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.get(f"{self.url}{BASE_PATH}/{feed}/{name}", params=query)


@contextmanager
def spot_at(simulator: SpotSimulator) -> Iterator[SpotServer]:
    with Serving(simulator.app) as server:
        yield SpotServer(simulator, server.url)
