"""Runs scenarios: a gateway for each ground, the load around each strike, and the verdict when all has settled."""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from random import Random

from chaos.field import Field
from chaos.gateway import StrickenGateway
from chaos.grounds import ground_for
from chaos.load import Load, mark_taken
from chaos.record import Record
from chaos.scenario import Ground, Scenario
from chaos.stores import Store
from chaos.verdict import (
    FINAL,
    Verdict,
    arrivals,
    judge,
    mails_with_two_ids,
    roughness,
    stories,
)

SETTLE_SECONDS = 120.0
AFTERMATH_SECONDS = 2.0

Tell = Callable[[Scenario, str, Verdict], None]


def run(scenarios: Sequence[Scenario], store: str, seed: int, tell: Tell) -> bool:
    """Run all scenarios that this store has, telling each verdict; returns whether everything held.

    Raises nothing that a scenario raises: it becomes a problem in its verdict.
    """
    held = True
    mine = [scenario for scenario in scenarios if store in scenario.stores]
    order = list(Ground)
    mine.sort(key=lambda scenario: order.index(scenario.ground))
    for ground, group in groupby(mine, key=lambda scenario: scenario.ground):
        with _standing(ground, store) as (gateway, kept):
            for scenario in group:
                chance = Random(f"{seed} {scenario.name} {store}")
                verdict = run_one(scenario, gateway, kept, chance)
                tell(scenario, store, verdict)
                held = held and not verdict.problems
    return held


@contextmanager
def _standing(ground: Ground, store: str) -> Iterator[tuple[StrickenGateway, Store]]:
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="satbridge-chaos-")))
        # The PostgreSQL server has a user of its own, who has to come by here.
        folder.chmod(0o755)
        yield exits.enter_context(ground_for(ground, store, folder))


def run_one(scenario: Scenario, gateway: StrickenGateway, store: Store, chance: Random) -> Verdict:
    """Run one scenario on a gateway that stands, and judge it."""
    record = Record(secrets.token_hex(4))
    field = Field(gateway, store, record, chance)
    problems: list[str] = []
    with Load(gateway, record) as load:
        try:
            scenario.strike(field)
        except Exception as error:
            problems.append(f"the strike failed: {type(error).__name__}: {error}")
    settle_seconds = _settled(gateway, record, load.ended)
    verdict = judge(
        record,
        stories(gateway, record.run),
        arrivals(gateway),
        two_ids=mails_with_two_ids(gateway),
        gap_seconds=record.longest_gap_seconds(load.began, load.ended),
        settle_seconds=settle_seconds,
    )
    if scenario.gentle:
        problems += roughness(record, verdict)
    notes = field.notes + ([f"{field.killed} processes killed"] if field.killed else [])
    return replace(verdict, problems=(*problems, *verdict.problems), notes=tuple(notes))


def _settled(gateway: StrickenGateway, record: Record, since: float) -> float:
    """Wait until nothing is owed any more, at most `SETTLE_SECONDS`; returns how long after the load that was."""
    deadline = since + SETTLE_SECONDS
    while not _is_settled(gateway, record) and time.monotonic() < deadline:
        time.sleep(0.3)
    seconds = time.monotonic() - since
    # What was sent just before may still be on its way to the far side, perhaps a second time.
    time.sleep(AFTERMATH_SECONDS)
    return seconds


def _is_settled(gateway: StrickenGateway, record: Record) -> bool:
    if mark_taken(gateway, record):
        return False
    told = stories(gateway, record.run)
    agreed = [offer for offer in record.offers if offer.yes_at is not None]
    return all(o.token in told and set(told[o.token].states) <= FINAL for o in agreed)
