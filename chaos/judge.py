"""Compares the record with the networks and the store: messages lost, changed, misdirected, doubled, unsettled."""

from collections import Counter, defaultdict
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


PROBLEMS = (
    "lost",
    "not final",
    "twice and not marked",
    "twice although Twilio can be asked",
    "refused for good",
)
SHOWN_TOKENS = 5


@dataclass(frozen=True, slots=True)
class Rollback:
    """A fail-over to a store that lacks the commits between `began` and `ended`, in monotonic seconds.

    Such a store loses messages that got their yes in between, and repeats what was sent in between without a mark.
    """

    began: float
    ended: float

    def may_lose(self, offer: Offer) -> bool:
        """Whether the yes of this message may be among the commits that are gone."""
        return offer.yes_at is not None and self.began <= offer.yes_at <= self.ended

    def may_repeat(self, offer: Offer) -> bool:
        """Whether the outcome of this message may be among the commits that are gone."""
        return offer.began_at <= self.ended


class Judge:
    """Judges one message after another; keeps counts and the first tokens of each problem, no messages.

    A message that got a yes and did not arrive is lost, even if the store says otherwise. So is one that arrived at
    another recipient, or with another text. `max_twice` is the share of all messages that may come twice, even when
    each is marked. A `rollback` excuses what no gateway can prevent; it is counted all the same.
    """

    def __init__(self, max_twice: float = MAX_TWICE, rollback: Rollback | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._max_twice = max_twice
        self._rollback = rollback
        self._tokens: dict[str, list[str]] = {name: [] for name in PROBLEMS}
        self._faults: list[str] = []

    def add(self, offer: Offer, found: list[Arrival], stored: StoredMessage | None) -> None:
        """Judge one message by its arrivals, in their order, and its deliveries."""
        received = compare(offer, found)
        is_agreed = offer.yes_at is not None
        is_final = stored is not None and set(stored.states) <= FINAL
        is_twice = received.times > 1
        is_marked = stored is not None and stored.uncertain
        back = self._rollback
        may_lose = back is not None and back.may_lose(offer)
        may_repeat = back is not None and back.may_repeat(offer)
        self.counts["offered"] += 1
        self.counts["yes"] += is_agreed
        self.counts["final"] += is_agreed and is_final
        self.counts["lost"] += is_agreed and not received.times
        self.counts["twice"] += is_twice
        self.counts["marked"] += is_twice and is_marked
        self.counts["doubts"] += is_agreed and not is_twice and is_marked
        if is_agreed and not may_lose:
            self._note("lost", offer.token, not received.times)
            self._note("not final", offer.token, not is_final)
        if is_twice and not may_repeat:
            self._note("twice and not marked", offer.token, not is_marked)
            is_text = offer.way is Direction.NOTE
            self._note("twice although Twilio can be asked", offer.token, is_text)
        self._note("refused for good", f"{offer.token}: {offer.refused}", bool(offer.refused))
        if received.fault:
            self.counts["wrong"] += 1
            if len(self._faults) < SHOWN_TOKENS:
                self._faults.append(f"arrived {received.fault}: {offer.token}")

    def result(self, *, two_ids: int, gap_seconds: float, settle_seconds: float) -> ScenarioResult:
        """Return the counts so far. `two_ids` mails came twice under different Message-IDs."""
        counts = self.counts
        problems = [f"{name}: {', '.join(found)}" for name, found in self._tokens.items() if found]
        if two_ids:
            problems.append(f"twice under another Message-ID: {two_ids}")
        if counts["offered"] and not counts["yes"]:
            problems.append("never got a yes: all")
        problems += self._faults
        if self._rollback is None and counts["twice"] > self._max_twice * counts["yes"]:
            problems.append(f"too many came twice: {counts['twice']} of {counts['yes']}")
        return ScenarioResult(
            offered=counts["offered"],
            yes=counts["yes"],
            final=counts["final"],
            lost=counts["lost"],
            wrong=counts["wrong"],
            twice=counts["twice"],
            marked=counts["marked"],
            doubts=counts["doubts"],
            gap_seconds=gap_seconds,
            settle_seconds=settle_seconds,
            problems=tuple(problems),
        )

    def _note(self, problem: str, token: str, is_there: bool) -> None:
        if is_there and len(self._tokens[problem]) < SHOWN_TOKENS:
            self._tokens[problem].append(token)


def judge(
    record: Record,
    stored: dict[str, StoredMessage],
    found: Mapping[str, list[Arrival]],
    *,
    two_ids: int,
    gap_seconds: float,
    settle_seconds: float,
    max_twice: float = MAX_TWICE,
    rollback: Rollback | None = None,
) -> ScenarioResult:
    """Judge every message of the record, as `Judge` does."""
    counts = Judge(max_twice, rollback)
    for offer in record.offers:
        counts.add(offer, found.get(offer.token, []), stored.get(offer.token))
    return counts.result(two_ids=two_ids, gap_seconds=gap_seconds, settle_seconds=settle_seconds)


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
