"""Begins attempts in memory: each once, unless the lease of the delivery has passed."""

from collections.abc import Sequence

from messaging.model.message import Delivery
from messaging.sending.sender import lease_seconds_left


class MemoryBegins:
    """Takes the lease of the delivery for that of the attempt. `is_away`: the store does not answer."""

    def __init__(self) -> None:
        self.begun: list[Delivery] = []
        self.is_away = False

    async def process(self, deliveries: list[Delivery]) -> Sequence[Sequence[Delivery]]:
        return [[one] if await self.begin(one) else [] for one in deliveries]

    async def begin(self, delivery: Delivery) -> Delivery | None:
        """As a sender calls it."""
        if self.is_away or lease_seconds_left(delivery) <= 0:
            return None
        self.begun.append(delivery)
        return delivery

    def close(self) -> None:
        """Nothing to release."""
