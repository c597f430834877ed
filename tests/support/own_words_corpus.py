"""Loads a corpus of mails with the wanted own words beside each, and measures how well a function finds them."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parents[1] / "corpus" / "own_words"
# Written without a look at the code, and first read when it was done.
BLIND_CORPUS: Final = CORPUS.with_name("own_words_blind")
# A quoted line above an answer is shortened: where, and by which sign, is a matter of form; so is whether one of
# some 45 characters is shortened at all.
_SHORTENED: Final = re.compile(r"^(> .{1,25})(?:.*(?:…| \.\.\.)|.{15,21})$", re.MULTILINE)


@dataclass(frozen=True, slots=True, repr=False)
class CorpusMail:
    """A mail, and the words that a person would keep of it."""

    name: str
    data: bytes
    wanted: str


@dataclass(frozen=True, slots=True)
class Figures:
    """How well the mails of a corpus come out; names are those of the mails."""

    count: int
    wrong: tuple[str, ...]
    lossy: tuple[str, ...]
    junk_bytes: int
    paid_bytes: int

    @property
    def right_share(self) -> float:
        """The share of mails that come out exactly right."""
        return 1 - len(self.wrong) / self.count

    @property
    def junk_share(self) -> float:
        """The share of junk among the bytes that a device is sent."""
        return self.junk_bytes / max(1, self.paid_bytes)


def load_corpus(folder: Path = CORPUS) -> list[CorpusMail]:
    """Return the pairs of a folder by name. Raises ValueError for a mail without wanted words, or the reverse."""
    mails = {path.stem: path for path in folder.glob("*.eml")}
    texts = {path.stem: path for path in folder.glob("*.txt")}
    if alone := sorted(mails.keys() ^ texts.keys()):
        raise ValueError(f"without its pair: {', '.join(alone)}")
    return [
        CorpusMail(name, mails[name].read_bytes(), texts[name].read_text("utf-8"))
        for name in sorted(mails)
    ]


def measure(mails: Sequence[CorpusMail], words_of: Callable[[bytes], str]) -> Figures:
    """Compare word by word; white space does not count, and of a shortened quoted line only the beginning."""
    wrong, lossy, junk, paid = [], [], 0, 0
    for mail in mails:
        got = _SHORTENED.sub(r"\1", words_of(mail.data)).split()
        wanted = _SHORTENED.sub(r"\1", mail.wanted).split()
        paid += len(" ".join(got).encode())
        if got == wanted:
            continue
        wrong.append(mail.name)
        got_counts, wanted_counts = Counter(got), Counter(wanted)
        if wanted_counts - got_counts:
            lossy.append(mail.name)
        junk += sum(len(word.encode()) + 1 for word in (got_counts - wanted_counts).elements())
    return Figures(len(mails), tuple(wrong), tuple(lossy), junk, paid)
