"""Every scenario there is."""

from chaos.clocks import clock_scenarios
from chaos.kills import kill_scenarios
from chaos.medley import medley_scenarios
from chaos.neighbours import neighbour_scenarios
from chaos.networks import network_scenarios
from chaos.nodes import node_scenarios
from chaos.outages import outage_scenarios
from chaos.poisons import poison_scenarios
from chaos.scenario import Scenario
from chaos.upgrades import upgrade_scenarios


def catalogue() -> list[Scenario]:
    """All scenarios, in the order in which they run on one ground."""
    return [
        *kill_scenarios(),
        *outage_scenarios(),
        *network_scenarios(),
        *poison_scenarios(),
        *medley_scenarios(),
        *neighbour_scenarios(),
        *clock_scenarios(),
        *node_scenarios(),
        *upgrade_scenarios(),
    ]
