"""The web server without Ray Serve, in one actor of Ray's: the webhooks and the admin."""

import logging
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import ray
from fastapi import FastAPI
from ray.exceptions import RayError

from messaging.config.settings import Listen
from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.streaming.api import Graph, JobName
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.ray.packing import pack
from messaging.web.admin_server import AdminServer, admin_app
from messaging.web.direct_server import DirectServer
from messaging.web.job_app import RunningJob, build_job_app
from messaging.web.replica import DirectReplica

log = logging.getLogger(__name__)

# A process starts within seconds; on a machine that is busy with other things it takes half a minute.
START_SECONDS = 60.0
# A process that does not answer for so long hangs, and is started again.
ANSWER_SECONDS = 10.0
RETRY_SECONDS = 1.0
PAUSE_SECONDS = 0.2


class DirectEdge:
    """Starts, checks and stops the actor. Ray starts it again when it dies."""

    def __init__(
        self,
        gateway: Gateway,
        name: JobName,
        graph: Graph,
        inlet: str,
        watched: str,
        set_up: Callable[[], None],
        placement: Placement = SEPARATE,
    ) -> None:
        job = RunningJob(name, placement, placement.instances(graph))
        build = partial(build_job_app, gateway, job, graph.view_for(inlet), inlet, watched)
        self._stop_seconds = gateway.settings.accept_seconds
        self._arguments = set_up, pack(partial(DirectServers, gateway, build))
        self._actor: Any = None

    def start(self) -> None:
        """Return when the port takes connections. Raises Unavailable; another call continues from there."""
        if self._actor is None:
            make: Any = ray.remote(DirectReplica)
            options = make.options(num_cpus=0, max_restarts=-1, max_task_retries=0)
            self._actor = options.remote(*self._arguments)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                ray.get(self._actor.stands.remote(), timeout=START_SECONDS)
            except (RayError, TimeoutError) as error:
                if time.monotonic() > deadline:
                    why = type(error).__name__
                    raise Unavailable(f"the web server did not start ({why})") from None
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def stands(self) -> bool:
        """Whether it answers. One that hangs is ended, so that Ray starts it again."""
        if self._actor is None:
            return False
        try:
            return bool(ray.get(self._actor.stands.remote(), timeout=ANSWER_SECONDS))
        except TimeoutError:
            log.warning("the web server does not answer: it is started again")
            ray.kill(self._actor, no_restart=False)
        except RayError:
            log.warning("the web server ended: it is started again")
        return False

    def stop(self) -> None:
        """Let requests in work end, and end the actor."""
        if self._actor is None:
            return
        try:
            ray.get(self._actor.stop.remote(), timeout=self._stop_seconds + ANSWER_SECONDS)
        except (RayError, TimeoutError) as error:
            log.warning("the web server ended with %s", type(error).__name__)
        ray.kill(self._actor)
        self._actor = None


class DirectServers:
    """The servers of webhooks and of the admin in this process.

    A process that cannot listen ends, so that Ray starts it again.
    """

    def __init__(self, gateway: Gateway, build: Callable[[], FastAPI]) -> None:
        settings = gateway.settings
        listen = Listen.parse(settings.http_listen)
        self._server = DirectServer(listen, build, settings.accept_seconds)
        try:
            self._server.start()
        except Unavailable as error:
            log.error("%s", error.reason)
            time.sleep(RETRY_SECONDS)
            os._exit(1)
        self._admin: AdminServer | None = None
        if settings.admin_address is not None:
            try:
                self._admin = AdminServer(
                    settings.admin_address, partial(admin_app, gateway.policy)
                )
            except Exception as error:  # a gateway without its admin takes mail and webhooks
                log.error("the admin cannot start: %s", type(error).__name__)

    def stands(self) -> bool:
        """Whether the web server runs; without it this process ends, and is started again."""
        if not self._server.stands():
            os._exit(1)
        return True

    def stop(self) -> None:
        """Let requests in work end, and stop both."""
        self._server.stop()
        if self._admin is not None:
            self._admin.close()
