"""The scenario of a slow disk below the store and the state of the service."""

from chaos.context import Context
from chaos.scenario import Environment, Scenario

DELAYS_SECONDS = (0.05, 0.3, 1.0)
SLOW_SECONDS = 8.0


def slow_disk_scenarios() -> list[Scenario]:
    """Return the one scenario of this module."""
    delays = ", ".join(f"{seconds * 1000:.0f}" for seconds in DELAYS_SECONDS)
    return [
        Scenario(
            name="slow-disk",
            description=f"each fsync takes {delays} ms, for {SLOW_SECONDS:.0f} s each, and everything else on the disk"
            " waits for it",
            inject=_slow_down,
            environment=Environment.VOLATILE_DISK,
        )
    ]


def _slow_down(field: Context) -> None:
    disk = field.store.disk
    if disk is None:
        raise LookupError("this store has no disk that can be slow")
    try:
        for delay in DELAYS_SECONDS:
            before = len(field.record.offers)
            disk.set_delay(delay)
            field.wait(SLOW_SECONDS)
            began = len(field.record.offers) - before
            field.note(
                f"fsync of {delay * 1000:.0f} ms: {began} messages offered in {SLOW_SECONDS:.0f} s"
            )
    finally:
        disk.set_delay(0)
    field.wait(3)
