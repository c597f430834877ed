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
        ("é".encode()[:1], "utf-8", "�"),
        ("déjà".encode()[:-1], None, "déj"),
        (b"\x81", "iso-8859-1", "�"),
        (b"caf\xe9", "\x00", "café"),
    ],
)
def test_text_is_decoded_with_any_label(data: bytes, label: str | None, text: str) -> None:
    assert decode_text(data, label) == text


LABELS = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["hex", "idna", "rot13", "utf-7"])
)


@given(st.binary(max_size=300), LABELS, st.booleans())
def test_nothing_raises(data: bytes, label: str | None, guess: bool) -> None:
    assert isinstance(decode_text(data, label, guess=guess), str)


@given(st.text(), st.sampled_from(["utf-8", "utf-16", "utf-32", "gb18030", "utf-7"]))
def test_a_true_label_is_believed(text: str, label: str) -> None:
    assert decode_text(text.encode(label), label) == text
