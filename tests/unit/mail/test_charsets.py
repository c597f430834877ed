"""The decoding of text with a wrong, missing or malformed charset label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.text import decode_text

RUSSIAN = "Привет, как дела? Мы идём на север и будем дома в пятницу вечером. Целую, Анна."


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (RUSSIAN.encode("koi8-r"), None, RUSSIAN),
        (RUSSIAN.encode("cp1251"), "unknown-8bit", RUSSIAN),
        (RUSSIAN.encode("cp1251"), "us-ascii", RUSSIAN),
        (RUSSIAN.encode("cp1251"), "'Windows-1251' ", RUSSIAN),
        (b"Gr\xf6\xdfe", "utf-8", "Größe"),
        ("déjà".encode()[:-1], None, "déj�"),
        ("✓ caf".encode() + b"\xe9\r\n", "utf-8", "✓ caf�\r\n"),
        ("Grüße übers Meer".encode(), "iso-8859-1", "Grüße übers Meer"),
        ("哨子邮件".encode(), "gbk", "哨子邮件"),
        (b"\xc3\xa9", "gbk", "茅"),
        (b"\xff\xfeh\0\xe9\0", None, "hé"),
        ("テスト".encode("iso-2022-jp"), None, "テスト"),
        (b"\x1b$B-!EZ\x1b(B test", "iso-2022-jp", "①土 test"),
        (b"\x1b(IC9D\x1b(B test", "iso-2022-jp", "ﾃｹﾄ test"),
        ("안녕".encode("iso2022_kr"), "iso-2022-kr", "안녕"),
        (b"\x81", "iso-8859-1", "�"),
        (b"caf\xe9", "\x00", "café"),
    ],
)
def test_text_is_decoded_with_any_label(data: bytes, label: str | None, text: str) -> None:
    assert decode_text(data, label) == text


def test_the_label_of_the_page_counts_after_that_of_the_part() -> None:
    data = "Привет".encode("koi8-r")
    assert decode_text(data, None, other_label="koi8-r") == "Привет"
    assert decode_text(data, "koi8-r", other_label="cp1251") == "Привет"


@given(
    st.lists(
        st.sampled_from([b"\x1b$B", b"\x1b(B", b"\x1b(I", b"\x1b$(D", b"$", b"!!", b"\n", b"\xff"])
    )
)
def test_any_escapes_are_decoded(pieces: list[bytes]) -> None:
    assert isinstance(decode_text(b"".join(pieces), "iso-2022-jp"), str)


LABELS = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["hex", "idna", "rot13", "utf-7"])
)


@given(st.binary(max_size=300), LABELS, st.booleans())
def test_nothing_raises(data: bytes, label: str | None, guess: bool) -> None:
    assert isinstance(decode_text(data, label, guess=guess), str)


@given(st.text(), st.sampled_from(["utf-8", "utf-16", "utf-32", "gb18030", "utf-7"]))
def test_a_true_label_is_believed(text: str, label: str) -> None:
    assert decode_text(text.encode(label), label) == text
