"""Reads the HTML of a mail as lines with the marks of mail programs. Pure; the caller limits the length."""

import html
import re
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from messaging.words.invisible import read_controls
from messaging.words.spans import Mark, MarkedText, SpanKind
from messaging.words.styles import HidingRules, hides, hides_text, is_coloured, read_sheets

_TAG: Final = re.compile(r"<[^<>]*(?:>|\Z)")
MAX_LINK_CHARS: Final = 300
_DEEP: Final = 200
# The parser refuses decoded text that declares a charset.
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^<>]*>")
# The head is not among them: the parser puts elements into it that it does not know.
_SILENT: Final = frozenset(
    (
        "link",
        "meta",
        "script",
        "style",
        "template",
        "title",
        "object",
        "svg",
        "select",
        "textarea",
        "audio",
        "canvas",
        "datalist",
        "dialog",
        "iframe",
        "noframes",
        "video",
        "xml",
    )
)
_BLOCKS: Final = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol",
    "p", "pre", "section", "table", "tbody", "thead", "tfoot", "tr", "ul", "caption",
))  # fmt: skip
_SPACED: Final = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre")
)
_CELLS: Final = frozenset(("td", "th"))
# An empty paragraph of Outlook is a blank line, its others have no gap between them.
_TIGHT_CLASSES: Final = ("msonormal", "msoplaintext")

_CLASS_KINDS: Final = {
    "gmail_attr": SpanKind.ATTRIBUTION,
    "moz-cite-prefix": SpanKind.ATTRIBUTION,
    "gmail_signature": SpanKind.SIGNATURE,
    "gmail_signature_prefix": SpanKind.SIGNATURE,
    "moz-signature": SpanKind.SIGNATURE,
    "signature": SpanKind.SIGNATURE,
    "protonmail_signature_block": SpanKind.SIGNATURE,
    "k9mail-signature": SpanKind.SIGNATURE,
    "k9mail_signature": SpanKind.SIGNATURE,
    "yahoo-signature": SpanKind.SIGNATURE,
    "ymail_signature": SpanKind.SIGNATURE,
    "outlookmessageheader": SpanKind.HEADERS,
    "yahoo_quoted": SpanKind.QUOTE,
    "yahoo-quoted": SpanKind.QUOTE,
    "gmx_quote": SpanKind.QUOTE,
    "tutanota_quote": SpanKind.QUOTE,
    "ms-outlook-mobile-reference-message": SpanKind.QUOTE,
}
# The signature of Outlook's app is not among them: authors type below it, within its element.
_ID_KINDS: Final = {
    "applemailsignature": SpanKind.SIGNATURE,
    "signature": SpanKind.SIGNATURE,
    "composer_signature": SpanKind.CLIENT_FOOTER,
    "mail-editor-reference-message-container": SpanKind.QUOTE,
    "reply-intro": SpanKind.ATTRIBUTION,
    "olk_src_body_section": SpanKind.QUOTE,
    "yahoo_quoted": SpanKind.QUOTE,
    "ymail_android_signature": SpanKind.CLIENT_FOOTER,
    "ymail_ios_signature": SpanKind.CLIENT_FOOTER,
    "avast_block": SpanKind.DISCLAIMER,
    "dab4fad8-2dd7-40bb-a1b8-4e2aa1f9fdf2": SpanKind.DISCLAIMER,
}
_FAIREMAIL_KINDS: Final = {"signature": SpanKind.SIGNATURE, "reference": SpanKind.QUOTE}
_QUOTE_CLASSES: Final = frozenset(("gmail_quote", "protonmail_quote", "cite", "gmail_extra"))


def read_html(markup: str) -> MarkedText:
    """Return the visible text of HTML with marks. Never raises."""
    try:
        # The parser of `lxml.html` calls a function for each element.
        root = etree.fromstring(
            _DECLARATION.sub("", markup.replace("\x00", "")),
            parser=etree.HTMLParser(huge_tree=True),
        )
        if root is None:
            raise etree.ParserError("no element")
        writer = _Writer(read_sheets([sheet.text or "" for sheet in root.iter("style")]))
        writer.write(root)
        marked = writer.finish()
    except (etree.LxmlError, ValueError, AssertionError):
        marked = MarkedText("")
    # libxml2 omits the text below some thousand levels; visible pages of mails have a few dozen.
    is_deep = markup.count("<div") + markup.count("<span") + markup.count("<b>") > _DEEP
    if marked.text.strip() or not is_deep:
        return marked
    return MarkedText(html.unescape(_TAG.sub(" ", markup)))


