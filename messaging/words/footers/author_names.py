"""Knows the forms in which an author writes the name that stands in From. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from messaging.words.phrases import FORMS_OF_ADDRESS

MAX_NAME_CHARS: Final = 40
MAX_BEHIND_NAME_CHARS: Final = 40
AROUND_NAME: Final = " \t/-–—~*_,.!;:|"
_MAX_NAME_WORDS: Final = 8
_MAX_TITLE_CHARS: Final = 12
_MIN_LOOSE_CHARS: Final = 3
_SENTENCE_ENDS: Final = (".", "!", "?", "。", "？", "！")
# `Fiona Abernathy (Surveyors)`, `Fiona Abernathy | Surveyors`, `Fiona via List`
_BEHIND_NAME: Final = re.compile(r"\s*[(\[|/].*|\s+[-–—]\s.*|\s+via\s.*")
# A reading or an office behind the name.
_BEHIND_EASTERN_NAME: Final = re.compile(r"[(（/／|｜・,，<].*")
# `i. A. Jana Groß`: by order
_BY_ORDER: Final = re.compile(r"(?:i\. ?[AV]\.|ppa\.|p\.p\.) ")
_INITIALS: Final = re.compile(r"[^\W\d_]\.?\Z|(?:[^\W\d_]\.-?){1,3}\Z")
_CYRILLIC: Final = "Ѐ"
_PATRONYMICS: Final = ("вич", "вна", "чна", "ьич", "vich", "vna", "ovych", "ovyč", "ovič")
# Letters of other scripts and with marks that a decomposition does not take apart, in one coarse spelling.
_SPELLINGS: Final = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "h", "д": "d", "е": "e", "є": "e", "ё": "e", "ж": "z", "з": "z",
    "и": "i", "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "c", "ч": "c", "ш": "s", "щ": "s", "ъ": "", "ы": "i",
    "ь": "", "э": "e", "ю": "iu", "я": "ia", "ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "t",
    "ı": "i", "g": "h", "w": "v", "x": "ks", "'": "", "’": "", "`": "",
})  # fmt: skip
_DIGRAPHS: Final = re.compile(r"shch|sch|sh|ch|zh|kh|ts|tz|[ijy]*(?:aa|ae|oe|ue)|[ijy]+[aueo]?")
_SOUNDS: Final = {
    "shch": "s", "sch": "s", "sh": "s", "ch": "c", "zh": "z", "kh": "h", "ts": "c", "tz": "c",
}  # fmt: skip


class AuthorNames(NamedTuple):
    """The forms of an author's name, case-folded: the words of the full ones, and those that end a message.

    Each form has one of the `beginnings`. `given` and `others` are the words of the name in a coarse spelling.
    `address` is that in From, when the text has it.
    """

    full: frozenset[tuple[str, ...]] = frozenset()
    closings: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    given: str = ""
    others: frozenset[str] = frozenset()
    address: str = ""


NO_NAMES: Final = AuthorNames()


@lru_cache(maxsize=1000)
def names_of(display_name: str) -> AuthorNames:
    """Return the forms of the name in From; none without a name."""
    name = _BEHIND_NAME.sub("", display_name, count=1).casefold()
    last, comma, first = name.partition(",")
    words = tuple(skip_titles((f"{first} {last}" if comma else name).split()))
    if not words or "@" in name or len(name) > 2 * MAX_NAME_CHARS:
        return AuthorNames()
    # Chinese, Japanese and Korean names may stand without a blank.
    joined = "".join(words)
    full: set[tuple[str, ...]] = set()
    if is_eastern(joined):
        full.add((joined,))
    if len(words) == 1:
        return AuthorNames(frozenset(full), frozenset(words), words)
    given, family = words[0], words[-1]
    full |= {words, (family, *words[:-1]), (given, family)}
    closings = {given, " ".join(words[:-1]), f"{given[0]}. {family}", f"{given} {family[0]}"}
    closings.update(map(" ".join, full))
    others = frozenset(filter(None, map(spell, words[1:])))
    beginnings = (given, family, f"{given[0]}.")
    return AuthorNames(frozenset(full), frozenset(closings), beginnings, spell(given), others)


def is_eastern(word: str) -> bool:
    """Whether a word is of a script without case, as Chinese, Japanese and Korean ones are."""
    return len(word) > 1 and not word.isascii() and word.upper() == word.lower()


@lru_cache(maxsize=1000)
def spell(word: str) -> str:
    """Return a coarse Latin spelling of a word, in which `Müller` and `Mueller`, `Юрий` and `Yuri` are the same."""
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_SPELLINGS))
    plain = "".join(one for one in plain if not unicodedata.combining(one)).translate(_SPELLINGS)
    return _DIGRAPHS.sub(
        lambda match: _SOUNDS.get(match[0]) or match[0].lstrip("ijy")[:1] or "i", plain
    )


def skip_titles(pieces: Sequence[str]) -> Sequence[str]:
    """Return the words of a name without titles such as `Dr.` before it; an initial is none."""
    for at, piece in enumerate(pieces):
        is_short = piece.endswith((".", ".)")) and 2 < len(piece) <= _MAX_TITLE_CHARS
        if (not is_short or _INITIALS.match(piece)) and piece.casefold() not in FORMS_OF_ADDRESS:
            return pieces[at:]
    return ()


def begins_with_name(words: str, names: AuthorNames) -> bool:
    """Whether a line is the author's name, with titles before it, and letters such as `MSc` or an office behind it."""
    pieces = skip_titles(_BY_ORDER.sub("", words.strip(AROUND_NAME), count=1).split())
    folded = tuple(piece.casefold().strip(",;|") for piece in pieces[:_MAX_NAME_WORDS])
    length = next((len(name) for name in names.full if folded[: len(name)] == name), 0)
    rest = pieces[length:]
    if not length or len(" ".join(rest)) > MAX_BEHIND_NAME_CHARS:
        return False
    if rest and words.endswith(_SENTENCE_ENDS) and "." not in rest[-1][:-1]:
        return False
    return not any(piece[0].islower() for piece in rest)


def is_name_in_other_spelling(words: str, names: AuthorNames) -> bool:
    """Whether a line is nothing but the author's name, spelled otherwise: other marks, another script, a patronymic.

    Given name and family name must be there; a line of Chinese, Japanese or Korean may have a reading behind the name.
    """
    eastern = [name[0] for name in names.full if len(name) == 1]
    if eastern:
        return _BEHIND_EASTERN_NAME.sub("", words).replace(" ", "") == eastern[0]
    if not names.others or len(words) > 2 * MAX_NAME_CHARS:
        return False
    pieces = skip_titles(words.strip(AROUND_NAME).replace(",", " ").split())
    if len(pieces) > _MAX_NAME_WORDS or not all(piece[0].isupper() for piece in pieces):
        return False
    has_given = has_other = False
    for piece in pieces:
        word = spell(piece)
        # `Александр` begins and ends like `Alexander`.
        is_kindred = (
            piece[0] >= _CYRILLIC
            and len(word) > _MIN_LOOSE_CHARS
            and (word[:4], word[-1]) == (names.given[:4], names.given[-1:])
        )
        if len(word) >= _MIN_LOOSE_CHARS and word in names.others:
            has_other = True
        elif not has_given and (word == names.given or is_kindred):
            has_given = True
        elif not (piece.casefold().endswith(_PATRONYMICS) or _INITIALS.match(piece)):
            return False
    return has_given and has_other
