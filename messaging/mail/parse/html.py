"""Converts the HTML of a mail to plain text, in bounded time and memory. Pure."""

import html
import re
from copy import copy
from typing import Any, Final

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping

_TAG: Final = re.compile(r"<[^<>]*(?:>|\Z)")
_LONG_TAG: Final = re.compile(r"<[^<>]{2000,}>")
_SPACES: Final = re.compile(r"[ \t]+")
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SILENT: Final = ("head", "link", "meta", "script", "style", "template", "title")


def html_to_text(markup: str) -> str:
    """Return the readable text of HTML. Never raises; the caller limits the length of `markup`.

    Reads tables cell by cell and indents nothing. Of styles, only `display: none` counts.
    """
    try:
        text = str(get_text(markup.replace("\x00", ""), _config()))
    except Exception:
        # lxml and inscriptis document no list of exceptions for broken markup; the tags can always be cut out.
        text = ""
    # libxml2 stops below 256 levels and then omits the text.
    return text if text.strip() else _SPACES.sub(" ", html.unescape(_TAG.sub(" ", markup)))


def without_long_tags(markup: str) -> str:
    """Return `markup` without tags of kilobytes: pictures within the page, or attributes of an attack."""
    return _LONG_TAG.sub(" ", markup)


def _config() -> Any:
    # Layout with spaces would let a few kilobytes of HTML ask for gigabytes, and a small device shows no columns.
    css = {tag: copy(element) for tag, element in CSS_PROFILES["relaxed"].items()}
    for element in css.values():
        element.padding_inline = 0
    css |= {tag: HtmlElement(display=Display.block) for tag in ("table", "tr", "caption")}
    css |= {tag: HtmlElement(display=Display.none) for tag in _SILENT}
    handlers = CustomHtmlTagHandlerMapping(
        start_tag_mapping=dict.fromkeys(("table", "tr", "td", "th"), _ignore),
        end_tag_mapping={"table": _ignore, "td": _write_space, "th": _write_space},
    )
    config = ParserConfig(css=css, custom_html_tag_handler_mapping=handlers)
    config.attribute_handler.attribute_mapping = {"style": _hide}
    return config


def _ignore(*_: Any) -> None:
    """Handle a tag by its style alone."""


def _write_space(state: Any) -> None:
    state.tags[-1].write(" ")


def _hide(style: str, element: Any) -> None:
    if _HIDDEN.search(style):
        element.display = Display.none
