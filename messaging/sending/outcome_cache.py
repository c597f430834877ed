"""What a sender knows of attempts, and the store does not yet."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from messaging.model.message import Delivery, Outcome

Emit = Callable[[Outcome], Awaitable[None]]
"""Hands an outcome on; returns when the ledger has taken it."""


class OutcomeCache:
    """The outcomes that wait for the ledger.

    While the store is away for longer than a lease, `due` gives out the same delivery anew as soon as it is back,
    perhaps before the ledger was told. What the network has then is not sent, and paid, again.
    """

    def __init__(self) -> None:
        self._outcomes: dict[int, Outcome] = {}

    def of(self, delivery: Delivery) -> Outcome | None:
        """Return what became of an earlier attempt at this delivery, as the outcome of this one.

        Only where the store knows no better, as `uncertain` says: while the ledger's yes is on its way here, the
        network may lose what it took, or a person want it tried again, and then it has to go again.
        """
        known = self._outcomes.get(delivery.id) if delivery.uncertain else None
        return known and replace(known, attempt=delivery.attempt)

    async def report(self, outcome: Outcome | None, emit: Emit) -> None:
        """Emit the outcome, if there is one, and know it until it is taken. Raises what `emit` raises."""
        if outcome is None:
            return
        self._outcomes[outcome.delivery_id] = outcome
        try:
            await emit(outcome)
        finally:
            if self._outcomes.get(outcome.delivery_id) is outcome:
                del self._outcomes[outcome.delivery_id]
