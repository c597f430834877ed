"""The short version of the fault harness: processes are killed, a store stops, and every message is counted."""

import pytest

from chaos.judge import ScenarioResult
from chaos.run import run
from chaos.scenario import Scenario
from chaos.scenarios import all_scenarios

SEED = 20


@pytest.mark.ray
@pytest.mark.postgres
# Two starts of a gateway and a wait for all messages: 160 s on two idle cores.
@pytest.mark.timeout(600)
def test_every_message_that_got_a_yes_survives_kills_outages_and_uncertain_networks() -> None:
    told: dict[str, ScenarioResult] = {}

    def tell(scenario: Scenario, store: str, verdict: ScenarioResult) -> None:
        told[scenario.name] = verdict

    short = [scenario for scenario in all_scenarios() if scenario.short]
    held = run(short, "postgres", SEED, tell)
    assert held, {name: verdict.problems for name, verdict in told.items()}
    [verdict] = told.values()
    assert verdict.yes > 20
    assert verdict.twice > 0
