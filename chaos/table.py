"""Prints the counts as a table, one line for each scenario, ready for a document."""

from chaos.judge import ScenarioResult
from chaos.scenario import Scenario

HEADS = (
    "scenario",
    "store",
    "offered",
    "yes",
    "final",
    "lost",
    "wrong",
    "sent twice",
    "of them marked",
    "marked, came once",
    "longest gap without a yes, s",
    "seconds to settle",
)


def table_head() -> str:
    """Return the first two lines."""
    rule = "|".join("---" if n < 2 else "--:" for n in range(len(HEADS)))
    return f"| {' | '.join(HEADS)} |\n|{rule}|"


def table_line(scenario: Scenario, store: str, result: ScenarioResult) -> str:
    """Return the line of one scenario, and its problems below."""
    counts = (
        result.offered,
        result.yes,
        result.final,
        result.lost,
        result.wrong,
        result.twice,
        result.marked,
        result.doubts,
    )
    cells = [scenario.name, store, *map(str, counts)]
    cells += [f"{result.gap_seconds:.1f}", f"{result.settle_seconds:.1f}"]
    extra = [f"  {note}" for note in result.notes]
    extra += [f"  NOT HELD: {problem}" for problem in result.problems]
    return "\n".join([f"| {' | '.join(cells)} |", *extra])
