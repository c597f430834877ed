"""The placement of a graph's stages: which of them share a process. A property of a deployment, not of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from messaging.streaming.api.graph import Graph
from messaging.streaming.api.stage import Stage


@dataclass(frozen=True, slots=True)
class Placement:
    """Names the stage group of a stage: `groups` maps stages to groups.

    Instance `i` of each stage of a group runs in the same process, process `i` of the group. A stage without a group
    is one by itself, of the same name.
    """

    groups: Mapping[str, str] = field(default_factory=dict)

    def group_of(self, stage: str) -> str:
        """Return the stage group of a stage."""
        return self.groups.get(stage, stage)

    def groups_of(self, graph: Graph) -> dict[str, list[Stage]]:
        """Return the groups with the stages of each, both upstream first."""
        found: dict[str, list[Stage]] = {}
        for stage in graph.upstream_first():
            if stage.kind.has_actors:
                found.setdefault(self.group_of(stage.name), []).append(stage)
        return found

    def instances(self, graph: Graph) -> dict[str, list[str]]:
        """Return the names of the instances in each process of each group, by the name of the process."""
        found: dict[str, list[str]] = {}
        for group, stages in self.groups_of(graph).items():
            for stage in stages:
                for index, name in enumerate(stage.instances):
                    found.setdefault(f"{group}/{index}", []).append(name)
        return found


SEPARATE = Placement()
"""Each stage has processes of its own."""
