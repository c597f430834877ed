"""The operator on whose behalf this process changes the store."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

COMMAND_LINE: Final = "cli"
ADMIN: Final = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator: the id of a user of this system on the command line, of a sign-in in the admin."""

    channel: str
    id: str


_actor: ContextVar[Callable[[], Actor] | None] = ContextVar("actor", default=None)


def current_actor() -> Actor:
    """Return the actor; outside of the admin, the user of this process, or the one who called it by sudo."""
    find = _actor.get()
    return find() if find else Actor(COMMAND_LINE, os.environ.get("SUDO_UID") or str(os.getuid()))


def is_in_admin() -> bool:
    """Whether a request to the admin is being served."""
    return _actor.get() is not None


@contextmanager
def acting_as(find: Callable[[], Actor]) -> Iterator[None]:
    """Let `find` return the actor, in this context. It is called for each entry: a request may begin a sign-in."""
    token = _actor.set(find)
    try:
        yield
    finally:
        _actor.reset(token)
