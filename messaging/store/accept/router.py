"""The user actors: take what the sources offer into the store, and say what is to be sent."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from messaging.config.settings import Settings
from messaging.errors import GatewayError, Unavailable
from messaging.model.message import Delivery, Inbound, Network
from messaging.store.accept.full_providers import FullProviders
from messaging.store.accept.policy import Policy
from messaging.store.accept.transaction import AcceptTransaction
from messaging.store.db.batch import BatchRunner
from messaging.store.db.clock import utc_now
from messaging.store.db.connection import open_store
from messaging.store.queue.claims import give_back

log = logging.getLogger(__name__)


class Router:
    """Decides about records and commits them, a batch in one transaction. Synchronous throughout: the ORM is.

    `default_accounts` names the account of each outgoing network; a missing network is off. `satellites` are
    the satellite networks that are configured, each with the codec of its devices; None means that any is.

    What `process` accepted is on disk when it returns, and a record that is offered again is accepted again and
    changes nothing. The deliveries that it returns are leased to the caller; those that never reach a sender come
    back through `due` when the lease ends, or at once through `released`. What is for a provider that had no room a
    moment ago is left to `due`.
    """

    def __init__(
        self,
        settings: Settings,
        default_accounts: Mapping[Network, str],
        satellites: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        open_store(settings)
        policy = Policy(
            settings.mail_domain,
            dict(default_accounts),
            satellites,
            settings.operators,
            settings.carriers,
            settings.map_url,
        )
        self._acceptance = AcceptTransaction(settings, policy, now)
        self._now = now
        self._crowds = FullProviders()
        self._runner = BatchRunner("router")
        self._counters: Counter[str] = Counter()

    def process(self, records: Sequence[Inbound]) -> list[list[Delivery] | Exception]:
        """Return, for each record, the deliveries to make or the error to answer with (`Rejected`, `Unavailable`).

        An empty list means accepted with nothing to send: a repeat, an answered inquiry, a consent, something
        undeliverable that is now kept. Never raises.
        """
        results: list[list[Delivery] | Exception] = []
        accept = partial(self._acceptance.accept, crowded=self._crowds.now())
        for verdict in self._runner.run(accept, records):
            if isinstance(verdict, GatewayError):
                self._counters[_kind(verdict)] += 1
                results.append(verdict)
            else:
                self._counters[verdict.kind] += 1
                results.append(verdict.error or list(verdict.deliveries))
        return results

    def released(self, deliveries: Sequence[Delivery]) -> None:
        """Put back deliveries that could not be handed on: due at once, no attempt counted.

        While the store is away nothing happens: they come back when their lease ends.
        """
        self._crowds.note({delivery.via for delivery in deliveries})
        error = self._runner.run_one(lambda: give_back(deliveries, self._now()))
        if error is not None:
            log.warning("%d deliveries stay leased until their lease ends", len(deliveries))

    def status(self) -> dict[str, object]:
        """Return how many records became what since the start: accepted, repeated, rejected_…, busy, unavailable.

        `settled` counts the deliveries that later news settled, by provider and state.
        """
        return {**self._counters, "settled": self._acceptance.tally.snapshot()}


def _kind(error: GatewayError) -> str:
    return "unavailable" if isinstance(error, Unavailable) else "rejected_unstorable"
