"""The scenario of a hanging network beside a fast one: latency of the fast one, with and without."""

from datetime import UTC, datetime
from statistics import quantiles

from chaos.context import Context
from chaos.scenario import Scenario
from messaging.store.db.connection import close_connection

CALM_SECONDS = 8.0
STUCK_SECONDS = 15.0
ALLOWED_SECONDS = 1.0


def slow_network_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [
        Scenario(
            name="slow-neighbour",
            description="Twilio and the mail relay answer nothing for 15 s each; mails to devices must not wait",
            inject=_hang_one_network,
        )
    ]


def _hang_one_network(field: Context) -> None:
    calm = _measure(field, CALM_SECONDS)
    field.note(f"accepted to delivered at the Hive: alone p50 {calm[0]:.2f} s, p95 {calm[1]:.2f} s")
    for network in ("twilio", "mail"):
        field.gateway.set_faults(network, hang_before_rate=1)
        found = _measure(field, STUCK_SECONDS)
        field.gateway.set_faults(network)
        field.note(f"with {network} stuck p50 {found[0]:.2f} s, p95 {found[1]:.2f} s")
        if found[1] > calm[1] + ALLOWED_SECONDS:
            raise AssertionError(f"{network}, stuck, delays the Hive")
        field.wait(2)


def _measure(field: Context, seconds: float) -> tuple[float, float]:
    """Return p50 and p95, in seconds, of the messages accepted for the Hive from now on."""
    since = datetime.now(UTC)
    field.wait(seconds)
    until = datetime.now(UTC)
    field.wait(1)
    from messaging.store.models import Delivery

    found = Delivery.objects.filter(
        via="hive", created_at__gte=since, created_at__lt=until
    ).values_list("created_at", "settled_at")
    took = [
        ((settled or datetime.now(UTC)) - created).total_seconds() for created, settled in found
    ]
    close_connection()
    cuts = quantiles(took, n=20)
    return cuts[9], cuts[18]
