"""Every scenario there is."""

from chaos.kills import kill_scenarios
from chaos.networks import network_scenarios
from chaos.outages import outage_scenarios
from chaos.scenario import Scenario


def catalogue() -> list[Scenario]:
    """All scenarios, in the order in which they run on one ground."""
    return [*kill_scenarios(), *outage_scenarios(), *network_scenarios()]
