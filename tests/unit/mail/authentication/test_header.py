"""Header fields, bodies and authors as DKIM and DMARC need them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.authentication.dkim import (
    canonical_body,
    parse_tags,
    recipients_of,
    without_signature,
)
from messaging.mail.authentication.header import author_of, read_addresses, split_mail
from messaging.mail.classify import add_authorship
from messaging.model.authentication import Authentication, AuthorLevel, MechanismResult
from messaging.model.message import Address, Message, Network


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a@x.example", ["a@x.example"]),
        ("<a@x.example>", ["a@x.example"]),
        ("Alice <a@x.example>", ["a@x.example"]),
        ('"Alice, <b@y.example>" <a@x.example>', ["a@x.example"]),
        ('"b@y.example" <a@x.example>', ["a@x.example"]),
        ("(b@y.example) a@x.example", ["a@x.example"]),
        ("a@x.example (Alice (nested) \\) )", ["a@x.example"]),
        ('( " ) a@x.example ( " )', ["a@x.example"]),
        ("a@x.example, b@y.example", ["a@x.example", "b@y.example"]),
        ("A <a@x.example>, B <b@y.example>", ["a@x.example", "b@y.example"]),
        ("<a@x.example> <b@y.example>", ["a@x.example", "b@y.example"]),
        ("friends: a@x.example, b@y.example;", ["a@x.example", "b@y.example"]),
        ("undisclosed-recipients:;", []),
        ("Alice", ["Alice"]),
        ("a@x.example b@y.example", ["a@x.exampleb@y.example"]),
        ("Alice <a@x.example", ["<"]),
        ("", []),
    ],
)
def test_addresses(text: str, addresses: list[str]) -> None:
    assert read_addresses(text) == addresses


@pytest.mark.parametrize(
    ("header", "author", "problem"),
    [
        (b"From: A <a@X.example>\r\n", "a@x.example", ""),
        (b"from:\r\n A\r\n <a@x.example>\r\n", "a@x.example", ""),
        ("From: A <a@bücher.example>\r\n".encode(), "a@xn--bcher-kva.example", ""),
        (b"To: a@x.example\r\n", "", "it has no From"),
        (b"From: a@x.example\r\nFrom: b@x.example\r\n", "", "it has 2 From fields"),
        (b"From: a@x.example, b@x.example\r\n", "", "its From has 2 addresses"),
        (b"From: nobody\r\n", "", "its From has a malformed address"),
        (b"From: <>\r\n", "", "its From has no address"),
        (b"From: a@x.example b@y.example\r\n", "", "its From has a malformed address"),
        (b"From: \xff <a@x.example>\r\n", "", "its From is not in UTF-8"),
    ],
)
def test_authors(header: bytes, author: str, problem: str) -> None:
    assert author_of(split_mail(header + b"\r\nbody")) == (author, problem)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"A: b\r\n\r\nbody", ""),
        (b"A: b\r\n c\r\n\r\n", ""),
        (b"A: b\n\nbody", ""),
        (b" A: b\r\n\r\n", "its header has a line that is no field"),
        (b"A: b\r\nno field\r\n\r\n", "its header has a line that is no field"),
        (b"A : b\r\n\r\n", "its header has a line that is no field"),
        (b"A: b\rSubject: c\r\n\r\n", "its header has a bare CR or a NUL"),
        (b"A: b\0\r\n\r\n", "its header has a bare CR or a NUL"),
        (b"A: b\r\n" * 1001 + b"\r\n", "its header has too many fields"),
        (b"A: " + b"b" * 300_000, "its header is too long"),
    ],
)
def test_malformed_headers(content: bytes, problem: str) -> None:
    assert split_mail(content).problem == problem


def test_a_mail_is_split_at_its_first_empty_line() -> None:
    mail = split_mail(b"A: b\r\n c\r\nD: e\r\n\r\nbody\n\r\n\r\nmore")
    assert mail.fields == ((b"A", b" b\r\n c\r\n"), (b"D", b" e\r\n"))
    assert mail.body == b"body\r\n\r\n\r\nmore"


@pytest.mark.parametrize(
    ("body", "simple", "relaxed"),
    [
        (b"", b"\r\n", b""),
        (b"\r\n\r\n", b"\r\n", b""),
        (b"a", b"a\r\n", b"a\r\n"),
        (b"a \t b \r\n\r\n\r\n", b"a \t b \r\n", b"a b\r\n"),
        (b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n"),
        (b" \r\n \r\n", b" \r\n \r\n", b""),
    ],
)
def test_canonical_bodies(body: bytes, simple: bytes, relaxed: bytes) -> None:
    assert canonical_body(body, False) == simple
    assert canonical_body(body, True) == relaxed


def test_the_signature_is_cut_out_of_its_own_field() -> None:
    assert without_signature(b" v=1; bh=x; b = a\r\n b; t=1\r\n") == b" v=1; bh=x; b =; t=1\r\n"


@given(st.binary(max_size=2000))
def test_no_header_fails(content: bytes) -> None:
    mail = split_mail(content)
    assert isinstance(author_of(mail)[0], str)
    assert all(name for name, _ in mail.fields) or mail.problem


@given(st.text(alphabet='a@.,;:<>()"\\ \t\r\n=?é', max_size=200))
def test_a_single_author_is_an_address(text: str) -> None:
    author, problem = author_of(split_mail(f"From: {text}\r\n\r\n".encode()))
    assert bool(author) != bool(problem)
    assert not author or (author.count("@") == 1 and not set(author) & set(' ,;:<>()"\\\r\n'))


@pytest.mark.parametrize(
    "content",
    [
        b"From: " + b"(" * 200_000 + b"\r\n\r\n",
        b"From: " + b'"\\' * 100_000 + b"\r\n\r\n",
        b"From: a@x.example\r\n" + b" \r\n" * 80_000 + b"\r\n",
        b"From: a@x.example\r\n\r\n" + b" " * 5_000_000,
        b"From: a@x.example\r\n\r\n" + b" \t" * 1_000_000 + b"x\r\n",
        b"\r\n" * 100_000,
        b"From: a@x.example\r\n\r\n" + b"\r" * 1_000_000,
    ],
)
def test_hostile_mails_cost_little(content: bytes) -> None:
    begun = time.process_time()
    mail = split_mail(content)
    author_of(mail)
    for is_relaxed in (False, True):
        canonical_body(mail.body, is_relaxed)
    assert time.process_time() - begun < 5


def test_a_hostile_signature_costs_little() -> None:
    value = b"v=1; b=" + b" \r\n\t" * 2000 + b"; h=" + b":" * 100
    begun = time.process_time()
    parse_tags(value)
    without_signature(value)
    assert time.process_time() - begun < 1


def test_a_result_is_one_line_of_printable_characters() -> None:
    """The name of a client and the domain of a signature are others' words."""
    name = "\x1b[31m\u202eevil.example\r\n" + "x" * 5000
    line = str(MechanismResult("spf", "none", name, "no record"))
    assert line.isprintable()
    assert len(line) < 300


def test_a_recipient_is_named_in_each_form_of_a_domain() -> None:
    message = Message(
        id="1" * 32,
        sender=Address(Network.EMAIL, "alice@friend.example"),
        recipient=Address(Network.EMAIL, "boop@b\u00fccher.example"),
        text="hello",
        via="smtp",
    )
    found = Authentication(
        level=AuthorLevel.PROVED,
        author=message.sender.value,
        reason="signed",
        signed_identity="<1@friend.example> hash",
        named=recipients_of(split_mail("To: Boop@B\u00dcCHER.example\r\n".encode()), (b"to",)),
    )
    record = add_authorship(message, found)
    assert isinstance(record, Message)
    assert record.level is AuthorLevel.PROVED
