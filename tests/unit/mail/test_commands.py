"""The parsing of the arguments of MAIL and RCPT."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.smtp.commands import (
    BadCommand,
    ReversePath,
    read_forward_path,
    read_reverse_path,
)

REFUSAL = re.compile(r"5\d\d 5\.\d+\.\d+ [ -~]+")
PIECES = st.sampled_from(
    [
        "<",
        ">",
        '"',
        "\\",
        "@",
        ":",
        ".",
        "+",
        "boop",
        "example.org",
        " ",
        "[",
        "]",
        "\r",
        "\n",
        "é",
        "FROM:",
        "TO:",
        "SIZE=1",
        "\x00",
        "\udcff",
        "(",
        ")",
        ",",
        ";",
        "%",
        "!",
    ]
)
ARGUMENTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))


@given(st.sampled_from(["", "TO:", "TO:<"]), ARGUMENTS)
def test_any_recipient_is_a_mailbox_of_ours_or_a_clear_refusal(prefix: str, text: str) -> None:
    try:
        answer = read_forward_path(prefix + text, "example.org")
    except BadCommand as error:
        answer = error.reply
    assert REFUSAL.fullmatch(answer) or re.fullmatch(r"[^\s@<>]+@example\.org", answer)
    assert answer.isprintable()


@given(st.sampled_from(["", "FROM:", "FROM:<"]), ARGUMENTS)
def test_any_sender_is_an_address_or_a_clear_refusal(prefix: str, text: str) -> None:
    try:
        path = read_reverse_path(prefix + text)
    except BadCommand as error:
        path = ReversePath(error.reply, -1)
    assert path.sender.isprintable()
    assert path.size >= 0 or REFUSAL.fullmatch(path.sender)


def test_no_argument_at_all_is_refused() -> None:
    with pytest.raises(BadCommand, match="501"):
        read_forward_path(None, "example.org")
    with pytest.raises(BadCommand, match="501"):
        read_reverse_path(None)


def test_an_international_domain_is_the_same_in_both_forms() -> None:
    wanted = "boop@bücher.example"
    assert read_forward_path("TO:<boop@xn--bcher-kva.example>", "bücher.example") == wanted
    assert read_forward_path("TO:<boop@BÜCHER.example>", "bücher.example") == wanted


def test_the_postmaster_needs_no_domain() -> None:
    assert read_forward_path("TO:<PostMaster>", "example.org") == "postmaster@example.org"
