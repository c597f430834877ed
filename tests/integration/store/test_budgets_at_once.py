"""Budgets on PostgreSQL with many connections: never more than the limit is reserved, and the sums stay right."""

import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from random import Random
from threading import Barrier

import pytest
from django.db import transaction
from django.db.models import QuerySet

from chaos.budgets import read_samples
from messaging.errors import Rejected, Unavailable
from messaging.model.message import Outcome, SubmittedPart
from messaging.store.accept.router import Router
from messaging.store.db.connection import close_connection
from messaging.store.db.errors import Conflict
from messaging.store.models import Budget, Delivery
from messaging.store.queue import operator_actions
from messaging.store.queue.claims import Claims
from messaging.store.queue.operator_actions import continue_held
from tests.support.store import mortal_worker
from tests.support.store import records as g
from tests.support.store.budgets import add_budget, check_sums, figures
from tests.support.store.records import Gateway

LIMIT, CONNECTIONS, BATCHES, BATCH = 500, 20, 5, 6


@pytest.mark.postgres
def test_never_more_than_the_limit_is_reserved_and_none_is_lost(postgres_gateway: Gateway) -> None:
    settings = postgres_gateway.settings.model_copy(update={"max_waiting_per_subscriber": 0})
    add_budget(LIMIT)
    add_budget(LIMIT + 20, scope="gateway")
    routers = [Router(settings, g.VIAS, now=postgres_gateway.clock) for _ in range(CONNECTIONS)]
    ready = Barrier(CONNECTIONS)

    def offer(number: int) -> None:
        ready.wait()
        try:
            for batch in range(BATCHES):
                mails = [g.mail(f"{number} {batch} {one}") for one in range(BATCH)]
                assert all(isinstance(one, list) for one in routers[number].process(mails))
        finally:
            close_connection()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(offer, range(CONNECTIONS)))
    total = CONNECTIONS * BATCHES * BATCH
    assert Delivery.objects.filter(state="waiting").count() == LIMIT
    assert Delivery.objects.filter(state="held", hold="budget").count() == total - LIMIT
    assert figures() == (LIMIT, 0)
    check_sums()


class Crash(Exception):
    """Stands for the end of a process in the middle of a transaction."""


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(2))
def test_the_sums_agree_after_random_work_and_crashes(postgres_gateway: Gateway, seed: int) -> None:
    settings = postgres_gateway.settings.model_copy(update={"max_waiting_per_subscriber": 0})
    gateway = replace(
        postgres_gateway,
        settings=settings,
        router=Router(settings, g.VIAS, now=postgres_gateway.clock),
    )
    add_budget(30, period="day")
    add_budget(60, scope="gateway", period="day")

    def work(worker: int) -> None:
        random = Random(f"{seed} {worker}")
        router = Router(settings, g.VIAS, now=gateway.clock)
        try:
            for step in range(15):
                _do_one(gateway, router, random, f"{worker} {step}")
        finally:
            close_connection()

    for day in range(2):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(day * 4, day * 4 + 4)))
        check_sums()
        gateway.clock.turn(86_400)
        continue_held(0, 100, settings, gateway.clock())
        check_sums()


def _do_one(gateway: Gateway, router: Router, random: Random, key: str) -> None:
    ids = sorted(Delivery.objects.values_list("id", flat=True)) or [0]
    chosen = Delivery.objects.filter(id__in=random.sample(ids, min(3, len(ids))))
    match random.choice(["accept"] * 4 + ["settle"] * 4 + ["crash", "cancel", "retry", "release"]):
        case "accept":
            router.process([g.mail(f"{key} {one}") for one in range(random.randint(1, 5))])
        case "settle":
            begun = gateway.begin(*Claims(gateway.settings).claim("hive", 4, gateway.clock()))
            begun += gateway.begin(*(d for r in router.process([g.mail(key)]) for d in r))  # type: ignore[union-attr]
            errors = (None, None, Rejected("no"), Unavailable("later"))
            for one in begun:
                error = random.choice(errors)
                part = SubmittedPart(f"{one.id}-{one.attempt}", random.choice((None, 0, 1, 3)))
                outcome = Outcome.failed(one, error) if error else Outcome.sent(one, part)
                gateway.ledger.process([outcome])
        case "crash":
            # The server may end it first: two that wait for each other's rows are one too many.
            with pytest.raises((Crash, Conflict)):
                _crash_within_a_retry(chosen, gateway)
        case "cancel":
            operator_actions.cancel(chosen, gateway.clock())
        case "retry":
            operator_actions.retry(chosen, gateway.settings, gateway.clock())
        case "release":
            over = random.random() < 0.3
            operator_actions.release(chosen, gateway.settings, gateway.clock(), over_budget=over)


def _crash_within_a_retry(chosen: "QuerySet[Delivery]", gateway: Gateway) -> None:
    with transaction.atomic():
        operator_actions.retry(chosen, gateway.settings, gateway.clock())
        raise Crash


ROUNDS, PROCESSES, MAX_STATEMENTS = 4, 4, 100


@pytest.mark.postgres
def test_the_sums_agree_after_processes_are_killed_within_their_transactions(
    postgres_gateway: Gateway, tmp_path: Path
) -> None:
    settings = postgres_gateway.settings.model_copy(update={"max_waiting_per_subscriber": 0})
    add_budget(20, period="trip")
    add_budget(30, scope="gateway", period="trip")
    # A process of its own for each worker, whose modules are loaded once.
    processes = get_context("forkserver")
    processes.set_forkserver_preload(["tests.conftest", mortal_worker.__name__])
    random, accepted = Random(2026), tmp_path / "accepted"
    for turn in range(ROUNDS):
        works = [
            mortal_worker.Work(
                settings=settings,
                seed=f"{turn} {number}",
                statements=random.randint(1, MAX_STATEMENTS),
                before=random.random() < 0.5,
                accepted=accepted,
            )
            for number in range(PROCESSES)
        ]
        workers = [processes.Process(target=mortal_worker.run, args=[work]) for work in works]
        for worker in workers:
            worker.start()
        try:
            while alive := [worker.sentinel for worker in workers if worker.is_alive()]:
                assert [one.problem for one in read_samples() if one.problem] == []
                wait(alive, 0.1)
        finally:
            for worker in workers:
                worker.kill()
                worker.join()
        assert [worker.exitcode for worker in workers] == [-signal.SIGKILL] * PROCESSES
        check_sums()
    ids = accepted.read_text().split()
    assert len(ids) > 30
    assert Delivery.objects.filter(message__in=ids).count() == len(ids)
    assert Delivery.objects.filter(state="held", hold="budget").exists()
    Budget.objects.update(max_amount=100_000)
    continue_held(0, 10_000, settings, postgres_gateway.clock())
    assert not Delivery.objects.filter(state="held").exists()
    postgres_gateway.clock.turn(2 * settings.lease_seconds)
    while owed := postgres_gateway.owed():
        postgres_gateway.ledger.process([Outcome.sent(one, SubmittedPart("id")) for one in owed])
    check_sums()
    assert not Delivery.objects.filter(message__in=ids, state__in=("waiting", "held")).exists()
    assert not any(budget.reserved for budget in read_samples())
