"""Compares the record with the networks and the store: messages lost, changed, misdirected, doubled, unsettled."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.arrivals import Arrival, compare, overtaken
from chaos.gateway import TargetGateway
from chaos.record import TOKEN, Direction, Offer, Record
from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.store.db.connection import close_connection, open_store

MAX_TWICE = 0.3
FINAL = frozenset(("sent", "delivered", "failed", "expired", "cancelled"))


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """The deliveries of the message with one token, as stored."""

    states: tuple[str, ...]
    uncertain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """The counts of one scenario. `problems` is empty when it passed.

    `wrong` came to another recipient or with another text; `doubts` came once, and the store says perhaps twice.
    """

    offered: int
    yes: int
    final: int
    lost: int
    wrong: int
    twice: int
    marked: int
    doubts: int
    gap_seconds: float
    settle_seconds: float
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def stored_messages(gateway: TargetGateway, run: str) -> dict[str, StoredMessage]:
    """Read the deliveries of every message of this run from the store, by token."""
    open_store(
        read(
            Settings, database_url=gateway.database_url, state_dir=gateway.folder
        )  # as the service
    )
    from django.db.models import Q

    from messaging.store.models import Delivery

    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    ours = Q(message__text__contains=run) | Q(message__subject__contains=run)
    rows = Delivery.objects.filter(ours).values_list(
        "message__subject", "message__text", "state", "uncertain"
    )
    for subject, text, state, uncertain in rows:
        if match := TOKEN.search(f"{subject} {text}"):
            found[match[0]].append((state, uncertain))
    close_connection()
    return {
        token: StoredMessage(tuple(state for state, _ in rows), any(times for _, times in rows))
        for token, rows in found.items()
    }


def mails_with_two_ids(gateway: TargetGateway) -> int:
    """Count the mails that came more than once and not under the same Message-ID."""
    ids: dict[str, set[str]] = defaultdict(set)
    for mail in list(gateway.sink.received):
        if match := TOKEN.search(mail.content.decode("utf-8", "replace")):
            ids[match[0]].add(str(mail.message["Message-ID"]))
    return sum(len(found) > 1 for found in ids.values())


def judge(
    record: Record,
    stored: dict[str, StoredMessage],
    found: Mapping[str, list[Arrival]],
    *,
    two_ids: int,
    gap_seconds: float,
    settle_seconds: float,
    max_twice: float = MAX_TWICE,
) -> ScenarioResult:
    """Count. A message that got a yes and did not arrive is lost, even if the store says otherwise.

    So is one that arrived at another recipient, or with another text. `max_twice` is the share of all messages that
    may come twice, even when each is marked.
    """
    offers = record.offers
    received = {offer.token: compare(offer, found.get(offer.token, [])) for offer in offers}
    agreed = [offer for offer in offers if offer.yes_at is not None]
    final = [o for o in agreed if o.token in stored and set(stored[o.token].states) <= FINAL]
    lost = [o for o in agreed if not received[o.token].times]
    wrong = [o for o in offers if received[o.token].fault]
    twice = [o for o in offers if received[o.token].times > 1]
    marked = [o for o in twice if o.token in stored and stored[o.token].uncertain]
    doubts = [
        o for o in agreed if o not in twice and o.token in stored and stored[o.token].uncertain
    ]
    problems = _problems(offers, agreed, final, lost, twice, marked, two_ids)
    problems += [f"arrived {received[o.token].fault}: {o.token}" for o in wrong[:5]]
    if len(twice) > max_twice * len(agreed):
        problems.append(f"too many came twice: {len(twice)} of {len(agreed)}")
    return ScenarioResult(
        offered=len(offers),
        yes=len(agreed),
        final=len(final),
        lost=len(lost),
        wrong=len(wrong),
        twice=len(twice),
        marked=len(marked),
        doubts=len(doubts),
        gap_seconds=gap_seconds,
        settle_seconds=settle_seconds,
        problems=tuple(problems),
    )


def disturbances(
    record: Record, result: ScenarioResult, arrived: Mapping[str, list[Arrival]]
) -> list[str]:
    """Return the effects that clients noticed of a change that should be invisible to them."""
    worse = {f"{way} {code}": n for (way, code), n in record.deferred.items() if code != 421}
    found = [f"put off otherwise than by 421: {worse}"] if worse else []
    found += [f"sent twice: {result.twice}"] if result.twice else []
    found += [f"marked without need: {result.doubts}"] if result.doubts else []
    late = overtaken(record.offers, arrived)
    return found + ([f"overtaken: {', '.join(late[:5])}"] if late else [])


def _problems(
    offers: list[Offer],
    agreed: list[Offer],
    final: list[Offer],
    lost: list[Offer],
    twice: list[Offer],
    marked: list[Offer],
    two_ids: int,
) -> list[str]:
    asked = [offer for offer in twice if offer.way is Direction.NOTE]
    refused = [offer for offer in offers if offer.refused]
    found = {
        "lost": [o.token for o in lost],
        "not final": [o.token for o in agreed if o not in final],
        "twice and not marked": [o.token for o in twice if o not in marked],
        "twice although Twilio can be asked": [o.token for o in asked],
        "refused for good": [f"{o.token}: {o.refused}" for o in refused],
        "twice under another Message-ID": [str(two_ids)] if two_ids else [],
        "never got a yes": ["all"] if offers and not agreed else [],
    }
    return [f"{name}: {', '.join(which[:5])}" for name, which in found.items() if which]
