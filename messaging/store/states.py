"""The states of a delivery: how long each may last, and the changes that are allowed. Pure: THE table.

`docs/states.md` shows the same table; a test compares the two.
"""

from dataclasses import dataclass
from enum import StrEnum

from messaging.config.settings import Settings
from messaging.model.message import Network


class State(StrEnum):
    """The state of a delivery; all but `waiting` and `held` are final."""

    HELD = "held"
    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One row of the table. `becomes` lists the states that follow by themselves, `by_hand` those of operator actions.

    `longest` says in words how long it may last; `settings` bound that. Final states have none.
    """

    name: str
    state: State
    longest: str
    ended_by: str
    settings: tuple[str, ...] = ()
    becomes: tuple[State, ...] = ()
    by_hand: tuple[State, ...] = ()


_FOREVER = "no limit"
_ENDS = (State.SENT, State.DELIVERED, State.FAILED, State.EXPIRED, State.WAITING, State.CANCELLED)

STAGES = (
    Stage(
        name="held",
        state=State.HELD,
        longest="`held_days`",
        ended_by="a person releases or refuses it; the budget that held it has room again; STOP from the phone; the"
        " end of that time",
        settings=("held_days",),
        becomes=(State.EXPIRED, State.WAITING, State.REFUSED),
        by_hand=(State.WAITING, State.REFUSED),
    ),
    Stage(
        name="handed out",
        state=State.WAITING,
        longest="four seconds; then it is due again",
        ended_by="the begin of an attempt, just before the first byte; the end of its lifetime; STOP from the phone;"
        " a bounce; a cancel",
        settings=("due_poll_seconds",),
        becomes=_ENDS,
        by_hand=(State.WAITING, State.CANCELLED),
    ),
    Stage(
        name="under way",
        state=State.WAITING,
        longest="one lease",
        ended_by="the outcome that its sender reports, or the end of the lease without one;"
        " STOP from the phone; a bounce; a cancel",
        settings=("lease_seconds",),
        becomes=_ENDS,
        by_hand=(State.CANCELLED,),
    ),
    Stage(
        name="postponed",
        state=State.WAITING,
        longest="until the next attempt is due: twice as long after each, up to the longest wait, longer where the"
        " network asks for it; never past the end of its lifetime",
        ended_by="the next attempt; attempts used up; the end of its lifetime; STOP from the phone; a bounce; a cancel",
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
        ended_by="a receipt or a bounce of its network; lost for now, it waits again",
        becomes=(State.DELIVERED, State.FAILED, State.WAITING),
    ),
    Stage(name="delivered", state=State.DELIVERED, longest=_FOREVER, ended_by="nothing"),
    Stage(
        name="failed",
        state=State.FAILED,
        longest=_FOREVER,
        ended_by="a retry by hand",
        by_hand=(State.WAITING,),
    ),
    Stage(
        name="expired",
        state=State.EXPIRED,
        longest=_FOREVER,
        ended_by="a retry by hand",
        by_hand=(State.WAITING,),
    ),
    Stage(
        name="cancelled",
        state=State.CANCELLED,
        longest=_FOREVER,
        ended_by="a retry by hand",
        by_hand=(State.WAITING,),
    ),
    Stage(name="refused", state=State.REFUSED, longest=_FOREVER, ended_by="nothing"),
)

PENDING = (State.WAITING, State.HELD)
FINAL = frozenset(state for state in State if state not in PENDING)
GIVEN = (State.SENT, State.DELIVERED)
"""The network accepted it."""
UNDELIVERED = (State.FAILED, State.EXPIRED)
"""It did not arrive, without an operator's action."""
DEAD = tuple(
    stage.state for stage in STAGES if stage.state in FINAL and State.WAITING in stage.by_hand
)
"""The states from which a retry by hand leads."""


TRANSITIONS = frozenset((stage.state, after) for stage in STAGES for after in stage.becomes)
"""The changes that follow by themselves."""
TRANSITIONS_BY_HAND = frozenset((stage.state, after) for stage in STAGES for after in stage.by_hand)
"""The changes that an operator can make."""


class IllegalTransition(Exception):
    """The table of states does not list this change: a bug of the caller. Nothing is written."""

    def __init__(self, before: State, after: State) -> None:
        super().__init__(f"a delivery cannot go from {before} to {after}")


def check(before: State, after: State, *, by_hand: bool = False) -> None:
    """Raise IllegalTransition unless the table lists this change."""
    if (before, after) not in (TRANSITIONS_BY_HAND if by_hand else TRANSITIONS):
        raise IllegalTransition(before, after)


def longest_seconds(settings: Settings, network: Network) -> float:
    """Return how long a delivery on this network waits at most, while the gateway runs and the clock goes on.

    That is its lifetime, the attempt that may be under way at its end, and the poll that notices.
    """
    lifetime = settings.retry_policy(network).lifetime_seconds
    return lifetime + settings.lease_seconds + settings.due_poll_seconds
