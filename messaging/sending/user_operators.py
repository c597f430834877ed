"""The user operators: functions of the gateway's operator that process each delivery before it is sent."""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from messaging.errors import ConfigurationError, Rejected
from messaging.model.message import Delivery, Message, Outcome

log = logging.getLogger(__name__)

UserOperator = Callable[[Message], Message | None]
"""Returns the message to send: the same, or one with another text or subject. None refuses it for good.

It may raise Rejected with a reason for the history. Any other exception changes nothing: the message is sent as it was.
"""

REFUSED = "refused by a step of this gateway"


class UserOperators:
    """Applies the functions that a setting names to deliveries. A failing function never loses or changes a message."""

    def __init__(self, names: str) -> None:
        self._functions = find_user_operators(names)

    def process(self, deliveries: Sequence[Delivery]) -> list[list[Delivery | Outcome]]:
        """Return for each delivery the one to send, or its outcome when a function refused it. Never raises."""
        return [[self._process(delivery)] for delivery in deliveries]

    def _process(self, delivery: Delivery) -> Delivery | Outcome:
        message = delivery.message
        for function in self._functions:
            try:
                changed = function(message)
                if changed is None:
                    raise Rejected(REFUSED)
                # Only the words may change: the router decides who gets a message, and which kind it is.
                subject, text = _storable(changed.subject), _storable(changed.text)
                message = replace(message, subject=subject, text=text)
            except Rejected as error:
                return Outcome.failed(delivery, error)
            except Exception as error:
                # The type only: the text may quote the message.
                name, kind = getattr(function, "__name__", "a step"), type(error).__name__
                log.error("step %s failed with %s", name, kind, extra={"message_id": message.id})
        return replace(delivery, message=message)


# The modules that functions of operators imported before the code was arranged by subject.
OLDER_MODULES = {
    "messaging.address": "messaging.model.address",
    "messaging.message": "messaging.model.message",
    "messaging.position": "messaging.model.position",
    "messaging.receipt": "messaging.model.receipt",
    "messaging.steps": "messaging.sending.user_operators",
}


def find_user_operators(names: str) -> list[UserOperator]:
    """Import the functions of a list such as `my_module.shorten,my_module.censor`. Raises ConfigurationError."""
    for older, module in OLDER_MODULES.items():
        sys.modules.setdefault(older, import_module(module))
    functions: list[UserOperator] = []
    for name in filter(None, map(str.strip, names.split(","))):
        path, _, attribute = name.rpartition(".")
        try:
            function: UserOperator = getattr(import_module(path), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            kind = type(error).__name__
            raise ConfigurationError(f"SATBRIDGE_STEPS: cannot import {name}: {kind}") from None
        if not callable(function):
            raise ConfigurationError(f"SATBRIDGE_STEPS: {name} is not a function")
        functions.append(function)
    return functions


def _storable(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a text cannot be {type(text).__name__}")
    return text.replace("\0", "")
