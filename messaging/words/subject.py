"""Tells which part of a subject a device is shown. Pure."""

import re
from typing import Final

_MARKS: Final = (
    "re", "aw", "antw", "antwort", "sv", "vs", "odp", "ynt", "yan", "rif", "r", "res", "rép", "réf", "ответ",
    "отв", "відп", "回复", "答复", "回覆", "返信", "답장", "회신",
)  # fmt: skip
_REPLY: Final = re.compile(
    rf"\s*(?:{'|'.join(map(re.escape, _MARKS))})\s*(?:\[\d{{1,3}}\]|\(\d{{1,3}}\))?\s*[:：]\s*",
    re.IGNORECASE,
)
_MAX_MARKS: Final = 20
MADE_UP: Final = "Message from "


def subject_to_show(subject: str, text: str) -> str:
    """Return the subject as a device is shown it before `text`; empty for one that the reader knows.

    That of an answer stood in the conversation before, and so did one that this gateway made up. A text that begins
    with its subject tells it.
    """
    bare, is_answer = strip_reply_marks(subject)
    words = bare.rstrip(". …").casefold()
    beginning = text[: 2 * len(bare) + 1].casefold()
    is_beginning = bool(words) and beginning.startswith(words)
    is_told = is_beginning and not beginning[len(words) :][:1].isalnum()
    return "" if text and (is_answer or is_made_up(bare) or is_told) else bare


def strip_reply_marks(subject: str) -> tuple[str, bool]:
    """Return a subject without `Re:`, `AW:` and the like, and whether it had any."""
    bare = subject
    for _ in range(_MAX_MARKS):
        match = _REPLY.match(bare)
        if match is None:
            break
        bare = bare[match.end() :]
    return bare.strip(), bare is not subject


def is_made_up(subject: str) -> bool:
    """Whether this gateway made a subject up for a text without one."""
    return subject.startswith(MADE_UP) and " " not in subject.removeprefix(MADE_UP).strip()


def lines_to_show(subject: str, text: str) -> str:
    """Return the subject, where it is news, and the text below it."""
    return "\n".join(line for line in (subject_to_show(subject, text), text) if line)
