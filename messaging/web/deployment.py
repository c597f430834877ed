"""The Ray Serve deployment of the web application: its replicas feed the pipeline's inlet and report readiness."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.schema import ApplicationStatus, ProxyStatus

from messaging.config.settings import Listen, Settings
from messaging.errors import Unavailable
from messaging.gateway import Gateway
from messaging.streaming.api import Graph, JobName, StreamingError
from messaging.streaming.api.placement import SEPARATE, Placement
from messaging.streaming.ray.local import LOOPBACK
from messaging.streaming.ray.packing import pack
from messaging.web.admin_server import AdminServer, admin_app
from messaging.web.job_app import RunningJob, build_job_app
from messaging.web.replica import AdminReplica, HttpReplica, set_up_on_loopback

log = logging.getLogger(__name__)

APPLICATION = "satbridge-http"
ADMIN_APPLICATION = "satbridge-admin"
# The node of the head, which `kubectl port-forward` and a tunnel find.
ON_HEAD = {"node:__internal_head__": 0.001}
QUIET_LOGGING = {"log_level": "WARNING", "enable_access_log": False}
# Requests that wait while the store or the router stalls: ten seconds of 200 webhooks, of at most 64 KiB each. Beyond
# it Serve lets requests wait by doubling pauses, and is then slow to catch up.
MAX_ONGOING_REQUESTS = 2000
# Serve replaces a dead replica at its next check, by default once in 10 s.
REPLICA_CHECK_SECONDS = 0.5
ADMIN_CHECK_SECONDS = 5
# How long the first report of a service waits for the admin.
ADMIN_SECONDS = 30.0
# How long one call of `start_edge` waits for a proxy, after Serve itself has waited for a minute.
PROXY_SECONDS = 60.0
PAUSE_SECONDS = 0.2


def start_edge(
    gateway: Gateway,
    name: JobName,
    graph: Graph,
    inlet: str,
    watched: str,
    set_up: Callable[[], None],
    *,
    spread: bool = False,
    placement: Placement = SEPARATE,
) -> None:
    """Start Serve and the application on it; returns when it answers. `watched` is the stage that shows draining.

    With `spread`, every node that has a replica listens, and each replica asks its node for a part of a processor.

    Raises Unavailable when Serve is slow, or a part of it ended while it started. Serve goes on and replaces that
    part; another call continues from there. Raises StreamingError when the application itself cannot start.
    """
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    settings = gateway.settings
    if not spread:
        set_up = partial(set_up_on_loopback, set_up)
    deployment: Any = serve.deployment(
        name="http",
        num_replicas=settings.http_replicas,
        logging_config=QUIET_LOGGING,
        max_ongoing_requests=MAX_ONGOING_REQUESTS,
        ray_actor_options={"num_cpus": settings.worker_cpus if spread else 0},
        graceful_shutdown_timeout_s=settings.accept_seconds,
        health_check_period_s=REPLICA_CHECK_SECONDS,
    )(serve.ingress()(HttpReplica))
    job = RunningJob(name, placement, placement.instances(graph))
    build = partial(build_job_app, gateway, job, graph.view_for(inlet), inlet, watched)
    application = deployment.bind(set_up, pack(build))
    try:
        _start_serve(settings, spread)
        _start_admin(gateway, set_up)
        serve.run(application, name=APPLICATION, route_prefix="/")
        _await_admin(settings)
    except (RayError, RayServeException, TimeoutError) as error:
        raise Unavailable(f"Ray Serve did not start in time ({type(error).__name__})") from None
    except RuntimeError:
        raise StreamingError("the web application cannot start; its log says why") from None


def _start_admin(gateway: Gateway, set_up: Callable[[], None]) -> None:
    """Begin to start the admin, in a process of its own: passwords cost processor time, and no webhook waits for it."""
    listen = gateway.settings.admin_address
    if listen is None:
        return
    deployment: Any = serve.deployment(
        name="admin",
        num_replicas=1,
        logging_config=QUIET_LOGGING,
        ray_actor_options={"num_cpus": 0, "resources": ON_HEAD},
        graceful_shutdown_timeout_s=1,
        health_check_period_s=ADMIN_CHECK_SECONDS,
    )(AdminReplica)
    build = partial(admin_app, gateway.policy)
    application = deployment.bind(set_up, pack(partial(AdminServer, listen, build)))
    target = serve.RunTarget(application, name=ADMIN_APPLICATION, route_prefix=None)
    # Nothing waits for it: a gateway whose admin cannot start takes mail and webhooks all the same.
    serve.run_many(
        [target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False
    )


def _await_admin(settings: Settings) -> None:
    """Return when the admin stands, or after a while: then the log says so."""
    deadline = time.monotonic() + ADMIN_SECONDS
    while settings.admin_address is not None:
        found = serve.status().applications.get(ADMIN_APPLICATION)
        if found is not None and found.status == ApplicationStatus.RUNNING:
            return
        if time.monotonic() > deadline:
            log.warning("the admin has not started yet; Ray Serve goes on trying")
            return
        time.sleep(PAUSE_SECONDS)


def _start_serve(settings: Settings, spread: bool) -> None:
    """Return when a proxy answers. Raises TimeoutError, or what Ray raises."""
    listen = Listen.parse(settings.http_listen)
    # HAProxy listens where our own configuration of it says. The replicas, and a proxy behind it, take this address.
    host = LOOPBACK if settings.http == "haproxy" else listen.host
    serve.start(
        proxy_location="EveryNode" if spread else "HeadOnly",
        http_options={"host": host, "port": listen.port},
        logging_config=QUIET_LOGGING,
    )
    # Where Serve runs already, `serve.start` returns at once, and `serve.run` does not mind a proxy that died.
    deadline = time.monotonic() + PROXY_SECONDS
    while ProxyStatus.HEALTHY not in serve.status().proxies.values():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(PAUSE_SECONDS)


def edge_stands() -> bool:
    """Whether Serve has the application and does not report it as failed. Serve itself replaces its dead processes."""
    found = serve.status().applications.get(APPLICATION)
    return found is not None and found.status not in (
        ApplicationStatus.DEPLOY_FAILED,
        ApplicationStatus.DELETING,
        ApplicationStatus.NOT_STARTED,
    )


def stop_edge() -> None:
    """Let requests in work end and remove the application. Serve itself ends with its cluster."""
    serve.delete(APPLICATION)
    if ADMIN_APPLICATION in serve.status().applications:
        serve.delete(ADMIN_APPLICATION)
