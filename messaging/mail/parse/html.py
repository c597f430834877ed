"""Turns the HTML of a mail into plain text, in bounded time and memory."""

import html
import re
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
    """Return the readable text of HTML. Never raises; the caller bounds the length of `markup`.

    Tables are read cell by cell and nothing is indented: laid out with spaces, a few kilobytes of HTML could ask
    for gigabytes, and a small device shows no columns. Of styles, only `display: none` counts.
    """
    try:
        text = str(get_text(markup.replace("\x00", ""), _config()))
    except Exception:
        # What lxml and inscriptis raise on broken markup is nowhere listed; the tags can always be cut out.
        text = ""
    # libxml2 gives up below 256 levels and then leaves the text out.
    return text if text.strip() else _SPACES.sub(" ", html.unescape(_TAG.sub(" ", markup)))


def without_long_tags(markup: str) -> str:
    """Return `markup` without tags of kilobytes: pictures written into the page, or attributes meant to choke us."""
    return _LONG_TAG.sub(" ", markup)


def _config() -> Any:
    css = {tag: _flat(element) for tag, element in CSS_PROFILES["relaxed"].items()}
    css |= {tag: HtmlElement(display=Display.block) for tag in ("table", "tr", "caption")}
    css |= {tag: HtmlElement(display=Display.none) for tag in _SILENT}
    handlers = CustomHtmlTagHandlerMapping(
        start_tag_mapping=dict.fromkeys(("table", "tr", "td", "th"), _nothing),
        end_tag_mapping={"table": _nothing, "td": _space, "th": _space},
    )
    config = ParserConfig(css=css, custom_html_tag_handler_mapping=handlers)
    config.attribute_handler.attribute_mapping = {"style": _hide}
    return config


def _flat(element: Any) -> Any:
    flat = element.__copy__()
    flat.padding_inline = 0
    return flat


def _nothing(*_: Any) -> None:
    """Handle a tag that only its style concerns."""


def _space(state: Any) -> None:
    state.tags[-1].write(" ")


def _hide(style: str, element: Any) -> None:
    if _HIDDEN.search(style):
        element.display = Display.none
