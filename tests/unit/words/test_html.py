"""HTML as lines with the marks of mail programs."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.words.html import read_html
from messaging.words.own_words import own_words


def text_of(markup: str) -> str:
    return " ".join(own_words(read_html(markup)).text.split())


HIDDEN = [
    '<div style="display:none !important">no</div>',
    '<div style="max-height:0;overflow:hidden;mso-hide:all">no</div>',
    '<span style="visibility: hidden">no</span>',
    '<span style="font-size:0px">no</span>',
    '<span style="opacity:0">no</span>',
    '<div style="height:0;overflow:hidden">no</div>',
    '<div style="position:absolute;left:-9999px">no</div>',
    "<div hidden>no</div>",
    "<style>.pre{display:none}</style><div class='a pre'>no</div>",
    "<style>.pre.off{display:none}</style><div class='off a pre'>no</div>",
    "<style>body div.pre#top.off{display:none}</style><div id=top class='pre off'>no</div>",
    "<style>/* x */ #pre, .other {max-height:0px}</style><div id=pre>no</div>",
    "<style>@media print{p{display:none}} div.pre{visibility:hidden}</style><div class=pre>no</div>",
    '<span style="clip: rect(1px, 1px, 1px, 1px); position: absolute">no</span>',
    '<div style="clip-path:inset(50%)">no</div>',
    '<div style="width:1px;height:1px;overflow:hidden">no</div>',
    '<div style="max-width:0px;overflow:clip">no</div>',
    '<div style="transform: scale(0)">no</div>',
    '<div style="display:/* all */none">no</div>',
    '<DIV STYLE="DISPLAY : NONE ;">no</DIV>',
    '<div style="display:block;display:none">no</div>',
    '<div style="margin-left:-9999px">no</div>',
    '<div style="position:fixed;bottom:-2000px">no</div>',
    '<div style="content-visibility:hidden">no</div>',
    '<div style="font-size:1px;color:#ffffff;line-height:1px">no</div>',
    '<p style="background:white;color:#fff">no</p>',
    '<span style="color:rgba(0, 0, 0, 0)">no</span>',
    '<span style="-webkit-text-fill-color:transparent">no</span>',
    "<style>[class=pre]{display:none}</style><div class=pre>no</div>",
    '<style>div[class~="pre"]{display:none}</style><div class="a pre">no</div>',
    "<style>body > .pre{display:none}</style><div class=pre>no</div>",
    "<style>*.pre{display:none!important}</style><div class=pre>no</div>",
    "<style>@media only screen{.pre{display:none}}</style><div class=pre>no</div>",
    "<style><!-- .pre{display:none} --></style><div class=pre>no</div>",
    "<table><tr style='display:none'><td>no</td></tr></table>",
    "<audio src=x>no</audio>",
    "<iframe>no</iframe>",
    "<!--[if mso]><p>no</p><![endif]-->",
    "<xml><o:PixelsPerInch>no</o:PixelsPerInch></xml>",
    "<script>no</script>",
    "<title>no</title>",
    "<!-- no -->",
]


@pytest.mark.parametrize("markup", HIDDEN)
def test_leaves_out_what_nobody_sees(markup: str) -> None:
    assert text_of(f"{markup}<p>Gale 8.</p>") == "Gale 8."


@pytest.mark.parametrize(
    "markup",
    [
        '<table style="font-size:0"><tr><td style="font-size:14px">Gale 8.</td></tr></table>',
        "<style>@media (max-width:600px){p{display:none}}</style><p>Gale 8.</p>",
        '<div style="line-height:0">Gale 8.</div>',
        '<div style="color:inherit;background:inherit">Gale 8.</div>',
        '<div style="background:#000"><p style="color:#fff">Gale 8.</p></div>',
        '<div style="overflow:hidden;width:1em;margin-left:-9px">Gale 8.</div>',
        "<style>.old .pre{display:none}</style><div class=pre>Gale 8.</div>",
        "<style>.pre.off{display:none}</style><div class=pre>Gale 8.</div>",
        "<style>p.pre.off{display:none}</style><div class='pre off'>Gale 8.</div>",
        "<style>.pre.off:hover{display:none}</style><div class='pre off'>Gale 8.</div>",
        "<style>@media print{.pre{display:none}}</style><div class=pre>Gale 8.</div>",
        "<style>" + "@media all{" * 20_000 + "</style>Gale 8.",
        "<noscript>Gale 8.</noscript>",
        "<style>p{color:red}</style><section>Gale 8.</section>",
        "<meta charset=utf-8><td>Gale 8.</td>",
        "<!--[if !mso]><!--><p>Gale 8.</p><!--<![endif]-->",
        "<p>Gale 8.</p><style>p{color:red}",
        "<p>Gale 8.</p><div",
        '<div style="max-height:none;opacity:0.9">Gale 8.</div>',
        "<div>Gale <!-- x -->8.</div>",
        "<div>Gale <b></b>8.</div>",
    ],
)
def test_keeps_what_is_visible(markup: str) -> None:
    assert text_of(markup) == "Gale 8."


QUOTE = "When?"


@pytest.mark.parametrize(
    "history",
    [
        '<div class="gmail_quote"><div class="gmail_attr">Am 27. schrieb:</div>'
        f'<blockquote class="gmail_quote">{QUOTE}</blockquote></div>',
        f'<div class="gmail_quote">On Friday Boop wrote:<br>{QUOTE}</div>',
        f'<div id="divRplyFwdMsg"><b>Fra&#xF8;:</b> boop</div><div>{QUOTE}</div>',
        f'<div id="mail-editor-reference-message-container"><div>{QUOTE}</div></div>',
        f'<div class="yahoo_quoted" id="yahoo_quoted_1">{QUOTE}</div>',
        f'<div class="moz-cite-prefix">Il 27/11 Boop ha scritto:<br></div><blockquote type="cite">{QUOTE}</blockquote>',
        '<div class="protonmail_quote">On Friday, Boop wrote:<br>'
        f'<blockquote class="protonmail_quote" type="cite">{QUOTE}</blockquote></div>',
        f'<div name="quote" style="border-left:2px solid #C3D9E5"><div>{QUOTE}</div></div>',
        f'<blockquote style="border-left:1px solid #ccc">{QUOTE}</blockquote>',
    ],
)
def test_folds_the_history_of_each_program(history: str) -> None:
    assert text_of(f"<div>Yes.</div>{history}") == "Yes."


@pytest.mark.parametrize(
    "signature",
    [
        '<div class="gmail_signature">Ann<br>Harbour office</div>',
        '<div class="moz-signature">-- <br>Ann</div>',
        '<div id="ms-outlook-mobile-signature">Get <a href="https://aka.ms/x">Outlook for iOS</a></div>',
        '<div class="protonmail_signature_block">Sent with Proton Mail</div>',
    ],
)
def test_folds_the_signature_of_each_program(signature: str) -> None:
    assert text_of(f"<div>Yes.</div>{signature}") == "Yes."


def test_keeps_words_that_the_author_wrote_within_the_signature() -> None:
    markup = (
        '<div class="gmail_signature">Visa came today.<br><br>Sent from my iPhone</div>'
        '<blockquote type="cite">When?</blockquote>'
    )
    assert text_of(markup) == "Visa came today."


def test_keeps_a_forwarded_mail() -> None:
    markup = (
        '<div>FYI</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>'
        "From: <b>Bob</b> &lt;b@x.example&gt;<br>Subject: Gale<br></div><div>Gale 8.</div></div>"
    )
    assert text_of(markup) == "FYI Gale 8."


def test_keeps_an_indented_block_of_the_author() -> None:
    assert (
        text_of("<p>First</p><blockquote>second</blockquote><p>third</p>") == "First second third"
    )


def test_controls_beyond_ascii_are_typographic_characters() -> None:
    assert text_of("<p>&#147;Gale&#148; it&#146;s 8&#133;</p>") == "“Gale” it’s 8…"


LINK = '<a href="https://t.example/c?x">the plan</a>'


def test_shows_a_link_as_its_text() -> None:
    assert text_of(f"<p>See {LINK}.</p><p>{'word ' * 30}</p>").startswith("See the plan. word")
    assert text_of(f"<p>See {LINK} and {LINK}.</p>") == "See the plan and the plan."


def test_shows_the_address_of_the_only_link_of_a_short_mail() -> None:
    assert text_of(f"<p>See {LINK}</p>") == "See the plan <https://t.example/c?x>"
    assert (
        text_of('<p><a href="https://t.example/">https://t.example</a></p>') == "https://t.example"
    )
    assert text_of('<p><a href="mailto:ann@x.example">ann</a></p>') == "ann"


def test_separates_cells_and_lines() -> None:
    marked = read_html("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>d<br>e")
    assert [line.split() for line in marked.text.strip().split("\n")] == [
        ["a", "b"],
        ["c"],
        ["d"],
        ["e"],
    ]


TAGS = [
    "<div>", "</div>", "<p>", "<br>", "<blockquote type=cite>", "</blockquote>", "<style>", "</style>",
    ".a{display:none}", "<b class=a>", "</b>", "<!--", "-->", "<table>", "<td>", "<tr>", "&nbsp;", "&lt;",
    "<pre>", "</pre>", "<div hidden>", "<div",
]  # fmt: skip


@given(
    st.lists(
        st.one_of(
            st.sampled_from(TAGS),
            st.text(max_size=8),
        ),
        max_size=40,
    ).map("".join)
)
def test_never_raises_and_marks_lie_within_the_text(markup: str) -> None:
    marked = read_html(markup)
    at = 0
    for mark in marked.marks:
        assert at <= mark.start < mark.end <= len(marked.text)
        at = mark.end
    split = own_words(marked).split
    assert len(split.own) + len(split.rest) == len(marked.text)


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 10_000,
        "<blockquote type=cite>x" * 5000,
        '<div class="gmail_quote">' * 3000 + "<blockquote>x",
        "<style>" + ".a{display:none}" * 10_000 + "</style>x",
        "<style>"
        + "".join(f".a.b{i}{{display:none}}" for i in range(10_000))
        + "</style>"
        + "<b class='a b'>x</b>" * 3000,
        "<style>" + "/*" * 50_000 + "</style>x",
        "<br>" * 10_000,
        "a<b>b</b> " * 10_000,
    ],
    ids=lambda markup: markup[:16],
)
def test_takes_bounded_time_for_hostile_markup(markup: str) -> None:
    start = time.process_time()
    own_words(read_html(markup))
    assert time.process_time() - start < 10
