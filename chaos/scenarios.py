"""The list of all scenarios."""

from chaos.budgets import budget_scenarios
from chaos.clocks import clock_scenarios
from chaos.failover import failover_scenarios
from chaos.kills import kill_scenarios
from chaos.mixed import mixed_scenarios
from chaos.networks import network_scenarios
from chaos.nodes import node_scenarios
from chaos.outages import outage_scenarios
from chaos.pauses import pause_scenarios
from chaos.poison_messages import poison_scenarios
from chaos.scenario import Scenario
from chaos.slow_disk import slow_disk_scenarios
from chaos.slow_network import slow_network_scenarios
from chaos.upgrades import upgrade_scenarios


def all_scenarios() -> list[Scenario]:
    """Return all scenarios, in the order in which they run in one environment."""
    return [
        *pause_scenarios(),
        *kill_scenarios(),
        *outage_scenarios(),
        *slow_disk_scenarios(),
        *failover_scenarios(),
        *network_scenarios(),
        *poison_scenarios(),
        *mixed_scenarios(),
        *slow_network_scenarios(),
        *budget_scenarios(),
        *clock_scenarios(),
        *node_scenarios(),
        *upgrade_scenarios(),
    ]
