"""Prints the counts as a table, one line for each scenario, ready for a document."""

from chaos.scenario import Scenario
from chaos.verdict import Verdict

HEADS = (
    "scenario",
    "store",
    "offered",
    "yes",
    "final",
    "lost",
    "sent twice",
    "of them marked",
    "longest gap without a yes, s",
    "seconds to settle",
)


def head() -> str:
    """The first two lines."""
    rule = "|".join("---" if n < 2 else "--:" for n in range(len(HEADS)))
    return f"| {' | '.join(HEADS)} |\n|{rule}|"


def line(scenario: Scenario, store: str, verdict: Verdict) -> str:
    """The line of one scenario, and below it whatever did not hold."""
    counts = (
        verdict.offered,
        verdict.yes,
        verdict.final,
        verdict.lost,
        verdict.twice,
        verdict.marked,
    )
    cells = [scenario.name, store, *map(str, counts)]
    cells += [f"{verdict.gap_seconds:.1f}", f"{verdict.settle_seconds:.1f}"]
    extra = [f"  {note}" for note in verdict.notes]
    extra += [f"  NOT HELD: {problem}" for problem in verdict.problems]
    return "\n".join([f"| {' | '.join(cells)} |", *extra])
