"""The life of a delivery: every state, the longest time it may last, and what ends it. Pure: THE table.

`docs/life-of-a-message.md` shows the same table and is compared with it by a test.
"""

from dataclasses import dataclass
from enum import StrEnum

from messaging.config.settings import Settings
from messaging.model.message import Network


class State(StrEnum):
    """Where a delivery stands; every state but `waiting` is final."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One row of the table. `becomes` are the states that follow by themselves, `by_hand` those a person can make.

    `longest` says in words how long it may last, `settings` what bounds it; a final state has neither.
    """

    name: str
    state: State
    longest: str
    ended_by: str
    settings: tuple[str, ...] = ()
    becomes: tuple[State, ...] = ()
    by_hand: tuple[State, ...] = ()


_FOREVER = "for ever"
_ENDS = (State.SENT, State.DELIVERED, State.FAILED, State.EXPIRED, State.WAITING, State.CANCELLED)

STAGES = (
    Stage(
        name="under way",
        state=State.WAITING,
        longest="one lease",
        ended_by="the outcome that its sender reports, or the end of the lease without one;"
        " a phone that says STOP; a bounce",
        settings=("lease_seconds",),
        becomes=_ENDS,
        by_hand=(State.CANCELLED,),
    ),
    Stage(
        name="put off",
        state=State.WAITING,
        longest="until the next attempt is due: twice as long after each, up to the longest wait, longer where the"
        " network asks for it; never past the end of its life",
        ended_by="the next attempt; attempts used up; the end of its life; a phone that says STOP; a bounce",
        settings=(
            "*_retry_seconds",
            "*_longest_retry_seconds",
            "*_max_attempts",
            "*_lifetime_hours",
            "due_poll_seconds",
        ),
        becomes=_ENDS,
        by_hand=(State.WAITING, State.CANCELLED),
    ),
    Stage(
        name="sent",
        state=State.SENT,
        longest=_FOREVER,
        ended_by="only news from the network that took it: a receipt, or a bounce; lost for now, it waits again",
        becomes=(State.DELIVERED, State.FAILED, State.WAITING),
    ),
    Stage(name="delivered", state=State.DELIVERED, longest=_FOREVER, ended_by="nothing"),
    Stage(
        name="failed",
        state=State.FAILED,
        longest=_FOREVER,
        ended_by="nothing but a retry by hand",
        by_hand=(State.WAITING,),
    ),
    Stage(
        name="expired",
        state=State.EXPIRED,
        longest=_FOREVER,
        ended_by="nothing but a retry by hand",
        by_hand=(State.WAITING,),
    ),
    Stage(
        name="cancelled",
        state=State.CANCELLED,
        longest=_FOREVER,
        ended_by="nothing but a retry by hand",
        by_hand=(State.WAITING,),
    ),
)

FINAL = frozenset(state for state in State if state is not State.WAITING)
GIVEN = (State.SENT, State.DELIVERED)
"""The network has it."""
UNDELIVERED = (State.FAILED, State.EXPIRED)
"""It reached nobody, and nobody wanted it that way."""
DEAD = tuple(
    stage.state for stage in STAGES if stage.state in FINAL and State.WAITING in stage.by_hand
)
"""The dead letters: what a person can give another round."""


_BY_ITSELF = frozenset((stage.state, after) for stage in STAGES for after in stage.becomes)
_BY_HAND = frozenset((stage.state, after) for stage in STAGES for after in stage.by_hand)


class IllegalTransition(Exception):
    """The table of states does not list this change: a bug of the caller. Nothing is written."""


def may_become(before: State, after: State, *, by_hand: bool = False) -> bool:
    """Return whether the table lists this change."""
    return (before, after) in (_BY_HAND if by_hand else _BY_ITSELF)


def check(before: State, after: State, *, by_hand: bool = False) -> None:
    """Raise IllegalTransition unless the table lists this change."""
    if not may_become(before, after, by_hand=by_hand):
        how = " by hand" if by_hand else ""
        raise IllegalTransition(f"a delivery cannot go from {before} to {after}{how}")


def longest_seconds(settings: Settings, network: Network) -> float:
    """Return how long a delivery on this network waits at most while the gateway runs and the clock goes on.

    Its life, the attempt that may be under way when that ends, and the poll that notices.
    """
    lifetime = settings.retry_policy(network).lifetime_seconds
    return lifetime + settings.lease_seconds + settings.due_poll_seconds
