"""Scenarios in which a PostgreSQL fails over to a standby that lacks the last commits of its primary."""

import time
from functools import partial

from chaos.context import Context
from chaos.judge import Rollback
from chaos.load import mark_taken
from chaos.scenario import Environment, Scenario
from chaos.standby import ReplicatedStore

LAG_SECONDS = 3.0
"""The time between the end of the replication and the end of the primary."""


def failover_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [
        Scenario(
            name="fail-over",
            description=f"the standby is cut off; {LAG_SECONDS:.0f} s later the primary is killed and the standby takes"
            " over; replication is synchronous, so no commit returns in between and nothing may be lost",
            inject=partial(_fail_over, synchronous=True),
            environment=Environment.STANDBY,
            stores=("postgres",),
        ),
        Scenario(
            name="fail-over-asynchronous",
            description="the same with asynchronous replication: what was committed in between is gone; all else"
            " must be kept",
            inject=partial(_fail_over, synchronous=False),
            environment=Environment.STANDBY,
            stores=("postgres",),
        ),
    ]


def _fail_over(field: Context, *, synchronous: bool) -> None:
    store = field.store
    if not isinstance(store, ReplicatedStore):
        raise LookupError("this store has no standby")
    store.add_standby(synchronous=synchronous)
    field.wait_random(3, 5)
    # Uplinks that were acknowledged before the cut get their yes before it.
    mark_taken(field.gateway, field.record)
    began = time.monotonic()
    store.cut_off()
    field.wait(LAG_SECONDS)
    field.killed += store.fail_over()
    ended = time.monotonic()
    mark_taken(field.gateway, field.record)
    agreed = sum(o.yes_at is not None and o.yes_at >= began for o in field.record.offers)
    field.note(f"{agreed} messages got their yes between the cut and the fail-over")
    if not synchronous:
        field.rollback = Rollback(began, time.monotonic())
    field.note(f"the standby took over {ended - began - LAG_SECONDS:.1f} s after the primary's end")
    field.wait(5)
