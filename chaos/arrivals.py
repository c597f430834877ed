"""The messages that arrived at devices, mailboxes and phones: for each token its recipients, texts and repeats."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chaos.gateway import TargetGateway
from chaos.record import TOKEN, Offer

_PART = re.compile(r"(\d+)/(\d+) (.*)", re.DOTALL)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One text, or one part of it, as its recipient saw it: a device, mailbox or phone."""

    recipient: str
    text: str


@dataclass(frozen=True, slots=True)
class Received:
    """All arrivals of one message. `times` is how often it came, or the part of it that came most often.

    `fault` says why this is not the message that was offered; it is empty when it is.
    """

    times: int
    fault: str = ""


def arrivals(gateway: TargetGateway) -> dict[str, list[Arrival]]:
    """Return everything that arrived, by token, each in the order of its arrival."""
    found = [Arrival(str(device), text) for device, _, text in gateway.shown()]
    for mail in list(gateway.sink.received):
        body = mail.message.get_body(("plain",))
        text = body.get_content() if body else ""
        found += [Arrival(to, text) for to in mail.recipients]
    found += [Arrival(str(text["to"]), str(text["body"])) for text in gateway.texts()]
    return by_token(found)


def by_token(found: Iterable[Arrival]) -> dict[str, list[Arrival]]:
    """Return the arrivals by the first token in each text."""
    tokens: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in found:
        if match := TOKEN.search(arrival.text):
            tokens[match[0]].append(arrival)
    return dict(tokens)


def compare(offer: Offer, found: list[Arrival]) -> Received:
    """Return how often the message came, and the first difference to the one that was offered."""
    if not found:
        return Received(0)
    strangers = {a.recipient for a in found if offer.recipient not in (None, a.recipient)}
    texts = [_PART.fullmatch(arrival.text) for arrival in found]
    marked = [(int(match[1]), int(match[2]), match[3]) for match in texts if match]
    if marked:
        counts = Counter(number for number, _, _ in marked)
        times = max(counts.values()) + len(found) - len(marked)
    else:
        times = len(found)
    if strangers:
        return Received(times, f"at the wrong recipient {min(strangers)}")
    if offer.text is None:
        return Received(times)
    if marked and len(marked) < len(found):
        return Received(times, "in parts and whole")
    return Received(
        times, _fault_of_parts(offer.text, marked) if marked else _fault(offer.text, found)
    )


def _fault(text: str, found: list[Arrival]) -> str:
    return "with another text" if any(_letters(a.text) != _letters(text) for a in found) else ""


def _fault_of_parts(text: str, marked: list[tuple[int, int, str]]) -> str:
    counts = {count for _, count, _ in marked}
    first: dict[int, str] = {}
    for number, _, chunk in marked:
        if first.setdefault(number, chunk) != chunk:
            return f"with two versions of part {number}"
    if len(counts) > 1 or set(first) != set(range(1, max(counts) + 1)):
        return f"with the parts {sorted(first)} of {max(counts)}"
    if list(first) != sorted(first):
        return f"with its parts in the order {list(first)}"
    joined = "".join(first[number] for number in sorted(first))
    return "" if _letters(joined) == _letters(text) else "with another text"


def _letters(text: str) -> str:
    # Networks and mail programs fold white space; where a text is cut, it may end a part.
    return _SPACE.sub("", text)


def overtaken(offers: Iterable[Offer], found: Mapping[str, list[Arrival]]) -> list[str]:
    """Return the messages that came after one to the same device that was offered only after their yes.

    `found` has its tokens in the order of arrival. A message that was deferred may have been overtaken.
    """
    place = {token: number for number, token in enumerate(found)}
    devices: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        if offer.recipient and offer.recipient.isdigit() and offer.token in place:
            devices[offer.recipient].append(offer)
    late: list[str] = []
    for ones in devices.values():
        ones.sort(key=lambda offer: place[offer.token])
        began = float("-inf")
        for offer in ones:
            if not offer.is_deferred and offer.yes_at is not None and offer.yes_at < began:
                late.append(offer.token)
            began = max(began, offer.began_at)
    return late
