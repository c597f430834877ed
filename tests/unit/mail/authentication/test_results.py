"""Authentication-Results of other servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.authentication.results import (
    ForeignResult,
    authserv_id,
    read_results,
    remove_results,
)

RSPAMD = (
    b" mx.example.org;\r\n\tdkim=pass header.d=friend.example header.s=k1 header.b=abc/+;\r\n"
    b"\tdmarc=pass (policy=reject) header.from=friend.example;\r\n"
    b'\tspf=pass (mx.example.org: domain of "alice@friend.example" designates 192.0.2.1 as permitted sender)'
    b" smtp.mailfrom=alice@friend.example\r\n"
)
MICROSOFT = (
    b" mx.microsoft.com 1; spf=pass\r\n smtp.mailfrom=friend.example; dmarc=pass action=none"
    b" header.from=friend.example;\r\n dkim=pass header.d=friend.example; arc=none\r\n"
)
ALL = {
    ForeignResult("dkim", "pass", "friend.example"),
    ForeignResult("dmarc", "pass", "friend.example"),
    ForeignResult("spf", "pass", "friend.example"),
}


@pytest.mark.parametrize("value", [RSPAMD, MICROSOFT])
def test_what_servers_write(value: bytes) -> None:
    assert set(read_results(value)) - {ForeignResult("arc", "none", "")} == ALL


@pytest.mark.parametrize(
    ("value", "id"),
    [
        (b" mx.example.org; none", "mx.example.org"),
        (b"\r\n\tMX.example.org 1;\r\n spf=pass", "mx.example.org"),
        (b" (of ours) mx.example.org; none", "mx.example.org"),
        (b' "mx.example.org"; none', "mx.example.org"),
        (b" ; none", ""),
        (b"", ""),
    ],
)
def test_names_of_servers(value: bytes, id: str) -> None:
    assert authserv_id(value) == id


@pytest.mark.parametrize("value", [b"", b"x", b"x; (((((((" * 20, b"x; spf", b"x; spf=pass" * 2000])
def test_a_malformed_field_has_no_results(value: bytes) -> None:
    assert read_results(value) == []


def test_only_forged_fields_are_removed() -> None:
    own = b"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=x.example\r\n"
    folded = b"authentication-results :\r\n\tMX.EXAMPLE.ORG;\r\n\tspf=pass\r\n"
    other = b"Authentication-Results: mx.other.example;\r\n mx.example.org=pass\r\n"
    rest = b"Subject: a\r\n\r\n" + own
    content = own + other + folded + rest
    assert remove_results(content, ["mx.example.org"]) == other + rest
    assert remove_results(content, []) == content
    assert remove_results(rest, ["mx.example.org"]) == rest


@given(st.binary(max_size=300))
def test_no_field_fails(value: bytes) -> None:
    assert isinstance(read_results(value), list)
    assert isinstance(authserv_id(value), str)


@given(st.text(alphabet='spfdkim=;()"@. \r\n\txyz/', max_size=300))
def test_no_result_fails(text: str) -> None:
    assert isinstance(read_results(b"mx.example; " + text.encode()), list)
