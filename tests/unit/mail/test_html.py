"""The conversion of HTML to plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.text import clean
from messaging.words.html import read_html


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one<br>two</div>", "one\ntwo"),
        ("a &amp; b &lt;c&gt; &eacute; &#8364;", "a & b <c> é €"),
        ("<ul><li>tea<li>milk</ul>", "* tea\n* milk"),
        ("<ol><li>tea<li>milk</ol>", "1. tea\n2. milk"),
        (
            "<table><tr><td>tea</td><td>2</td></tr><tr><td>milk</td><td>1</td></tr></table>",
            "tea 2\nmilk 1",
        ),
        ("<head><title>x</title><style>p{}</style></head><body>shown</body>", "shown"),
        ("<script>alert(1)</script>shown", "shown"),
        ("<div style='color:red; DISPLAY : none'>hidden</div>shown", "shown"),
        ("<div style='padding-left:9999em'>near</div>", "near"),
        ("<!-- note -->shown", "shown"),
        ("<a href='https://example.org/?long'>here</a>", "here <https://example.org/?long>"),
        ("<?xml version='1.0' encoding='utf-8'?><html><body>shown</body></html>", "shown"),
        ("a\x00b", "ab"),
        ("<b", ""),
        ("", ""),
        ("no markup", "no markup"),
        ("<div>" * 5000 + "deep", "deep"),
    ],
)
def test_html_becomes_readable_text(markup: str, text: str) -> None:
    assert clean(read_html(markup).text).strip() == text


TAGS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<table>",
        "<td>",
        "<tr>",
        "</table>",
        "<ul>",
        "<li>",
        "<ol>",
        "</ol>",
        "<pre>",
        "<a href=",
        ">",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?xml ",
        "?>",
        "<!DOCTYPE",
        "&#0;",
        "&#xD800;",
        "text",
        "<td colspan=-1>",
        "<p style='margin-top:1.2.3em'>",
        "<svg>",
        "<math>",
        "<html>",
        "</html>",
        "\x00",
        "\x1b",
        "\ufffe",
        "<body ",
    ]
)


@given(st.lists(st.one_of(TAGS, st.text(max_size=5)), max_size=40).map("".join))
def test_nothing_raises(markup: str) -> None:
    assert isinstance(read_html(markup).text, str)
