"""Scenarios in which the store is unreachable or full."""

from chaos.context import Context
from chaos.scenario import Environment, Scenario
from chaos.stores import fill

LOCKED_SECONDS = 12.0
STOPPED_SECONDS = 20.0
SHORT_SECONDS = 5.0
FULL_SECONDS = 12.0


def outage_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [
        Scenario(
            name="store-away",
            description=f"PostgreSQL stopped for {STOPPED_SECONDS:.0f} s, or SQLite locked by another process for"
            f" {LOCKED_SECONDS:.0f} s",
            inject=_away,
        ),
        Scenario(
            name="store-crash",
            description="PostgreSQL shut down immediately, transactions and all, and started, three times",
            inject=_crash,
            stores=("postgres",),
        ),
        Scenario(
            name="disk-full",
            description=f"no room on the disk of the store for {FULL_SECONDS:.0f} s",
            inject=_full,
            environment=Environment.SMALL_DISK,
        ),
    ]


def _away(field: Context) -> None:
    seconds = LOCKED_SECONDS if field.store.name == "sqlite" else STOPPED_SECONDS
    field.wait(2)
    field.store.take_away()
    field.wait(seconds)
    field.store.give_back()
    field.wait(3)


def _crash(field: Context) -> None:
    for _ in range(3):
        field.wait_random(1, 3)
        field.store.crash()
    field.wait(3)


def _full(field: Context) -> None:
    field.wait(3)
    filler = fill(field.store.folder)
    field.wait(FULL_SECONDS)
    filler.unlink()
    # A PostgreSQL that could not write its log has ended itself; its supervisor starts it.
    field.store.give_back()
    field.wait(5)
