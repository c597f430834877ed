"""Shortens the texts by which phones report a reaction: `Liked “…”`. Pure."""

import re
from typing import Final

MAX_QUOTED_CHARS: Final = 24
_VERBS: Final = (
    "Liked", "Loved", "Disliked", "Laughed at", "Emphasized", "Emphasised", "Questioned", "Reacted \\S{1,8} to",
    "Removed a like from", "Removed a heart from", "Removed a dislike from", "Removed a laugh from",
    "Removed an exclamation from", "Removed a question mark from", "Removed an? \\S{1,20} from",
    "\\S{1,8} to", "\\S{1,8} zu", "Gefällt", "Gefällt mir:", "Liebt", "Lacht über", "Betont", "Hinterfragt",
    "A aimé", "A adoré", "N’a pas aimé", "A ri de", "A souligné", "Le gustó", "Le encantó", "No le gustó",
    "Se rió de", "Gostou de", "Adorou", "Riu de", "Ha messo Mi piace a", "Ha adorato", "Vond",
    "Markerade", "Synes godt om", "Elsket",
)  # fmt: skip
_REACTION: Final = re.compile(
    rf"({'|'.join(_VERBS)})\s*[“\"„«]\s*(.{{1,2000}}?)\s*[”\"“»]\s*", re.DOTALL
)


def shorten_reaction(text: str) -> str:
    """Return a reaction with the beginning of the text that it is about; any other text unchanged."""
    match = _REACTION.fullmatch(text.strip())
    if match is None:
        return text
    quoted = " ".join(match[2].split())
    if len(quoted) > MAX_QUOTED_CHARS:
        head = quoted[: MAX_QUOTED_CHARS + 1].rpartition(" ")[0] or quoted[:MAX_QUOTED_CHARS]
        quoted = f"{head}..."
    return f'{match[1]} "{quoted}"'
