"""Scenarios in which processes of the service are killed (SIGKILL)."""

import subprocess
import time
from collections.abc import Callable
from functools import partial

from chaos.context import Context
from chaos.scenario import Scenario

WORKERS = ("mail-in", "hive-in", "router", "due", "ledger", "hive-out", "twilio-out")
END_SECONDS = 120.0


def kill_scenarios() -> list[Scenario]:
    """Return a scenario for each kind of actor, for several at once, and for the whole service."""
    return [*_single_kills(), *_combined_kills()]


def _single_kills() -> list[Scenario]:
    return [
        *(
            _thrice(worker, f"of {worker}, three times at random moments", kill_one, worker)
            for worker in WORKERS
        ),
        *(
            _thrice(f"serve-{part}", f"of the Serve {part}, three times", _kill_titled, title)
            for part, title in (("replica", "ray::ServeReplica"), ("proxy", "ray::ProxyActor"))
        ),
        Scenario(
            name="kill-mail-out",
            description="SIGKILL of mail-out while it writes mails, six times",
            inject=_kill_mail_out,
        ),
    ]


def _combined_kills() -> list[Scenario]:
    return [
        Scenario(
            name="kill-two",
            description="SIGKILL of two kinds of actor at the same moment, four times",
            inject=_kill_pairs,
        ),
        Scenario(
            name="kill-each",
            description="SIGKILL of one kind of actor after another, in random order",
            inject=_kill_each,
        ),
        Scenario(
            name="kill-ray",
            description="SIGKILL of Ray's own daemons (GCS and raylet); the service ends and is started again",
            inject=_kill_ray,
        ),
        Scenario(
            name="kill-everything",
            description="SIGKILL of all processes, Ray included; started again on the same database",
            inject=kill_everything,
        ),
    ]


def _thrice(name: str, what: str, blow: Callable[[str, Context], None], at: str) -> Scenario:
    inject = partial(_repeatedly, partial(blow, at))
    return Scenario(name=f"kill-{name}", description=f"SIGKILL {what}", inject=inject)


def _repeatedly(blow: Callable[[Context], None], field: Context) -> None:
    for _ in range(3):
        field.wait_random(0.5, 3)
        blow(field)
    field.wait(4)


def kill_one(worker: str, field: Context) -> None:
    """SIGKILL one actor of this kind."""
    names = [name for name in field.gateway.workers() if name.startswith(f"{worker}/")]
    field.kill_workers(field.random.choice(sorted(names)))


def _kill_titled(title: str, field: Context) -> None:
    if not field.kill_titled(title):
        raise LookupError(f"no process is called {title}")


def _kill_mail_out(field: Context) -> None:
    # A slow relay: at each kill some mails have been written and are not answered.
    field.gateway.set_faults("mail", latency_seconds=0.3)
    for _ in range(6):
        field.wait_random(0.2, 1.5)
        kill_one("mail-out", field)
    field.gateway.set_faults("mail")
    field.wait(2)


def _kill_pairs(field: Context) -> None:
    for _ in range(4):
        field.wait_random(1, 3)
        field.kill_workers(*(f"{name}/0" for name in field.random.sample(WORKERS, 2)))
    field.wait(4)


def _kill_each(field: Context) -> None:
    for worker in field.random.sample(WORKERS, len(WORKERS)):
        field.wait_random(0.1, 2)
        kill_one(worker, field)
    field.wait(3)


def kill_everything(field: Context) -> None:
    """Kill the service with all that it started, and start it again."""
    field.wait_random(0.5, 2)
    field.killed += field.gateway.kill_everything()
    field.gateway.start()


def _kill_ray(field: Context) -> None:
    field.wait_random(0.5, 2)
    for daemon in ("/gcs_server", "/raylet/raylet"):
        if not field.kill_titled(daemon):
            raise LookupError(f"no {daemon} runs")
    restart_when_ended(field)
    field.wait(2)


def restart_when_ended(field: Context) -> None:
    """Wait until the service ends by itself, and start it again, as an init system would."""
    began = time.monotonic()
    try:
        code = field.gateway.up.process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        raise AssertionError("the service neither works nor ends") from None
    field.gateway.up.stop()
    field.note(f"the service ended with code {code} after {time.monotonic() - began:.0f} s")
    field.gateway.start()
    field.note(f"and took mail again after {time.monotonic() - began:.0f} s")
