"""The parsers of mails, on mails built as programs build them, and on damaged ones."""

import base64
import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.errors import Rejected
from messaging.mail.iso_2022 import decode_iso_2022
from messaging.mail.parse.automatic import Origin, is_answer_subject, origin_of
from messaging.mail.parse.bounce import find_report
from messaging.mail.parse.calendar import read_invitation
from messaging.mail.parse.fields import decode_words, from_base64, parse_field
from messaging.mail.parse.header import answer_address_of, author_of, subject_of
from messaging.mail.parse.mail import read_mail
from messaging.mail.parse.parts import part_of
from messaging.mail.parse.smime import extract_content
from messaging.mail.parse.tnef import read_tnef
from messaging.mail.text import decode_text
from messaging.model.invitation import EventTime
from messaging.words.device.invitation import describe
from tests.support.examples import examples
from tests.support.mail.bounces import bounce
from tests.support.mail.mails import MIXED, part, parts
from tests.support.mail.strategies import MAILS, SUBJECTS, TEXTS

FEW = settings(max_examples=examples(80), derandomize=True)
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
MAX_CHARS = 400


@FEW
@given(MAILS, st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=10))
def test_any_structure_is_read_or_rejected(data: bytes, at: int, cut: int, noise: bytes) -> None:
    for mail in (data, data[:at] + noise + data[at + cut :]):
        with suppress(Rejected):
            parsed = read_mail(mail, MAX_CHARS)
            assert len(parsed.whole_text) <= MAX_CHARS + 200
            assert len(parsed.text) <= MAX_CHARS + 600
            assert not CONTROLS.search(parsed.subject + parsed.author + parsed.answer_address)
            assert not CONTROLS.search(parsed.whole_text.replace("\n", "").replace("\t", ""))


WORDS = st.integers(100, 999).map(lambda number: f"w{number}")


@FEW
@given(st.recursive(WORDS, lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=10))
def test_each_text_of_nested_parts_is_read_once_in_order(tree: object) -> None:
    def write(node: object, depth: int) -> bytes:
        if isinstance(node, str):
            return part("text/plain", node)
        assert isinstance(node, list)
        boundary = f"b{depth}"
        inner = parts(*(write(child, depth + 1) for child in node), boundary=boundary.encode())
        return part(f"multipart/mixed; boundary={boundary}", inner)

    def words_of(node: object) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        else:
            assert isinstance(node, list)
            for child in node:
                yield from words_of(child)

    assert read_mail(write(tree, 0)).text.split() == list(words_of(tree))


@FEW
@given(MAILS)
def test_a_report_is_bounded(data: bytes) -> None:
    for mail in (data, bounce() + data, b"From: mailer-daemon@x.example\n" + data):
        whole = part_of(mail)
        report = find_report(whole, subject_of(whole))
        if report is not None:
            assert len(report.reason) < 500
            assert not CONTROLS.search(report.reason)
            assert len(report.recipients) <= 100


@FEW
@given(st.lists(st.one_of(SUBJECTS, st.text(max_size=20)), max_size=6).map(" ".join))
def test_fields_are_one_line_each(value: str) -> None:
    field = value.encode("utf-8", "replace")
    mail = part_of(b"From: " + field + b"\nReply-To: " + field + b"\nSubject: " + field + b"\n\nx")
    for text in (subject_of(mail), author_of(mail), answer_address_of(mail, author_of(mail))):
        assert not CONTROLS.search(text)
    assert isinstance(decode_words(value), str)
    assert isinstance(parse_field(value).parameters, dict)
    assert isinstance(origin_of(mail, value), Origin)
    assert is_answer_subject(value) in (True, False)


@FEW
@given(
    st.binary(max_size=200), st.sampled_from((b"\n", b"\r\n", b" ", b"!", b"")), st.integers(1, 80)
)
def test_base64_in_lines_and_with_noise_is_read(data: bytes, noise: bytes, width: int) -> None:
    encoded = base64.b64encode(data)
    lines = [encoded[at : at + width] for at in range(0, len(encoded), width)]
    assert from_base64(noise.join(lines)) == data
    assert from_base64(encoded.rstrip(b"=")) == data


SINGLE_BYTE = ("iso-8859-1", "iso-8859-5", "iso-8859-15", "windows-1251", "koi8-r", "cp850")


