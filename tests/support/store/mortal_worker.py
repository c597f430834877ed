"""Work on a store in a process of its own, which kills itself (SIGKILL) after one of its statements."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from django.db import connection

from messaging.config.settings import Settings
from messaging.errors import Rejected, Unavailable
from messaging.model.message import Delivery, Outcome, SubmittedPart
from messaging.store.accept.router import Router
from messaging.store.queue import operator_actions
from messaging.store.queue.begin import StoreBegins
from messaging.store.queue.claims import Claims
from messaging.store.queue.ledger import Ledger
from tests.support.store import records as g

STEPS = 40


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one process: its store, its part of all random choices, and the file for what it accepts.

    It ends by SIGKILL right after so many statements, within a transaction or not; or right before the last of them,
    which may be after the end of a transaction.
    """

    settings: Settings
    seed: str
    statements: int
    before: bool
    accepted: Path


def run(work: Work) -> None:
    """Accept, settle, hold, cancel and release at random until the process is killed."""
    random, clock = Random(work.seed), g.Clock()
    router = Router(work.settings, g.VIAS, now=clock)
    ledger = Ledger(work.settings, g.VIAS, now=clock)
    with work.accepted.open("a") as file, connection.execute_wrapper(_kill_at(work)):
        for step in range(STEPS):
            mails = [g.mail(f"{work.seed} {step} {n}") for n in range(random.randint(1, 5))]
            results = router.process(mails)
            made = [one for result in results for one in _accepted(result)]
            # Written at once, as a 250 is.
            file.write("".join(f"{mail.id}\n" for mail in mails))
            file.flush()
            made += Claims(work.settings).claim("hive", random.randint(1, 6), clock())
            begun = StoreBegins(work.settings, now=clock).process(made)
            _settle([one for result in begun for one in _accepted(result)], ledger, random)
            _decide_some(work.settings, clock, random)


def _accepted(result: list[Delivery] | Exception) -> list[Delivery]:
    assert isinstance(result, list), result
    return result


def _settle(begun: list[Delivery], ledger: Ledger, random: Random) -> None:
    outcomes = []
    for one in begun:
        error = random.choice((None, None, None, Rejected("no"), Unavailable("later")))
        part = SubmittedPart(f"{one.id}-{one.attempt}", random.choice((None, 0, 1, 3)))
        outcomes.append(Outcome.failed(one, error) if error else Outcome.sent(one, part))
    results = ledger.process(outcomes)
    assert all(isinstance(one, list) for one in results), results


def _decide_some(settings: Settings, clock: g.Clock, random: Random) -> None:
    from messaging.store.models import Delivery as Row

    ids = sorted(Row.objects.values_list("id", flat=True)) or [0]
    chosen = Row.objects.filter(id__in=random.sample(ids, min(3, len(ids))))
    match random.choice(("cancel", "release", "continue", "refuse")):
        case "cancel":
            operator_actions.cancel(chosen, clock())
        case "release":
            operator_actions.release(chosen, settings, clock())
        case "continue":
            operator_actions.continue_held(0, 20, settings, clock())
        case "refuse":
            operator_actions.refuse(chosen, clock())


def _kill_at(work: Work) -> Callable[..., Any]:
    left = work.statements

    def execute(do: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if not left and work.before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = do(sql, params, many, context)
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return execute
