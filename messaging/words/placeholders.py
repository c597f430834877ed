"""Finds stand-ins of mail programs within lines: `[cid:…]`, `[image: logo.png]`, addresses behind link texts. Pure."""

import re
from typing import Final

from messaging.words.spans import Span, SpanKind

MAX_PLACEHOLDER_CHARS: Final = 300
MAX_ADDRESS_CHARS: Final = 4000
_MAX_LOOK_BACK: Final = 200
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
            # An address alone on its line is the message.
            line_start = text.rfind("\n", max(0, found - _MAX_LOOK_BACK), found) + 1
            before = text[max(line_start, found - _MAX_LOOK_BACK) : found].strip("> \t")
            is_placeholder = text.startswith(_ADDRESSES, found) and bool(before)
        if is_placeholder and end:
            spans.append(Span(SpanKind.PLACEHOLDER, found, end))
            at = end
    return spans


def _closing(text: str, start: int, bracket: str, most: int) -> int:
    """Return the position behind the closing bracket, 0 when the line has none within `most` characters."""
    end = text.find(bracket, start, start + most)
    return 0 if end < 0 or "\n" in text[start:end] else end + 1
