"""The short version of the fault harness: processes are killed, a store stops, and every message is counted."""

import pytest

from chaos.catalogue import catalogue
from chaos.run import run
from chaos.scenario import Scenario
from chaos.verdict import Verdict

SEED = 20


@pytest.mark.ray
@pytest.mark.postgres
@pytest.mark.timeout(240)
def test_every_message_that_got_a_yes_survives_kills_outages_and_uncertain_networks() -> None:
    told: dict[str, Verdict] = {}

    def tell(scenario: Scenario, store: str, verdict: Verdict) -> None:
        told[scenario.name] = verdict

    short = [scenario for scenario in catalogue() if scenario.short]
    held = run(short, "postgres", SEED, tell)
    assert held, {name: verdict.problems for name, verdict in told.items()}
    [verdict] = told.values()
    assert verdict.yes > 20
    assert verdict.twice > 0