@FEW
@given(st.binary(max_size=60), st.sampled_from(SINGLE_BYTE))
def test_no_byte_of_a_single_byte_charset_vanishes(data: bytes, label: str) -> None:
    text = decode_text(data, label, guess=False)
    signs = (b"\x1b", b"\0", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
    if not any(sign in data for sign in signs) and text.encode("utf-8", "replace") != data:
        assert len(text) == len(data)


@FEW
@given(st.binary(max_size=60))
def test_no_byte_that_is_no_utf_8_vanishes(data: bytes) -> None:
    text = decode_text(data, "utf-8", guess=False)
    # Neither a byte order mark nor an escape of ISO-2022 is text.
    content = data.removeprefix(codecs.BOM_UTF8)
    if b"\x1b" not in data and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        assert len(text.encode("utf-8", "replace")) * 4 >= len(content)
        assert text or not content


JAPANESE = st.text(st.sampled_from("東西天気ありがとうテスト。、 abc\n"), max_size=30)


@FEW
@given(JAPANESE, st.binary(max_size=20))
def test_japanese_survives_its_escapes(text: str, noise: bytes) -> None:
    data = text.encode("iso-2022-jp")
    assert decode_text(data, "iso-2022-jp") == text
    assert decode_text(data) == text
    damaged = decode_iso_2022(data + b"\x1b$B" + noise)
    assert damaged is not None
    assert damaged.startswith(text)


def der(tag: int, content: bytes, *, is_open: bool) -> bytes:
    if is_open:
        return bytes((tag, 0x80)) + content + b"\0\0"
    size = len(content)
    return bytes((tag, 0x82, size >> 8, size & 255)) + content


@FEW
@given(st.lists(st.binary(max_size=40), max_size=5), st.booleans(), st.integers(0, 300))
def test_signed_content_in_pieces_is_found(pieces: list[bytes], is_open: bool, cut: int) -> None:
    octets = der(0x24, b"".join(der(4, one, is_open=False) for one in pieces), is_open=is_open)
    data_object = der(6, bytes.fromhex("2a864886f70d010701"), is_open=False)
    content = der(0x30, data_object + der(0xA0, octets, is_open=is_open), is_open=is_open)
    signed = der(0x30, b"\x02\x01\x01" + der(0x31, b"", is_open=False) + content, is_open=is_open)
    name = der(6, bytes.fromhex("2a864886f70d010702"), is_open=False)
    whole = der(0x30, name + der(0xA0, signed, is_open=is_open), is_open=is_open)
    assert extract_content(whole) == b"".join(pieces)
    found = extract_content(whole[:cut])
    assert found is None or len(found) <= cut


@FEW
@given(st.binary(max_size=120))
def test_any_outlook_file_is_read_within_a_mail(noise: bytes) -> None:
    data = b"\x78\x9f\x3e\x22\x01\x00" + noise
    content = read_tnef(data)
    assert content is not None
    assert len(content.text) + len(content.html) + sum(map(len, content.files)) <= len(data)
    with suppress(Rejected):
        assert read_mail(MIXED + parts(part("application/ms-tnef", data))).text


TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1))
TITLES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20
)


@FEW
@given(TITLES, TIMES, st.one_of(st.just(""), TITLES))
def test_an_event_is_told_with_its_title_time_and_place(
    title: str, time: datetime, place: str
) -> None:
    def escape(value: str) -> str:
        return re.sub(r"([\\;,])", r"\\\1", value)

    text = (
        f"BEGIN:VEVENT\r\nSUMMARY:{escape(title)}\r\nDTSTART:{time:%Y%m%dT%H%M%SZ}\r\n"
        f"LOCATION:{escape(place)}\r\nEND:VEVENT\r\n"
    )
    found = read_invitation(text)
    assert found is not None
    assert (found.summary, found.place) == (title, place)
    assert found.start == EventTime(time.replace(second=0, microsecond=0, tzinfo=UTC))


@FEW
@given(TEXTS)
def test_any_text_is_a_calendar_or_none(text: str) -> None:
    found = read_invitation(f"BEGIN:VEVENT\n{text}\nSUMMARY:x\nEND:VEVENT")
    assert found is None or len("".join(describe(found))) < 1000
