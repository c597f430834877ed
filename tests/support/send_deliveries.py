"""Hands deliveries to a sender as the pipeline does: side by side, begun in their order."""

import asyncio

from messaging.model.message import Delivery, Outcome
from messaging.sending.sender import SenderOperator


async def hand_over(sender: SenderOperator, *deliveries: Delivery) -> list[list[Outcome]]:
    """Return for each delivery its outcome, or nothing."""

    async def one(delivery: Delivery) -> list[Outcome]:
        emitted: list[Outcome] = []

        async def emit(outcome: Outcome) -> None:
            emitted.append(outcome)

        await sender.process_single(delivery, emit)
        return emitted

    return list(await asyncio.gather(*map(one, deliveries)))


async def outcomes_of(sender: SenderOperator, *deliveries: Delivery) -> list[Outcome]:
    """Return the outcomes of those that have one, in the order of the deliveries."""
    return [outcome for found in await hand_over(sender, *deliveries) for outcome in found]
