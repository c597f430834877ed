"""Scenarios in which all three outside networks fail at once."""

from collections.abc import Callable
from functools import partial
from typing import Any

from chaos.context import Context
from chaos.scenario import Scenario

ALL = ("hive", "twilio", "mail")
OUTAGE_SECONDS = 6.0
LONG_OUTAGE_SECONDS = 15.0


def network_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [*_outages(), *_oddities()]


def _outages() -> list[Scenario]:
    return [
        _failing("net-refuses", "every connection is dropped for 6 s", refuse_rate=1),
        _failing("net-hangs", "no request is answered for 6 s", hang_before_rate=1),
        _failing("net-5xx", "every request is answered 503 (mail: 451) for 6 s", error_rate=1),
        _failing(
            "net-429",
            "more than 3 requests a second are answered 429, Retry-After 1 (mail: 451)",
            requests_per_second=3,
        ),
        _failing(
            "net-breaks-after",
            "three of ten requests are done and never answered (the uncertain case)",
            hang_after_rate=0.3,
            hang_seconds=5,
            drop_after_rate=0.3,
        ),
        _failing(
            "net-garbage",
            "three of ten requests are done and answered with nonsense",
            garbage_rate=0.3,
        ),
        _failing(
            "net-long-outage",
            "every connection is dropped for 15 s, longer than a lease",
            seconds=LONG_OUTAGE_SECONDS,
            refuse_rate=1,
        ),
    ]


def _oddities() -> list[Scenario]:
    return [
        Scenario(
            name="hive-login-ends",
            description="the login at the Hive ends again and again, in the middle of pages too",
            inject=_logins_end,
        ),
        Scenario(
            name="hive-disorder",
            description="packets are listed twice, out of order, and again after they were acknowledged",
            inject=_disorder,
        ),
        Scenario(
            name="webhook-twice",
            description="every webhook comes twice",
            inject=_webhooks_twice,
        ),
    ]


def _failing(name: str, what: str, *, seconds: float = OUTAGE_SECONDS, **faults: Any) -> Scenario:
    inject: Callable[[Context], None] = partial(_fail, seconds, faults)
    return Scenario(name=name, description=what, inject=inject)


def _fail(seconds: float, faults: dict[str, Any], field: Context) -> None:
    field.wait(1)
    field.gateway.set_faults(*ALL, **faults)
    field.wait(seconds)
    field.gateway.set_faults(*ALL)
    field.wait(2)


def _logins_end(field: Context) -> None:
    for _ in range(12):
        field.wait_random(0.1, 1)
        # A slow Hive keeps a page in work when the login ends.
        field.gateway.set_faults("hive", latency_seconds=0.1)
        field.gateway.expire_logins()
    field.gateway.set_faults("hive")
    field.wait(2)


def _disorder(field: Context) -> None:
    field.gateway.set_faults("hive", duplicate_rate=0.5, reorder=True)
    field.wait(8)
    field.gateway.set_faults("hive")
    field.wait(1)


def _webhooks_twice(field: Context) -> None:
    field.gateway.set_faults("twilio", duplicate_rate=1)
    field.wait(8)
    field.gateway.set_faults("twilio")
    field.wait(1)
