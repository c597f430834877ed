"""The webhooks of satellite providers over real sockets: the table of outcomes, and what they may bring."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from messaging.errors import Busy, Rejected, Unavailable
from messaging.model.message import DeadLetter, DeviceReport, Inbound, Message, Receipt
from messaging.simulator.shared.serving import Serving
from messaging.web.webhook_routes import routes
from tests.support.satellite.wire import HookAccount

TOKEN = "token-that-is-secret"
SECRET = "the-secret-in-the-text"
TEXT = {"id": 1, "serial": "7", "texts": [SECRET]}


class Router:
    def __init__(self, fails_with: dict[type, Exception] | None = None) -> None:
        self.fails_with = fails_with or {}
        self.taken: list[Inbound] = []

    async def emit(self, record: Inbound) -> None:
        if error := self.fails_with.get(type(record)):
            raise error
        self.taken.append(record)


@contextmanager
def serving(router: Router, **settings: Any) -> Iterator[str]:
    app = FastAPI()
    account = HookAccount(token=SecretStr(TOKEN), **settings)
    app.include_router(routes({}, {"hook-north": account}, router.emit, "https://example.org"))
    with Serving(app) as served:
        yield f"{served.url}/satellite/hook/hook-north"


def post(url: str, *items: object, token: str = TOKEN) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.post(url, content=json.dumps(items), headers={"X-Token": token})


@pytest.mark.parametrize(
    ("fails_with", "status", "retry_after"),
    [
        ({}, 200, None),
        ({Message: Rejected(f"no such device {SECRET}")}, 200, None),
        ({Message: Unavailable("the store is away", 7)}, 503, "7"),
        ({Message: Busy("too many waiting")}, 503, "30"),
        ({Message: RuntimeError(SECRET)}, 503, "30"),
    ],
    ids=["accepted", "rejected", "unavailable", "busy", "bug"],
)
def test_outcomes(
    fails_with: dict[type, Exception],
    status: int,
    retry_after: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    with serving(Router(fails_with)) as url:
        answer = post(url, TEXT)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert answer.text == ("taken" if status == 200 else "try again later")
    assert TOKEN not in caplog.text
    if Rejected not in map(type, fails_with.values()):
        assert SECRET not in caplog.text


def test_everything_in_one_webhook_is_taken_and_a_bad_event_keeps_back_no_other() -> None:
    router = Router()
    place = {"id": 3, "serial": "7", "texts": ["x"], "position": {"latitude": 1, "longitude": 2}}
    news = {"receipt": "n1", "state": "failed"}
    with serving(router) as url:
        assert post(url, TEXT, {"id": 2, "serial": "7", "broken": True}, place, news).is_success
    kinds = [type(record) for record in router.taken]
    assert kinds == [Message, DeadLetter, DeviceReport, Message, Receipt]


def test_an_event_that_has_to_come_again_keeps_back_no_other() -> None:
    router = Router({Message: Unavailable("away")})
    with serving(router) as url:
        assert post(url, TEXT, {"id": 2, "serial": "7", "broken": True}).status_code == 503
    assert [type(record) for record in router.taken] == [DeadLetter]


@pytest.mark.parametrize(("challenge", "status"), [("", 403), ('Basic realm="x"', 401)])
def test_what_is_not_authentic_is_refused_and_never_stored(challenge: str, status: int) -> None:
    router = Router()
    with serving(router, challenge=challenge) as url:
        answer = post(url, TEXT, token="wrong")
    assert (answer.status_code, answer.headers.get("www-authenticate", "")) == (status, challenge)
    assert router.taken == []


def test_the_path_may_go_on_and_other_accounts_are_not_there() -> None:
    router = Router()
    with serving(router) as url:
        assert post(f"{url}/more/of/it", TEXT).status_code == 200
        assert post(f"{url}/", TEXT).status_code == 200
        assert post(url.replace("hook-north", "hook"), TEXT).status_code == 404
    assert len(router.taken) == 2


def test_what_is_too_large_is_not_read() -> None:
    with serving(Router(), max_webhook_bytes=10) as url:
        assert post(url, TEXT).status_code == 413
