"""The operators of the gateway's owner: functions that see each delivery between the router and the senders."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from messaging.errors import ConfigurationError, Rejected
from messaging.model.message import Delivery, Message, Outcome

log = logging.getLogger(__name__)

Step = Callable[[Message], Message | None]
"""Returns the message as it shall leave: the same, or with another text or subject; None refuses it for good.

It may raise `Rejected` with a reason for the history. Whatever else it raises changes nothing: the message goes on.
"""

REFUSED = "refused by a step of this gateway"


class UserOperators:
    """Applies the steps of the setting to a batch of deliveries. A failing step never loses or changes a message."""

    def __init__(self, names: str) -> None:
        self._steps = find_user_operators(names)

    def process(self, deliveries: Sequence[Delivery]) -> list[list[Delivery | Outcome]]:
        """Return for each delivery what shall be sent, or its outcome when a step refused it. Never raises."""
        return [[self._one(delivery)] for delivery in deliveries]

    def _one(self, delivery: Delivery) -> Delivery | Outcome:
        message = delivery.message
        for step in self._steps:
            try:
                message = _applied(step, message)
            except Rejected as error:
                return Outcome.failed(delivery, error)
            except Exception as error:
                # The type only: the text may quote the message.
                name, kind = getattr(step, "__name__", "a step"), type(error).__name__
                log.error("step %s failed with %s", name, kind, extra={"message_id": message.id})
        return replace(delivery, message=message)


def find_user_operators(names: str) -> list[Step]:
    """Import the functions of a list such as `my_module.shorten,my_module.censor`. Raises ConfigurationError."""
    return [_found(name.strip()) for name in names.split(",") if name.strip()]


def _found(name: str) -> Step:
    module, _, function = name.rpartition(".")
    try:
        step: Step = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"SATBRIDGE_STEPS: cannot import {name}: {type(error).__name__}"
        ) from None
    if not callable(step):
        raise ConfigurationError(f"SATBRIDGE_STEPS: {name} is not a function")
    return step


def _applied(step: Step, message: Message) -> Message:
    """Only the words may change: who gets a message, and what it is, belongs to the router."""
    changed = step(message)
    if changed is None:
        raise Rejected(REFUSED)
    return replace(message, subject=_words(changed.subject), text=_words(changed.text))


def _words(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a text cannot be {type(text).__name__}")
    return text.replace("\0", "")
