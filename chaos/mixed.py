"""One scenario with a mixture of faults in less than a minute, for the tests."""

from chaos.context import Context
from chaos.kills import WORKERS, kill_everything
from chaos.networks import ALL
from chaos.outages import SHORT_SECONDS
from chaos.scenario import Scenario


def mixed_scenarios() -> list[Scenario]:
    """Return the one scenario of this module."""
    return [
        Scenario(
            name="medley",
            description="four actors killed at once while the networks break after accepting; the store away for 5 s;"
            " then everything killed and started again",
            inject=_mixed,
            short=True,
        )
    ]


def _mixed(field: Context) -> None:
    # Several are lost in ten requests, so that one of them comes again within this short time for sure.
    field.gateway.set_faults(*ALL, hang_after_rate=0.4, hang_seconds=5, drop_after_rate=0.4)
    field.wait_random(1.5, 2.5)
    field.kill_workers(*(f"{name}/0" for name in field.random.sample(WORKERS, 4)))
    field.wait_random(1, 2)
    field.gateway.set_faults(*ALL)
    field.store.take_away()
    field.wait(SHORT_SECONDS)
    field.store.give_back()
    field.wait_random(0.5, 1.5)
    kill_everything(field)
    field.wait(1)
