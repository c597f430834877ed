"""The supervisor: keeps the service running on a Ray cluster, from inside it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from messaging.gateway import Gateway
from messaging.pipeline import HTTP_IN, MAIL_IN, declare
from messaging.service.job_name import JOB
from messaging.service.lifecycle import Lifecycle, WebServer
from messaging.service.process import set_up_process, set_up_worker
from messaging.store.db.connection import close_connection
from messaging.store.db.health import open_ready_store
from messaging.streaming.api import Graph, StageKind
from messaging.streaming.ops.reconciler import JobReconciler, nodes_with
from messaging.streaming.ray.hosts import HostOptions
from messaging.streaming.ray.job import RayJob
from messaging.web.deployment import edge_stands, start_edge, stop_edge

MAIL_RESOURCE = "smtp"
"""The custom Ray resource of the nodes that mail comes in on: `--resources='{"smtp": 1}'`."""


class Supervisor(Lifecycle):
    """Runs in a detached actor (`streaming.ops.detached_actor`), as all instances of the pipeline do.

    Decision: nothing that runs has an owner that can die. Ray itself restarts every actor. Once a second the
    supervisor compares the instances that should exist with those that do; it keeps no state that the cluster or the
    store does not have. So the loss of the process that ran `up`, or of the supervisor, stops nothing. A lost worker
    node costs the time that Ray needs to notice it and to start its actors elsewhere. A head that keeps its tables
    (GCS fault tolerance) costs only the actors that ran on it. A supervisor that owned its workers would be simpler
    by one option, and would end all of them with itself.

    Each actor asks for a part of a processor: so a head with none to give (as KubeRay recommends) runs no actors, and
    the autoscaler sees which nodes are in use. On a cluster with nodes that have the resource `smtp`, each of them
    runs one mail-in actor and no other node does; each such node needs exactly one of the resource. Without such a
    node Ray places mail-in anywhere.
    """

    def __init__(self, gateway: Gateway) -> None:
        settings = gateway.settings
        graph = _with_load(declare(gateway), settings.worker_cpus)
        options = HostOptions(settings.accept_seconds, partial(set_up_worker, settings))
        set_up = partial(set_up_process, settings)
        start_web = partial(start_edge, gateway, JOB, graph, HTTP_IN, MAIL_IN, set_up, spread=True)
        instances = ClusterInstances(JobReconciler(JOB, graph, options))
        super().__init__(gateway, instances, WebServer(start_web, edge_stands, stop_edge))

    def prepare(self) -> None:
        """Open the store before the first instance starts."""
        if self.state == "starting":
            open_ready_store(self.gateway.settings)
            close_connection()

    def serves(self, gateway: Gateway) -> bool:
        """Whether it runs with these settings."""
        same = replace(gateway, holder="") == replace(self.gateway, holder="")
        return same and self.state in ("starting", "running")


class ClusterInstances:
    """Keeps the instances running, with mail-in on the nodes that are meant for it."""

    def __init__(self, reconciler: JobReconciler) -> None:
        self._reconciler = reconciler

    @property
    def job(self) -> RayJob:
        """Return the job. A supervisor that was restarted a moment ago finds its instances first."""
        self._reconciler.adopt()
        return self._reconciler.job

    def look(self) -> list[dict[str, Any]]:
        """Start what is missing, restart what is stuck, and return the status of each instance."""
        if nodes := nodes_with(MAIL_RESOURCE):
            resources: Mapping[str, float] = {MAIL_RESOURCE: 1}
            self._reconciler.spread(MAIL_IN, nodes, resources)
        return self._reconciler.look()


def _with_load(graph: Graph, cpus: float) -> Graph:
    """Let every instance ask for a part of a processor, and the tasks of outgoing mail too."""
    stages = (
        stage if stage.kind is StageKind.INLET else replace(stage, cpus=cpus)
        for stage in graph.stages
    )
    return replace(graph, stages=tuple(stages))
