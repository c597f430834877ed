"""Runs scenarios: a gateway for each environment, load around each fault, and the result when all has settled."""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from random import Random

from chaos.arrivals import arrivals
from chaos.context import Context
from chaos.environments import start_environment
from chaos.gateway import TargetGateway
from chaos.judge import (
    FINAL,
    ScenarioResult,
    disturbances,
    judge,
    mails_with_two_ids,
    stored_messages,
)
from chaos.load import Load, mark_taken
from chaos.record import Record
from chaos.scenario import Environment, Scenario
from chaos.stores import Store

SETTLE_SECONDS = 120.0
AFTERMATH_SECONDS = 2.0

Report = Callable[[Scenario, str, ScenarioResult], None]


def run(scenarios: Sequence[Scenario], store: str, seed: int, report: Report) -> bool:
    """Run all scenarios of this store and report each result; return whether all passed.

    An exception of a scenario becomes a problem in its result.
    """
    held = True
    mine = [scenario for scenario in scenarios if store in scenario.stores]
    order = list(Environment)
    mine.sort(key=lambda scenario: order.index(scenario.environment))
    for environment, group in groupby(mine, key=lambda scenario: scenario.environment):
        with _environment(environment, store) as (gateway, kept):
            for scenario in group:
                chance = Random(f"{seed} {scenario.name} {store}")
                result = run_one(scenario, gateway, kept, chance)
                report(scenario, store, result)
                held = held and not result.problems
    return held


@contextmanager
def _environment(environment: Environment, store: str) -> Iterator[tuple[TargetGateway, Store]]:
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="satbridge-chaos-")))
        # The PostgreSQL server has a user of its own, who has to come by here.
        folder.chmod(0o755)
        yield exits.enter_context(start_environment(environment, store, folder))


def run_one(
    scenario: Scenario, gateway: TargetGateway, store: Store, chance: Random
) -> ScenarioResult:
    """Run one scenario on a running gateway and judge it."""
    record = Record(secrets.token_hex(4))
    field = Context(gateway, store, record, chance)
    problems: list[str] = []
    with Load(gateway, record, scenario.mail_connections) as load:
        try:
            scenario.inject(field)
        except Exception as error:
            problems.append(f"injecting the fault failed: {type(error).__name__}: {error}")
    if field.after_load is not None:
        try:
            field.after_load()
        except Exception as error:
            problems.append(f"after the load: {type(error).__name__}: {error}")
    settle_seconds = _wait_until_settled(field, load.ended)
    found = arrivals(gateway)
    result = judge(
        record,
        stored_messages(gateway, record.run),
        found,
        two_ids=mails_with_two_ids(gateway),
        gap_seconds=record.longest_gap_seconds(load.began, load.ended),
        settle_seconds=settle_seconds,
        max_twice=scenario.max_twice,
        rollback=field.rollback,
    )
    if scenario.gentle:
        problems += disturbances(record, result, found)
    notes = field.notes + ([f"{field.killed} processes killed"] if field.killed else [])
    return replace(result, problems=(*problems, *result.problems), notes=tuple(notes))


def _wait_until_settled(field: Context, since: float) -> float:
    """Wait until every delivery is final, at most `SETTLE_SECONDS`; return the seconds since the load."""
    deadline = since + SETTLE_SECONDS
    while not _is_settled(field) and time.monotonic() < deadline:
        time.sleep(0.3)
    seconds = time.monotonic() - since
    # The last requests may still be on their way to the network, perhaps a second time.
    time.sleep(AFTERMATH_SECONDS)
    return seconds


def _is_settled(field: Context) -> bool:
    record = field.record
    if mark_taken(field.gateway, record):
        return False
    stored = stored_messages(field.gateway, record.run)
    agreed = [offer for offer in record.offers if offer.yes_at is not None]
    if field.rollback is not None:
        # A message that the rollback removed is never final.
        agreed = [o for o in agreed if o.token in stored or not field.rollback.may_lose(o)]
    return all(o.token in stored and set(stored[o.token].states) <= FINAL for o in agreed)
