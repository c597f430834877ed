"""Undoes `format=flowed` (RFC 3676): joins the lines that a program broke, and takes out its stuffing. Pure."""

from typing import Final

_SIGNATURE: Final = "-- "


def unflow(text: str, *, delete_space: bool) -> str:
    """Return `text`, whose line ends are `\\n`, with each flowed paragraph on one line.

    With `delete_space` (DelSp) the space at a soft break is not part of the words. Quoted lines keep their marks.
    """
    pieces: list[str] = []
    flowing_depth = -1
    for line in text.split("\n"):
        words = line.lstrip(">")
        depth = len(line) - len(words)
        words = words.removeprefix(" ")
        is_soft = words.endswith(" ") and words != _SIGNATURE
        if flowing_depth != depth or words == _SIGNATURE:
            pieces.append(f"\n{'>' * depth} " if depth else "\n")
            # A stuffed `>` is the author's own: its blank tells it from a quote mark.
            if not depth and words.startswith(">"):
                pieces.append(" ")
        pieces.append(words[:-1] if is_soft and delete_space else words)
        flowing_depth = depth if is_soft else -1
    return "".join(pieces)[1:]
