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
        Scenario(
            name="power-loss",
            description="the machine loses its power, with all that was not synchronised to its disk, three times",
            inject=_lose_power,
            environment=Environment.VOLATILE_DISK,
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


def _lose_power(field: Context) -> None:
    disk = field.store.disk
    if disk is None:
        raise LookupError("this store has no disk that loses its power")
    for _ in range(3):
        field.wait_random(1, 4)
        disk.cut_power(field.random.randrange(10**6))
        field.killed += field.gateway.kill_everything()
        field.store.kill()
        disk.restore_power()
        field.store.give_back()
        field.gateway.start()
    field.wait(3)
