"""The scenarios of a hanging network beside a fast one, and of one flooded device: the latency of the others."""

from datetime import UTC, datetime
from statistics import quantiles

from chaos.context import Context
from chaos.load import MailClient
from chaos.record import Direction
from chaos.scenario import Scenario
from messaging.store.db.connection import close_connection

CALM_SECONDS = 8.0
STUCK_SECONDS = 15.0
ALLOWED_SECONDS = 1.0
FLOOD_MAILS = 300
FLOODED_HIVE_LATENCY_SECONDS = 0.05


def slow_network_scenarios() -> list[Scenario]:
    """Return the scenarios of this module."""
    return [
        Scenario(
            name="slow-neighbour",
            description="Twilio and the mail relay answer nothing for 15 s each; mails to devices must not wait",
            inject=_hang_one_network,
        ),
        Scenario(
            name="flooded-device",
            description="300 mails at once for one device; mails to the others must not wait for them",
            inject=_flood_one_device,
        ),
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


def _flood_one_device(field: Context) -> None:
    flooded = field.gateway.device_of(0)
    field.gateway.set_faults("hive", latency_seconds=FLOODED_HIVE_LATENCY_SECONDS)
    calm = _measure(field, CALM_SECONDS, but=flooded)
    client = MailClient(field.gateway)
    for _ in range(FLOOD_MAILS):
        offer = field.record.offer(Direction.MAIL, flooded)
        offer.compose()
        code, text = client.send(offer)
        if code != 250:
            raise AssertionError(f"a mail of the flood heard {code} {text}")
        field.record.yes(offer)
    client.close()
    found = _measure(field, CALM_SECONDS, but=flooded)
    field.gateway.set_faults("hive")
    field.note(
        f"accepted to delivered: alone p50 {calm[0]:.2f} s, p95 {calm[1]:.2f} s;"
        f" beside the flood p50 {found[0]:.2f} s, p95 {found[1]:.2f} s"
    )
    if found[1] > 2 * calm[1] + ALLOWED_SECONDS:
        raise AssertionError("one flooded device delays the others")


def _measure(field: Context, seconds: float, but: str = "") -> tuple[float, float]:
    """Return p50 and p95, in seconds, of the messages accepted for the Hive from now on.

    Those to the device `but` do not count.
    """
    since = datetime.now(UTC)
    field.wait(seconds)
    until = datetime.now(UTC)
    field.wait(1)
    from messaging.store.models import Delivery

    rows = Delivery.objects.filter(via="hive", created_at__gte=since, created_at__lt=until)
    found = rows.exclude(recipient=but).values_list("created_at", "settled_at")
    took = [
        ((settled or datetime.now(UTC)) - created).total_seconds() for created, settled in found
    ]
    close_connection()
    cuts = quantiles(took, n=20)
    return cuts[9], cuts[18]
