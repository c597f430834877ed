"""Finds stand-ins of mail programs within lines: `[cid:…]`, `[image: logo.png]`, addresses behind link texts. Pure."""

import re
from typing import Final

from messaging.words.spans import Kind, Span

MAX_PLACEHOLDER_CHARS: Final = 300
MAX_ADDRESS_CHARS: Final = 4000
_IN_BRACKETS: Final = (
    "[cid:", "[image:", "[inline image", "[bild:", "[imagen:", "[immagine:", "[afbeelding:",
    "[billede:", "[bilde:", "[kuva:", "[obraz:", "[obrázek:", "[изображение:", "[image.", "[https://",
    "[http://", "[画像:", "[图片:", "[圖片:", "[이미지:", "[logo", "[facebook", "[twitter", "[linkedin",
    "[instagram", "[img:", "[imagem:", "[resim:", "[зображення:",
)  # fmt: skip
_BRACKET: Final = re.compile(r"[\[<]")
# Program texts in angle brackets behind the text of a link.
_ADDRESSES: Final = ("<http://", "<https://", "<mailto:", "<tel:")
_LONGEST_BEGINNING: Final = max(len(beginning) for beginning in _IN_BRACKETS)


def find_placeholders(text: str) -> list[Span]:
    """Return the spans of all stand-ins, in order. None crosses a line end."""
    spans: list[Span] = []
    at = 0
    for match in _BRACKET.finditer(text):
        found = match.start()
        if found < at:
            continue
        if text[found] == "[":
            beginning = text[found : found + _LONGEST_BEGINNING].casefold()
            end = _closing(text, found, "]", MAX_PLACEHOLDER_CHARS)
            is_placeholder = beginning.startswith(_IN_BRACKETS)
        else:
            end = _closing(text, found, ">", MAX_ADDRESS_CHARS)
            is_placeholder = text.startswith(_ADDRESSES, found) and _follows_text(text, found)
        if is_placeholder and end:
            spans.append(Span(Kind.PLACEHOLDER, found, end))
            at = end
    return spans


def _closing(text: str, start: int, bracket: str, most: int) -> int:
    """Return the position behind the closing bracket, 0 when the line has none within `most` characters."""
    end = text.find(bracket, start, start + most)
    return 0 if end < 0 or "\n" in text[start:end] else end + 1


def _follows_text(text: str, at: int) -> bool:
    """Whether the address stands behind other words of its line: an address alone is the message."""
    before = text[max(0, text.rfind("\n", max(0, at - 200), at) + 1) : at]
    return bool(before.strip("> \t"))
