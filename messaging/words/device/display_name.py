"""Tells which display name of an author a device may be shown beside the address. Pure.

An author chooses the own display name: a name that imitates an address, a number or a contact is not shown.
"""

import re
import unicodedata
from typing import Final

from messaging.words.invisible import one_line, remove_invisible

MAX_DISPLAY_NAME_CHARS: Final = 24
_MAX_READ_CHARS: Final = 200
_MIN_NEWS_CHARS: Final = 3
_MAX_MARKS_IN_A_ROW: Final = 2
_BY_A_SERVICE: Final = re.compile(r"\s+(?:via|über)\s+.*", re.IGNORECASE)
_QUOTES: Final = "\"'\u2018\u2019\u201c\u201d\u00ab\u00bb "
_ALPHABETIC: Final = ("L", "M")
_BETWEEN: Final = frozenset(" ,.'’-")
# `home.org`, and a capital I among small letters, which looks like an l.
_FALSE: Final = re.compile(r"[^\W_]{2}\.\w|[^\W_]I[a-z]|[a-z]I")
_SCRIPTS: Final = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"))
# Letters that look like those of ASCII, and have no form in it.
_LOOKALIKES: Final = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтвнοαρνκτιυχøłđıæ", "aeopcyxijshdqwkmtbhoapvktiuxoldia"
)


def display_name_to_show(text: str, address: str) -> str:
    """Return a display name, short and plain; empty for one that imitates, or that the address tells already."""
    name = unicodedata.normalize("NFKC", remove_invisible(one_line(text, _MAX_READ_CHARS)))
    name = _BY_A_SERVICE.sub("", name).strip(_QUOTES)
    if not _is_plain(name):
        return ""
    if len(name) > MAX_DISPLAY_NAME_CHARS:
        head = name[: MAX_DISPLAY_NAME_CHARS + 1].rpartition(" ")[0]
        name = (head or name[:MAX_DISPLAY_NAME_CHARS]).rstrip(" ,.'’-")
    known = address.casefold()
    words = [word for word in _fold(name).split() if len(word) >= _MIN_NEWS_CHARS]
    # In another script the address says nothing of it.
    return name if not any(word in known for word in words) else ""


def names_that_it_imitates(name: str) -> frozenset[str]:
    """Return the names of contacts that a reader could take a display name for."""
    words = re.findall(r"[a-z]+", _fold(name))
    joined = {sign.join(words) for sign in ("", ".", "-", "_")}
    both_ends = (
        {sign.join((words[0], words[-1])) for sign in ("", ".", "-", "_")} if words else set()
    )
    names = {*words, *joined, *both_ends}
    # A capital I looks like a small l.
    twins = {one.translate(str.maketrans("il", "li")) for one in names}
    first = {{"i": "l", "l": "i"}[one[0]] + one[1:] for one in names if one and one[0] in "il"}
    return frozenset(names | twins | first) - {""}


def _fold(text: str) -> str:
    """Return a text in small letters of ASCII, as far as its letters look like them."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LOOKALIKES))
    return "".join(one for one in plain if not unicodedata.combining(one))


def _is_plain(name: str) -> bool:
    """Return whether a name consists of a few words of letters of one alphabet."""
    marks = length = 0
    scripts: set[str] = set()
    for character in name:
        category = unicodedata.category(character)
        if category[0] not in _ALPHABETIC and character not in _BETWEEN:
            return False
        marks = marks + 1 if category[0] == "M" else 0
        length += category[0] == "L"
        if marks > _MAX_MARKS_IN_A_ROW:
            return False
        script = unicodedata.name(character, "").partition(" ")[0]
        scripts |= {script} & _SCRIPTS
    return length > 1 and len(scripts) < 2 and not _FALSE.search(name)