@dataclass(slots=True)
class _State:
    """The state within one open element."""

    tag: str
    kind: SpanKind | None
    depth: int
    is_invisible: bool
    is_preformatted: bool
    is_coloured: bool
    link: str = ""
    start: int = 0
    """The length of the text before the element."""
    is_tight: bool = False


@dataclass
class _Writer:
    """Writes the text of elements line by line."""

    rules: HidingRules
    pieces: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    length: int = 0
    newlines: int = 2
    needs_blank: bool = False
    bullet: str = ""
    """The sign of the list item whose first words come next."""
    numbers: dict[Any, int] = field(default_factory=dict)
    last_words: str = ""
    holders: set[Any] = field(default_factory=set)
    """The elements around quotations."""

    def write(self, root: Any) -> None:
        """Walk the tree once, without recursion."""
        self._find_holders(root)
        open_states = [_State("", None, 0, False, False, False)]
        skipped: Any = None
        for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
            if skipped is not None:
                if event == "end" and element is skipped:
                    skipped = None
                    self._write_text(element.tail, open_states[-1])
            elif event == "start":
                state = self._enter(element, open_states[-1])
                if state is None:
                    skipped = element
                else:
                    open_states.append(state)
                    self._write_text(element.text, state)
            else:
                if event == "end":
                    self._leave(open_states.pop())
                self._write_text(element.tail, open_states[-1])

    def _find_holders(self, root: Any) -> None:
        for block in root.iter("blockquote"):
            holder = block.getparent()
            while holder is not None and holder not in self.holders:
                self.holders.add(holder)
                holder = holder.getparent()

    def _leave(self, state: _State) -> None:
        if state.tag == "li":
            self.bullet = ""
        if state.link and self.length > state.start and self.newlines == 0:
            self._write_link(state)
        if state.tag in _BLOCKS:
            is_empty = state.is_tight and self.length == state.start
            self._break_line(3 if is_empty else 2 if state.tag in _SPACED else 1)
        elif state.tag in _CELLS:
            self.needs_blank = True

    def _write_link(self, state: _State) -> None:
        """Write the address behind the text of a link, as programs do in plain text, unless they are the same."""
        scheme, _, rest = state.link.partition("://")
        is_known = rest.rstrip("/") in self.last_words
        if (
            scheme.lower() in ("http", "https")
            and len(state.link) <= MAX_LINK_CHARS
            and not (is_known or any(sign in state.link for sign in "<> \n"))
        ):
            self._append(f" <{state.link}>", state)

    def _bullet_of(self, item: Any) -> str:
        """Return `* `, or the number of an item of an ordered list."""
        above = item.getparent()
        if above is None or above.tag != "ol":
            return "* "
        self.numbers[above] = self.numbers.get(above, 0) + 1
        return f"{self.numbers[above]}. "

    def finish(self) -> MarkedText:
        """Return the text, with neighbouring marks of one kind joined."""
        joined: list[Mark] = []
        for mark in self.marks:
            last = joined[-1] if joined else None
            if last and (last.kind, last.depth, last.end) == (mark.kind, mark.depth, mark.start):
                joined[-1] = Mark(mark.kind, last.start, mark.end, mark.depth)
            else:
                joined.append(mark)
        # Programs write `&#147;` for a quotation mark.
        return MarkedText(read_controls("".join(self.pieces)), tuple(joined))

    def _enter(self, element: Any, outer: _State) -> _State | None:
        """Return the state within an element, None when it is invisible."""
        tag = element.tag
        get = element.get
        classes, identifier = get("class") or "", get("id") or ""
        if tag in _SILENT or get("hidden") is not None:
            return None
        declarations = self.rules.declarations_of(
            tag, classes.lower(), identifier.lower(), get("style") or ""
        )
        if declarations and hides(declarations):
            return None
        invisible = hides_text(declarations) if declarations else None
        if tag == "font" and get("color"):
            declarations = {**declarations, "color": str(get("color")).strip().lower()}
        coloured = is_coloured(declarations) if declarations and tag != "a" else None
        if tag in _BLOCKS:
            self._break_line(2 if tag in _SPACED and tag != "blockquote" else 1)
            if tag == "li":
                self.bullet = self._bullet_of(element)
        elif tag == "br":
            self._write_newline(outer)
        elif tag in _CELLS:
            self.needs_blank = self.newlines == 0
        kind, depth = outer.kind, outer.depth
        if kind is None:
            kind = self._kind_of(element, tag, classes.lower().split(), identifier.lower())
        if kind is SpanKind.QUOTE and (outer.kind is None or tag == "blockquote"):
            depth += 1
        return _State(
            tag, kind, depth,
            outer.is_invisible if invisible is None else invisible,
            outer.is_preformatted or tag == "pre",
            outer.is_coloured if coloured is None else coloured,
            str(get("href") or "").strip() if tag == "a" else "",
            self.length,
            tag == "p" and any(map(classes.lower().__contains__, _TIGHT_CLASSES)),
        )  # fmt: skip

    def _kind_of(
        self, element: Any, tag: str, classes: list[str], identifier: str
    ) -> SpanKind | None:
        """Return the kind that the marks of mail programs give to an element."""
        if identifier == "divrplyfwdmsg" or element.get("data-marker") == "__HEADERS__":
            return SpanKind.HEADERS
        if tag == "div" and "gmail_quote" in classes and element not in self.holders:
            # Old clients put the history in it without a blockquote; a forwarded mail begins with dashes.
            first = next((text for text in element.itertext() if text.strip()), "")
            return None if first.lstrip().startswith("---") else SpanKind.QUOTE
        for name in classes:
            if name in _CLASS_KINDS:
                return _CLASS_KINDS[name]
        if identifier in _ID_KINDS:
            return _ID_KINDS[identifier]
        if identifier.startswith(("yahoo_quoted", "yiv")):
            return SpanKind.QUOTE
        if element.get("fairemail") in _FAIREMAIL_KINDS:
            return _FAIREMAIL_KINDS[element.get("fairemail")]
        if tag == "blockquote":
            return SpanKind.QUOTE if self._is_citation(element, classes) else None
        if tag == "div" and element.get("name") == "quote":
            return SpanKind.QUOTE
        return None

    def _is_citation(self, element: Any, classes: list[str]) -> bool:
        """Whether a block quotes a mail: an author may indent own words as well."""
        return (
            (element.get("type") or "").lower() == "cite"
            or element.get("cite") is not None
            or not _QUOTE_CLASSES.isdisjoint(classes)
            or "border-left" in (element.get("style") or "").lower()
            or self.last_words.rstrip().endswith((":", "：", "wrote"))
        )

    def _write_text(self, text: str | None, state: _State) -> None:
        if not text or state.is_invisible:
            return
        if state.is_preformatted:
            for index, line in enumerate(text.replace("\r", "").split("\n")):
                if index:
                    self._write_newline(state)
                self._write_words(line, state)
            return
        words = " ".join(text.split(None))
        if not words:
            self.needs_blank = self.needs_blank or self.newlines == 0
            # A no-break space alone makes a blank line visible, nothing more.
            return
        if text[0].isspace():
            self.needs_blank = self.newlines == 0
        self._write_words(words, state)
        self.needs_blank = text[-1].isspace()

    def _write_words(self, words: str, state: _State) -> None:
        if not words:
            return
        if self.bullet:
            words = self.bullet + words
            self.bullet = ""
        if self.needs_blank and self.newlines == 0:
            words = " " + words
        self.needs_blank = False
        self._append(words, state)
        self.newlines = 0
        self.last_words = words

    def _write_newline(self, state: _State) -> None:
        self._append("\n", state)
        self.newlines += 1
        self.needs_blank = False

    def _break_line(self, count: int) -> None:
        """End the line; with 2, leave a blank line as well."""
        missing = count - self.newlines
        if missing > 0 and self.length:
            self.pieces.append("\n" * missing)
            self.length += missing
            self.newlines = count
        self.needs_blank = False

    def _append(self, text: str, state: _State) -> None:
        if state.kind is not None:
            self.marks.append(Mark(state.kind, self.length, self.length + len(text), state.depth))
        elif state.is_coloured and text != "\n":
            # Authors answer in colour within the history.
            self.marks.append(Mark(SpanKind.OWN, self.length, self.length + len(text)))
        self.pieces.append(text)
        self.length += len(text)
