"""Tells from attributes and style rules which HTML elements are invisible. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_STYLE_CHARS: Final = 2000
MAX_SHEET_CHARS: Final = 200_000
MAX_RULES: Final = 2000
MAX_COMPOUNDS: Final = 50
_LENGTHS: Final = ("max-height", "max-width")
_FAR_AWAY: Final = -900.0
_OFFSETS: Final = (
    "left", "right", "top", "bottom", "text-indent", "margin-left", "margin-right", "margin-top",
)  # fmt: skip
_CLIPS: Final = ("inset(50%", "inset(100%", "circle(0", "polygon(0 0, 0 0", "polygon(0 0,0 0")
_HEX: Final = {"white": "#ffffff", "#fff": "#ffffff", "black": "#000000", "#000": "#000000"}
_NO_NUMBER: Final = float("nan")
_MAX_COMMENTS: Final = 10_000
_COLOURS: Final = frozenset(
    ("red", "blue", "green", "purple", "magenta", "fuchsia", "orange", "teal", "maroon", "navy")
)
_MIN_CHROMA: Final = 80
_SCREENS: Final = frozenset(("@media", "only", "screen", "all"))
_SEVERAL: Final = 2
_NAME_SIGN: Final = re.compile("([.#])")
_NAME: Final = re.compile(r"[.#][\w-]+")
_QUOTES: Final = "'\" "
# Elements that each page has: a rule for what stands within them holds everywhere.
_EVERYWHERE: Final = frozenset(("html", "body", "table", "tbody", "tr", "td", "div", "center"))

Declarations = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HidingRules:
    """Declarations of the style sheets of a page that can hide, by tag, `.class` or `#id`.

    `of_several` has those for elements with several classes or a class and an id, all of which must match.
    """

    by_selector: Mapping[str, Declarations] = field(default_factory=dict)
    of_several: Mapping[frozenset[str], Declarations] = field(default_factory=dict)

    def declarations_of(self, tag: str, classes: str, identifier: str, style: str) -> Declarations:
        """Return what applies to an element; its own style comes last."""
        if not (self.by_selector or self.of_several):
            return read_declarations(style) if style else {}
        merged: dict[str, str] = {}
        selectors = [tag, *(f".{name}" for name in classes.split()[:20])]
        if identifier:
            selectors.append(f"#{identifier}")
        for selector in selectors:
            merged |= self.by_selector.get(selector, {})
        if self.of_several and len(selectors) > _SEVERAL:
            own = frozenset(selectors)
            for needed, declarations in self.of_several.items():
                if needed <= own:
                    merged |= declarations
        return merged | read_declarations(style) if style else merged


def read_declarations(style: str) -> dict[str, str]:
    """Return the declarations of a style attribute in lower case."""
    found: dict[str, str] = {}
    style = style[:MAX_STYLE_CHARS].lower()
    if "/*" in style:
        style = _without_comments(style)
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            found[name.strip()] = value.replace("!important", "").strip()
    return found


def hides(declarations: Declarations) -> bool:
    """Whether an element with these declarations takes no room on the screen, with all that it holds."""
    value = declarations.get
    if value("display") == "none" or value("mso-hide") == "all":
        return True
    if any(_is_zero(value(name, "")) for name in _LENGTHS):
        return True
    cut_off = value("overflow", "").startswith(("hidden", "clip"))
    if cut_off and (_is_tiny(value("height", "")) or _is_tiny(value("width", ""))):
        return True
    if _is_zero(value("opacity", "")) or value("content-visibility") == "hidden":
        return True
    if value("transform", "").replace(" ", "").startswith(("scale(0)", "scale(0,")):
        return True
    corners = value("clip", "").removeprefix("rect(").rstrip(") ").replace(",", " ").split()
    if corners and all(_is_tiny(corner) for corner in corners):
        return True
    return value("clip-path", "").startswith(_CLIPS) or any(
        _number(value(name, "")) <= _FAR_AWAY for name in _OFFSETS
    )


def hides_text(declarations: Declarations) -> bool | None:
    """Whether the text directly within is invisible, None when nothing is said: children may differ."""
    size, visibility = declarations.get("font-size"), declarations.get("visibility")
    if visibility in ("hidden", "collapse"):
        return True
    colour = declarations.get("-webkit-text-fill-color") or declarations.get("color", "")
    is_clear = colour == "transparent" or (
        colour.startswith("rgba") and _is_zero(colour.rstrip(") ").replace(",", " ").split()[-1])
    )
    ground = declarations.get("background-color") or declarations.get("background", "")
    colour, ground = _HEX.get(colour, colour), _HEX.get(ground, ground)
    if is_clear or (colour.startswith(("#", "rgb")) and colour == ground):
        return True
    if size:
        return _is_tiny(size)
    return False if visibility == "visible" else None


def is_coloured(declarations: Declarations) -> bool | None:
    """Whether text stands out by its colour from black and grey, None when nothing is said."""
    value = declarations.get("color", "")
    if not value:
        return None
    if value.startswith("#"):
        digits = value[1:7] if len(value) >= 7 else "".join(digit * 2 for digit in value[1:4])
        try:
            parts = [int(digits[at : at + 2], 16) for at in (0, 2, 4)]
        except ValueError:
            return False
    elif value.startswith("rgb"):
        numbers = value.partition("(")[2].rstrip(") ").replace(",", " ").split()[:3]
        parts = [int(_number(number)) if number[:1].isdecimal() else 0 for number in numbers]
    else:
        return value in _COLOURS
    return bool(parts) and max(parts) - min(parts) >= _MIN_CHROMA


def _number(value: str) -> float:
    """Return the number at the beginning of a value, not a number when it has none."""
    if not value:
        return _NO_NUMBER
    end = 0
    while end < min(len(value), 20) and value[end] in "+-.0123456789":
        end += 1
    try:
        return float(value[:end])
    except ValueError:
        return _NO_NUMBER


def _is_zero(value: str) -> bool:
    return _number(value) == 0


def _is_tiny(value: str) -> bool:
    """Whether a length is at most one pixel."""
    return _is_zero(value) or (value.endswith(("1", "px", "pt")) and 0 < _number(value) <= 1)


def read_sheets(sheets: list[str]) -> HidingRules:
    """Read the rules with simple selectors, without those in `@media` with a condition and other blocks."""
    rules: dict[str, dict[str, str]] = {}
    of_several: dict[frozenset[str], dict[str, str]] = {}
    left = MAX_RULES
    for sheet in sheets:
        for selectors, body in _rules_of(_without_comments(sheet[:MAX_SHEET_CHARS])):
            left -= 1
            if left < 0:
                return HidingRules(rules, of_several)
            declarations = read_declarations(body)
            if not (hides(declarations) or hides_text(declarations)):
                continue
            for selector in selectors.lower().split(",")[:50]:
                name = _simple_selector(selector.strip())
                if name:
                    rules.setdefault(name, {}).update(declarations)
                elif len(of_several) < MAX_COMPOUNDS and (names := _compound_of(selector.strip())):
                    of_several.setdefault(names, {}).update(declarations)
    return HidingRules(rules, of_several)


def _compound_of(selector: str) -> frozenset[str]:
    """Return the names of a selector such as `.a.b` or `div#c.a`, which an element must all have; none of others."""
    above, _, last = selector.rpartition(" ")
    if above and _EVERYWHERE.issuperset(above.replace(">", " ").split()):
        selector = last
    tag, *rest = _NAME_SIGN.split(selector.removeprefix("*"))
    names = ["".join(pair) for pair in zip(rest[::2], rest[1::2], strict=True)]
    if len(names) < _SEVERAL or not all(map(_NAME.fullmatch, names)):
        return frozenset()
    return frozenset((*names, tag) if tag else names) if tag.isalnum() or not tag else frozenset()


def _simple_selector(selector: str) -> str:
    """Return `.name` for `div.name` and `[class=name]`, `#name` for `td#name`, a tag as it is; else empty."""
    above, _, last = selector.rpartition(" ")
    if above and _EVERYWHERE.issuperset(above.replace(">", " ").split()):
        selector = last
    tag, bracket, rest = selector.partition("[class")
    if bracket and rest.endswith("]"):
        selector = f"{tag}.{rest.lstrip('~^*|=')[:-1].strip(_QUOTES)}"
    selector = selector.removeprefix("*")
    for sign in (".", "#"):
        tag, found, name = selector.partition(sign)
        if (
            found
            and (not tag or tag.isalnum())
            and name.replace("-", "").replace("_", "").isalnum()
        ):
            return sign + name
    # A rule for a bare tag such as `div` is a reset, for `u` or `preheader` it hides.
    return (
        selector
        if selector.isalnum()
        and selector not in ("div", "p", "td", "table", "body", "a", "span", "img")
        else ""
    )


def _without_comments(sheet: str) -> str:
    kept = []
    for index, piece in enumerate(
        sheet.replace("<!--", "").replace("-->", "").split("/*", _MAX_COMMENTS)
    ):
        kept.append(piece if index == 0 else piece.partition("*/")[2])
    return "".join(kept)


def _rules_of(sheet: str, *, is_within: bool = False) -> list[tuple[str, str]]:
    """Return the selectors and bodies of the rules on the outermost level, and of those for each screen."""
    rules: list[tuple[str, str]] = []
    depth, begin, selectors = 0, 0, ""
    at_rule = False
    for at, character in enumerate(sheet):
        if character == "{":
            if depth == 0:
                selectors = sheet[begin:at].rpartition(";")[2].strip()
                at_rule, begin = selectors.startswith("@"), at + 1
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                if not at_rule:
                    rules.append((selectors, sheet[begin:at]))
                elif not is_within and _SCREENS.issuperset(selectors.lower().split()):
                    rules += _rules_of(sheet[begin:at], is_within=True)
                begin = at + 1
    return rules
