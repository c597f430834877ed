"""Steps of the gateway's owner: what they may change, what they may not, and that none of them loses a message."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from messaging.errors import ConfigurationError
from messaging.model.message import Address, Delivery, Message, Network, Outcome, Result
from messaging.sending.user_operators import UserOperators, find_user_operators


def delivery(text: str) -> Delivery:
    message = Message(
        id="1" * 32,
        sender=Address(Network.EMAIL, "alice@example.net"),
        recipient=Address(Network.SATELLITE, "7"),
        text=text,
        via="hive",
    )
    return Delivery(id=1, message=message, attempt=1, lease_until=datetime.now(UTC))


def after(steps: str, text: str = "hello") -> Delivery | Outcome:
    ((result,),) = UserOperators(steps).process([delivery(text)])
    return result


def sent(result: Delivery | Outcome) -> str:
    assert isinstance(result, Delivery)
    return result.message.text


def test_steps_rewrite_one_after_the_other() -> None:
    names = "tests.support.user_operators.shout, examples.place_codes.shorten"
    assert sent(after(names, "off Horta")) == "OFF HOR"


@pytest.mark.parametrize(
    ("step", "reason"), [("refuse_spam", "refused by a step"), ("refuse_with_reason", "no pirates")]
)
def test_a_step_may_refuse_for_good(step: str, reason: str) -> None:
    result = after(f"tests.support.user_operators.{step}", "spam")
    assert isinstance(result, Outcome)
    assert result.result is Result.REJECTED
    assert reason in result.reason


@pytest.mark.parametrize("step", ["crash", "nonsense"])
def test_a_failing_step_changes_nothing_and_says_so_without_the_text(
    step: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert (
            sent(after(f"tests.support.user_operators.{step}, tests.support.user_operators.shout"))
            == "HELLO"
        )
    assert f"step {step} failed with" in caplog.text
    assert "hello" not in caplog.text


def test_a_step_cannot_send_a_message_elsewhere() -> None:
    result = after("tests.support.user_operators.hijack")
    assert isinstance(result, Delivery)
    assert result.message == delivery("mine").message


@pytest.mark.parametrize(
    "name",
    [
        "shout",
        "tests.nowhere.shout",
        "tests.support.user_operators.x",
        "tests.support.user_operators.NOT_A_FUNCTION",
    ],
)
def test_a_step_that_is_not_there_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"SATBRIDGE_STEPS: .*{name}"):
        find_user_operators(name)


def test_a_function_may_import_the_modules_of_older_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "older_step.py").write_text(
        "from messaging.message import Message\n\n\ndef keep(message: Message) -> Message:\n    return message\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    [function] = find_user_operators("older_step.keep")
    assert function.__annotations__["message"] is Message
