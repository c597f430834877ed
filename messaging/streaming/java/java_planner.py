"""Plans Java operators that follow each other into one stage, so that they run in one JVM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from messaging.streaming.api.errors import DeclarationError
from messaging.streaming.api.logical import Node
from messaging.streaming.api.plan import Planner
from messaging.streaming.java.java_steps import Operators, OperatorsMaker


class JavaPlanner(Planner):
    """A planner that knows Java operators by the maker of their stage, an `OperatorsMaker`."""

    def predecessor(self, node: Node) -> Node | None:
        """See Planner. A Java operator shares the JVM of the one that feeds it only."""
        if not operators_of(node) or len(node.inputs) != 1 or not node.chain:
            return None
        (source,) = node.inputs
        before = self.nodes[source.node]
        uses = sum(one.node == before.id for other in self.nodes for one in other.inputs)
        shared = operators_of(before) and uses == 1 and self.can_join(node, source)
        return before if shared else None

    def maker(self, node: Node) -> Callable[..., Any] | None:
        """See Planner."""
        return OperatorsMaker(self._operators(node)) if operators_of(node) else node.stage.make

    def _operators(self, node: Node) -> Operators:
        before = self.predecessor(node)
        own = tuple((verb, self._arguments(node, verb, name)) for verb, name in operators_of(node))
        return (self._operators(before) if before else ()) + own

    def _arguments(self, node: Node, verb: str, name: str) -> str:
        """Return the class of an operator; a partition in Java also needs the number of receivers."""
        if verb != "partition_by":
            return name
        nexts = (n for n in self.nodes if any(one.node == node.id for one in n.inputs))
        receivers = {self.logical.parallelism(one) for one in nexts}
        if len(receivers) > 1:
            raise DeclarationError(
                f"{node}: partition_by before operators of different parallelism"
            )
        return f"{name} {max(receivers, default=1)}"


def operators_of(node: Node) -> Operators:
    """Return the Java operators of a node; none for a node in Python."""
    make = node.stage.make
    return make.operators if isinstance(make, OperatorsMaker) else ()
