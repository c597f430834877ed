"""Keeps the service running on a Ray cluster, from inside it: creates what is missing, restarts what is stuck."""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

from messaging.errors import ConfigurationError
from messaging.gateway import Gateway
from messaging.pipeline import HTTP_IN, MAIL_IN, declare
from messaging.service.process import set_up_process, set_up_worker
from messaging.service.shutdown import shut_down
from messaging.store.db.connection import close_connection
from messaging.store.db.opening import open_ready_store
from messaging.streaming.api import Graph, JobName, StageKind
from messaging.streaming.ops.reconciler import JobReconciler, nodes_with
from messaging.streaming.ray.hosts import HostOptions
from messaging.web.deployment import edge_stands, start_edge

log = logging.getLogger(__name__)

JOB = JobName("gateway")
MAIL_RESOURCE = "smtp"
"""The custom Ray resource of the nodes that mail comes in on: `--resources='{"smtp": 1}'`."""


@dataclass(frozen=True, slots=True)
class Report:
    """How the service is. `problem` says in words what keeps it from running. Times are seconds since 1970."""

    state: str
    mail: list[str]
    http: str
    since: float
    workers: list[dict[str, Any]]
    problem: str = ""


class Supervisor:
    """Lives in an actor that belongs to nobody (`streaming.ops.detached_actor`), as do all actors of the pipeline.

    The choice: nothing that runs has an owner that can die. Every actor is detached and restarted by Ray itself; the
    supervisor only compares what should be there with what is there, once a second, and remembers nothing that the
    cluster or the store does not know. So the loss of the process that ran `up`, or of the supervisor, stops nothing;
    a worker node that is lost costs what Ray needs to notice it and to start its actors elsewhere; and a head that
    keeps its tables (GCS fault tolerance) costs only what ran on it. A supervisor that owned its workers would be
    simpler by one option, and would take all of them with it.

    Each actor asks for a little of a processor, so a head with none to give (as KubeRay recommends) carries nothing,
    and the autoscaler sees which nodes are in use. On a cluster with nodes that have the resource `smtp`, mail comes
    in on each of these and nowhere else; each such node needs exactly one of it. Without such a node it comes in
    wherever Ray finds room.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        settings = gateway.settings
        self._graph = _with_load(declare(gateway), settings.worker_cpus)
        self._standing = JobReconciler(
            JOB, self._graph, HostOptions(settings.accept_seconds, partial(set_up_worker, settings))
        )
        self._edge = _Care(self._look_after_edge)
        self._busy = Lock()
        self._workers: list[dict[str, Any]] = []
        self._since = time.time()
        self._state = "starting"
        self._problem = ""

    def look(self) -> None:
        """One round. Raises what stands in its way; it is called again anyway."""
        with self._busy:
            if self._state in ("draining", "stopped"):
                return
            try:
                self._round()
            except ConfigurationError as error:
                self._problem = str(error)
                log.error("%s", error)

    def _round(self) -> None:
        if self._state == "starting":
            open_ready_store(self._gateway.settings)
            close_connection()
        self._place_mail()
        self._edge.give()
        self._workers = self._standing.look()
        if self._mail() and self._edge.well:
            self._state, self._problem = "running", ""

    def _place_mail(self) -> None:
        if nodes := nodes_with(MAIL_RESOURCE):
            self._standing.spread(MAIL_IN, nodes, {MAIL_RESOURCE: 1})

    def _look_after_edge(self) -> None:
        if not edge_stands():
            start_edge(
                self._gateway,
                JOB,
                self._graph,
                HTTP_IN,
                MAIL_IN,
                partial(set_up_process, self._gateway.settings),
                spread=True,
            )

    def _mail(self) -> list[str]:
        return [str(a) for row in self._workers for a in row.get("listening", ())]

    # -- asked from outside, on other threads

    def report(self) -> Report:
        """Tell how everything was at the last look."""
        http = f"http://{self._gateway.settings.http_listen}"
        return Report(
            self._state, self._mail(), http, self._since, self._workers, self._in_the_way()
        )

    def _in_the_way(self) -> str:
        if self._problem or self._state in ("draining", "stopped"):
            return self._problem
        if all(row.get("lost") for row in self._workers):
            return "no worker has started yet; each needs SATBRIDGE_WORKER_CPUS of a processor"
        if not self._mail():
            return "mail-in does not listen; its log says why"
        return "" if self._edge.well else "the web server does not answer yet"

    def serves(self, gateway: Gateway) -> bool:
        """Whether it runs, and with just these settings."""
        same = replace(gateway, holder="") == replace(self._gateway, holder="")
        return same and self._state in ("starting", "running")

    def stop(self) -> bool:
        """Drain and end everything but itself; returns whether all in work was settled."""
        self._state = "draining"  # the round that may be under way is the last one
        with self._busy:
            self._edge.rest()
            self._standing.adopt()  # it may have been started again a moment ago
            settled = shut_down(self._standing.job, self._gateway.settings, lambda: None)
            self._state, self._workers = "stopped", []
        return settled


class _Care:
    """Runs one task on a thread of its own, never twice at once: Serve may take long to answer."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self._thread = ThreadPoolExecutor(1)
        self._given: Future[None] | None = None
        self.well = False

    def give(self) -> None:
        if self._given is not None and not self._given.done():
            return
        if self._given is not None:
            self.well = self._given.exception() is None
            if not self.well:
                log.warning("the web server: %s", type(self._given.exception()).__name__)
        self._given = self._thread.submit(self._task)

    def rest(self) -> None:
        self._thread.shutdown(cancel_futures=True)


def _with_load(graph: Graph, cpus: float) -> Graph:
    """Let every instance ask for a little of a processor, and outgoing mail, which is tasks, too."""
    has_load = (stage.kind is not StageKind.INLET for stage in graph.stages)
    loaded = (
        replace(stage, cpus=cpus) if has else stage
        for stage, has in zip(graph.stages, has_load, strict=True)
    )
    return replace(graph, stages=tuple(loaded))
