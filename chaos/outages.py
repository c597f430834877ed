"""Scenarios in which the store goes away, or has no room."""

from chaos.field import Field
from chaos.scenario import Ground, Scenario
from chaos.stores import fill

LOCKED_SECONDS = 12.0
STOPPED_SECONDS = 20.0
SHORT_SECONDS = 5.0
FULL_SECONDS = 12.0


def outage_scenarios() -> list[Scenario]:
    """All of them."""
    return [
        Scenario(
            name="store-away",
            what=f"PostgreSQL stopped for {STOPPED_SECONDS:.0f} s, or SQLite locked by another process for"
            f" {LOCKED_SECONDS:.0f} s",
            strike=_away,
        ),
        Scenario(
            name="store-crash",
            what="PostgreSQL shut down immediately, transactions and all, and started, three times",
            strike=_crash,
            stores=("postgres",),
        ),
        Scenario(
            name="disk-full",
            what=f"no room on the disk of the store for {FULL_SECONDS:.0f} s",
            strike=_full,
            ground=Ground.SMALL_DISK,
        ),
    ]


def _away(field: Field) -> None:
    seconds = LOCKED_SECONDS if field.store.name == "sqlite" else STOPPED_SECONDS
    field.wait(2)
    field.store.take_away()
    field.wait(seconds)
    field.store.give_back()
    field.wait(3)


def _crash(field: Field) -> None:
    for _ in range(3):
        field.a_while(1, 3)
        field.store.crash()
    field.wait(3)


def _full(field: Field) -> None:
    field.wait(3)
    filler = fill(field.store.folder)
    field.wait(FULL_SECONDS)
    filler.unlink()
    # A PostgreSQL that could not write its log has ended itself; its supervisor starts it.
    field.store.give_back()
    field.wait(5)
