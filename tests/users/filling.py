"""Makes a queue long."""

from datetime import timedelta

from messaging.users.models import Delivery
from tests.users.given import Clock

AGE_SECONDS = 7


def fill_queue(number: int, clock: Clock) -> None:
    """Let so many more deliveries wait like the one that there is, each of them for seven seconds already."""
    row = Delivery.objects.get()
    names = ("message", "via", "sender_network", "sender", "recipient_network", "recipient")
    values = {name: getattr(row, name) for name in names}
    since = clock.now - timedelta(seconds=AGE_SECONDS)
    times = {"due_at": clock.now, "expires_at": clock.now + timedelta(days=1)}
    Delivery.objects.bulk_create(
        (Delivery(**values, **times, created_at=since, updated_at=since) for _ in range(number)),
        batch_size=2000,
    )
