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
        # Windows' typographic characters under another label, or as controls of Unicode.
        (b"\x93x\x94 \xa4", "iso-8859-15", "“x” €"),
        (b"\x84Ahoj\x93", "iso-8859-2", "„Ahoj“"),
        (b"it\x92s", "us-ascii", "it\u2019s"),
        ("it\x92s\x85 \x81".encode(), "utf-8", "it\u2019s… �"),
        # The extensions that Windows gave to the charsets of East Asia.
        (b"\xad\xa1\xc5\xda", "euc-jp", "①土"),
        (b"\x87\x40", "csWindows31J", "①"),
        ("裏".encode("cp950"), "big5", "裏"),
        (b"\xa3\xe1", "big5", "€"),
        ("嘅".encode("big5hkscs"), "big5", "嘅"),
        ("똠".encode("cp949"), "euc-kr", "똠"),
        ("똠".encode("cp949"), "ks_c_5601-1989", "똠"),
        ("镕".encode("gbk"), "gb2312", "镕"),
        ("Привіт, їжак".encode("koi8-u"), "koi8-r", "Привіт, їжак"),
        ("ほげ".encode(), "iso-2022-jp", "ほげ"),
        ("สวัสดี".encode("cp874"), "windows-874", "สวัสดี"),
        ("สวัสดี".encode("cp874"), "tis-620", "สวัสดี"),
        ("é".encode("cp850"), "cp-850", "é"),
        ("é✓".encode(), "utf8mb4", "é✓"),
        # UTF-16 without its mark, and its label on other bytes.
        ("Grüße vom Meer".encode("utf-16-le"), None, "Grüße vom Meer"),
        ("Grüße vom Meer".encode("utf-16-be"), "utf-16", "Grüße vom Meer"),
        ("héllo".encode("utf-16-le"), "utf-16le", "héllo"),
        (b"Gale 8.\nSeek shelter", "utf-16", "Gale 8.\nSeek shelter"),
        (b"Gale 8.", "unicode", "Gale 8."),
        # The halves of an emoji, each for itself.
        (b"ok \xed\xa0\xbd\xed\xb8\x80", "utf-8", "ok 😀"),
        ("Grüße aus Köln, ö".encode()[:-1], "utf-8", "Grüße aus Köln, �"),
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


# Controls mean what Windows writes with them.
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@given(TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-32", "gb18030", "utf-7"]))
def test_a_true_label_is_believed(text: str, label: str) -> None:
    assert decode_text(text.encode(label), label) == text
