"""The scenario that has some of everything in less than a minute, for the tests."""

from chaos.field import Field
from chaos.kills import WORKERS, kill_everything
from chaos.networks import ALL
from chaos.outages import SHORT_SECONDS
from chaos.scenario import Scenario


def medley_scenarios() -> list[Scenario]:
    """One."""
    return [
        Scenario(
            name="medley",
            what="four actors killed at once while the networks break after they accepted; the store away for 5 s;"
            " then everything killed and started again",
            strike=_medley,
            short=True,
        )
    ]


def _medley(field: Field) -> None:
    # Several are lost in ten requests, so that one of them comes again within this short time for sure.
    field.gateway.set_faults(*ALL, hang_after_rate=0.4, hang_seconds=5, drop_after_rate=0.4)
    field.a_while(1.5, 2.5)
    field.kill_workers(*(f"{name}/0" for name in field.chance.sample(WORKERS, 4)))
    field.a_while(1, 2)
    field.gateway.set_faults(*ALL)
    field.store.take_away()
    field.wait(SHORT_SECONDS)
    field.store.give_back()
    field.a_while(0.5, 1.5)
    kill_everything(field)
    field.wait(1)
