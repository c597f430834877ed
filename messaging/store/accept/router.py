"""The router: accepts the records of the sources into the store, and returns the deliveries to make."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.utils import timezone

from messaging.config.settings import Settings
from messaging.costs.amounts import UnitCounter
from messaging.errors import GatewayError, Unavailable
from messaging.model.message import Delivery, Inbound, Network
from messaging.store.accept.routing import Policy
from messaging.store.accept.transaction import AcceptTransaction
from messaging.store.counters import Counters
from messaging.store.db.connection import BatchRunner, open_store
from messaging.store.db.room import StoreRoom
from messaging.store.live_settings import live_changes, live_settings
from messaging.store.outcome_log import log_record
from messaging.store.outgoing.countries import CountryRule
from messaging.store.queue.claims import give_back

log = logging.getLogger(__name__)

FULL_SECONDS: Final = 1.0


class FullProviders:
    """The providers whose send queue was full within the last second.

    New deliveries for them are stored as due instead of handed out; `due` dispatches them later.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def note(self, accounts: Collection[str]) -> None:
        """Note that these accounts had no room just now."""
        until = self._clock() + FULL_SECONDS
        self._until.update(dict.fromkeys(accounts, until))

    def current(self) -> frozenset[str]:
        """Return the accounts that are full now."""
        now = self._clock()
        return frozenset(account for account, until in self._until.items() if until > now)


class Router:
    """Decides about records and commits them, a batch in one transaction. Synchronous throughout: the ORM is.

    `default_accounts` has the account for each outgoing network; a missing network is off. `satellites` are the
    configured satellite accounts, each with the codec of its devices; None allows every account. `shared_accounts` are
    those of them that packets of the provider's other customers reach too. `whatsapp_accounts` carry WhatsApp.
    `unit_counters` count the billed units of messages by account; without one they are estimated by the length.

    A record that `process` accepted is on disk when it returns. A record that is offered again is accepted again and
    changes nothing. The returned deliveries are handed to the caller. Those that no sender begins come back
    through `due` a few seconds later, or at once through `take_back`.
    """

    def __init__(
        self,
        settings: Settings,
        default_accounts: Mapping[Network, str],
        satellites: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = timezone.now,
        shared_accounts: Collection[str] = (),
        providers: Collection[str] = (),
        whatsapp_accounts: Collection[str] = (),
        unit_counters: Mapping[str, UnitCounter] | None = None,
    ) -> None:
        open_store(settings)
        self._settings = settings
        self._policy = Policy(
            settings.mail_domain,
            dict(default_accounts),
            satellites,
            settings.operators,
            settings.carriers,
            settings.map_url,
            frozenset(shared_accounts),
            frozenset(providers),
            settings.devices_per_message == "all",
            CountryRule(settings.sms_country_list),
            frozenset(whatsapp_accounts),
            unit_counters or {},
        )
        self._now = now
        self._settled = Counters()
        self._changes: Mapping[str, Any] | None = None
        self._apply_changes()
        self._full_providers = FullProviders()
        self._room = StoreRoom(settings)
        self._runner = BatchRunner("router")
        self._counters: Counter[str] = Counter()

    def process(self, records: Sequence[Inbound]) -> list[list[Delivery] | Exception]:
        """Return, for each record, the deliveries to make or the error to answer with (`Rejected`, `Unavailable`).

        An empty list means accepted with nothing to send: a repeat, a recipient check, an opt-out, a dead letter.
        Never raises.
        """
        if self._changes is not live_changes():
            self._apply_changes()
        accept = partial(
            self._transaction.accept,
            full_providers=self._full_providers.current(),
            has_room=self._room.is_enough(),
        )
        results: list[list[Delivery] | Exception] = []
        for record, result in zip(records, self._runner.run(accept, records), strict=True):
            if isinstance(result, GatewayError):
                is_temporary = isinstance(result, Unavailable)
                self._counters["unavailable" if is_temporary else "rejected_unstorable"] += 1
                results.append(result)
            else:
                self._counters[result.kind] += 1
                log_record(record, result)
                results.append(result.error or list(result.deliveries))
        return results

    def take_back(self, deliveries: Sequence[Delivery]) -> None:
        """Put back deliveries that reached no sender: due at once.

        Does nothing while the store is away: they come back by themselves.
        """
        self._full_providers.note({delivery.via for delivery in deliveries})
        error = self._runner.run_one(lambda: give_back(deliveries, self._now()))
        if error is not None:
            log.warning("%d deliveries are due again a few seconds later", len(deliveries))

    def status(self) -> dict[str, object]:
        """Return the number of records by result since the start: accepted, repeated, rejected_…, busy, unavailable.

        Without room on the disk the result is no_room; a dead letter beyond a bound is not_kept, and one of an
        unknown device of a shared account unknown_device.
        `settled` counts the deliveries that later reports settled, by account and state, `emergencies` those declared,
        confirmed or cancelled, `unreached` the recipients of emergencies that were not reached within an hour, and
        those whose delivery has failed.
        """
        return {
            **self._counters,
            "emergencies": self._counters["sos"],
            "unreached": self._settled.unreached,
            "settled": self._settled.snapshot(),
        }

    def _apply_changes(self) -> None:
        """Decide by the settings as they are now; the limits of an hour count from zero."""
        self._changes = live_changes()
        settings = live_settings(self._settings)
        policy = replace(
            self._policy,
            operators=settings.operators,
            sms_countries=CountryRule(settings.sms_country_list),
        )
        self._transaction = AcceptTransaction(settings, policy, self._now, self._settled)
