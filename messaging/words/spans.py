"""Values of the split of a text: spans of own words and of folded text, which cover the whole text. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum


class SpanKind(Enum):
    """The kind of a span; all kinds but OWN are folded."""

    OWN = "own"
    QUOTE = "quote"
    ANSWERED = "answered"
    """The quoted lines before an interleaved answer, shown shortened."""
    ATTRIBUTION = "attribution"
    HEADERS = "headers"
    SIGNATURE = "signature"
    CLIENT_FOOTER = "client footer"
    DISCLAIMER = "disclaimer"
    LIST_FOOTER = "list footer"
    MACHINE = "machine"
    """Armour and signatures for programs."""
    ENCRYPTED = "encrypted"
    FILE = "file"
    PLACEHOLDER = "placeholder"
    """A stand-in of the client for a picture, or the address behind a link's text."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a text."""

    kind: SpanKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The kind that markup declares for characters `start` to `end`, and how deep they are quoted."""

    kind: SpanKind
    start: int
    end: int
    depth: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class MarkedText:
    """A text with its marks, which are in order and do not overlap."""

    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Split:
    """A text and its spans, in order, without gaps and without overlap."""

    text: str
    spans: tuple[Span, ...]

    def text_of(self, *kinds: SpanKind) -> str:
        """Return the text of all spans of these kinds."""
        return "".join(self.text[s.start : s.end] for s in self.spans if s.kind in kinds)

    @property
    def own(self) -> str:
        """The author's own words, as they stand in the text."""
        return self.text_of(SpanKind.OWN)

    @property
    def rest(self) -> str:
        """The rest of the text."""
        return "".join(self.text[s.start : s.end] for s in self.spans if s.kind is not SpanKind.OWN)


def join_marked(texts: Iterable[MarkedText], separator: str) -> MarkedText:
    """Join texts and move their marks."""
    pieces: list[str] = []
    marks: list[Mark] = []
    at = 0
    for marked in texts:
        if pieces:
            pieces.append(separator)
            at += len(separator)
        marks += [replace(mark, start=mark.start + at, end=mark.end + at) for mark in marked.marks]
        pieces.append(marked.text)
        at += len(marked.text)
    return MarkedText("".join(pieces), tuple(marks))
