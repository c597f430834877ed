"""Long texts go in numbered parts, and go on where they stopped."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import pytest

from messaging.model.message import Result, SubmittedPart
from messaging.simulator.shared.faults import Faults
from messaging.simulator.twilio.server import TwilioSimulator
from messaging.sms.account import OutgoingText, SmsProvider
from messaging.sms.providers.twilio.account import TwilioAccount
from tests.support.sms.sending.stage import LONG, PARTS
from tests.support.sms.sync_sender import SyncSender
from tests.support.sms.twilio_gateway import account, delivery


def test_a_long_text_goes_in_numbered_parts(sender: SyncSender, twilio: TwilioSimulator) -> None:
    (outcome,) = sender.send(delivery(LONG))
    texts = twilio.outgoing_texts()
    assert [text.body.strip() for text in texts] == [part.strip() for part in PARTS]
    assert texts[0].body.startswith("1/3 ")
    assert outcome.network_id == ",".join(text.sid for text in texts)
    assert (outcome.result, outcome.parts_sent) == (Result.SENT, 3)


def test_a_long_text_goes_on_where_it_stopped(sender: SyncSender, twilio: TwilioSimulator) -> None:
    (first,) = sender.send(delivery(LONG, parts_sent=1))
    assert [text.body[:3] for text in twilio.outgoing_texts()] == ["2/3", "3/3"]
    assert (first.result, first.parts_sent) == (Result.SENT, 3)
    assert sender.send(delivery(LONG, parts_sent=3))[0].result is Result.SENT
    assert len(twilio.outgoing_texts()) == 2


def test_a_failure_between_parts_reports_how_far_it_came(
    api_url: str, twilio: TwilioSimulator
) -> None:
    # The next part is not begun when less than its time-out is left.
    used = SyncSender(account(api_url=api_url, timeout_seconds=30))
    twilio.faults = Faults(latency_seconds=1.5)
    (outcome,) = used.send(delivery(LONG, lease_seconds=31.0))
    used.close()
    (first,) = twilio.outgoing_texts()
    assert (outcome.result, outcome.parts_sent) == (Result.NOT_BEGUN, 1)
    assert outcome.network_id == first.sid


class WithABug:
    """A provider whose second part of a text meets a bug, when it has been handed over."""

    def __init__(self, provider: SmsProvider, error: Exception) -> None:
        self._provider = provider
        self._error = error

    async def send(self, text: OutgoingText) -> SubmittedPart:
        part = await self._provider.send(text)
        if text.body.startswith("2/3 "):
            raise self._error
        return part

    async def find_sent(self, text: OutgoingText, since: datetime) -> Sequence[str]:
        return await self._provider.find_sent(text, since)

    async def check(self) -> str:
        return await self._provider.check()

    async def aclose(self) -> None:
        await self._provider.aclose()


class AccountWithABug(TwilioAccount):
    error: ClassVar[Exception] = ZeroDivisionError()

    def connect(self, public_url: str = "") -> SmsProvider:
        return WithABug(super().connect(public_url), self.error)


class AccountThatTimesOut(AccountWithABug):
    error = TimeoutError()


@pytest.mark.parametrize(
    ("kind", "result"),
    [(AccountWithABug, Result.UNAVAILABLE), (AccountThatTimesOut, Result.UNCERTAIN)],
)
def test_a_bug_between_parts_reports_how_far_it_came(
    kind: type[TwilioAccount], result: Result, api_url: str, twilio: TwilioSimulator
) -> None:
    settings = account(api_url=api_url).model_dump()
    used = SyncSender(kind(**settings))
    (outcome,) = used.send(delivery(LONG))
    used.close()
    first, _ = twilio.outgoing_texts()
    assert (outcome.result, outcome.parts_sent) == (result, 1)
    assert outcome.network_id == first.sid
