"""The webhook over real sockets: the table of outcomes that every source must pass, and what only HTTP can do."""

import logging

import pytest

from messaging.errors import Busy, Rejected, Unavailable
from messaging.model.message import DeadLetter, Message, OptOutChange
from tests.support.sms.twilio_gateway import (
    FORM,
    TOKEN,
    Router,
    account,
    post,
    serving,
)

SECRET = "the-secret-in-the-text"


TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


@pytest.mark.parametrize(
    ("fails_with", "status", "retry_after"),
    [
        ({}, 200, None),
        ({Message: Rejected(f"unknown number {SECRET}")}, 200, None),
        ({Message: Unavailable(f"the store is away {SECRET}")}, 503, "30"),
        ({Message: Unavailable("the store is away", 7)}, 503, "7"),
        ({Message: Busy("too many waiting")}, 503, "30"),
        ({Message: RuntimeError(SECRET)}, 503, "30"),
        ({Message: Rejected("no"), DeadLetter: Unavailable("away")}, 503, "30"),
        ({Message: Rejected("no"), DeadLetter: Rejected("no")}, 200, None),
    ],
    ids=[
        "accepted",
        "rejected",
        "unavailable",
        "wish",
        "busy",
        "bug",
        "rejected-then-away",
        "rejected-twice",
    ],
)
def test_outcomes(
    fails_with: dict[type, Exception],
    status: int,
    retry_after: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    router = Router(fails_with)
    with serving(router, account()) as url:
        answer = post(url, {**FORM, "Body": SECRET})
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == retry_after
    assert SECRET not in answer.text
    if status == 200:
        assert answer.content == TWIML
        assert answer.headers["content-type"].startswith("text/xml")
    assert TOKEN not in caplog.text
    if not any(SECRET in str(e) for e in fails_with.values() if not isinstance(e, RuntimeError)):
        assert SECRET not in caplog.text


def test_an_accepted_text_is_stored_before_the_answer_and_once_when_it_is_repeated() -> None:
    router = Router()
    with serving(router, account()) as url:
        assert [post(url, FORM).status_code for _ in range(3)] == [200, 200, 200]
        (message,) = router.all()
    assert isinstance(message, Message)
    assert message.text == "hello"


def test_a_rejected_text_can_be_looked_up_with_its_bytes() -> None:
    router = Router({Message: Rejected("nobody here has this number")})
    with serving(router, account()) as url:
        post(url, FORM)
    (kept,) = router.all()
    assert isinstance(kept, DeadLetter)
    assert kept.reason == "nobody here has this number"
    assert b"Body=hello" in kept.raw


def test_stop_is_recorded_and_not_forwarded() -> None:
    router = Router()
    with serving(router, account()) as url:
        assert post(url, {**FORM, "Body": "stop"}).status_code == 200
    (consent,) = router.all()
    assert isinstance(consent, OptOutChange)
    assert not consent.allowed
