"""The readers of winmail.dat, signed data and calendars, on good and on any bytes."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.parse.calendar import read_invitation
from messaging.mail.parse.mail import read_mail
from messaging.mail.parse.smime import extract_content
from messaging.mail.parse.tnef import read_tnef
from tests.support.mail.mails import MIXED, part, parts

START = struct.pack("<IH", 0x223E9F78, 1)


def attribute(identifier: int, content: bytes) -> bytes:
    return struct.pack("<BII", 1, identifier, len(content)) + content + b"\0\0"


def text_property(text: str) -> bytes:
    encoded = text.encode("utf-16-le") + b"\0\0"
    padding = b"\0" * (-len(encoded) % 4)
    return struct.pack("<HHII", 0x1F, 0x1000, 1, len(encoded)) + encoded + padding


NUMBER = struct.pack("<HHI", 3, 0x0E07, 1)
PROPERTIES = attribute(0x69003, struct.pack("<I", 2) + NUMBER + text_property("See you ✓"))
FILE = attribute(0x18010, b"plan.jpg\0")


def test_the_text_of_a_winmail_is_shown_with_its_files() -> None:
    data = part("application/ms-tnef", START + PROPERTIES + FILE)
    assert read_mail(data).text == "See you ✓\n\n[1 picture left out]"


def test_a_winmail_beside_a_text_is_for_formatting() -> None:
    data = MIXED + parts(
        part("text/plain", "See you"), part("application/ms-tnef", START + PROPERTIES)
    )
    assert read_mail(data).text == "See you"


def test_a_winmail_that_cannot_be_read_is_named() -> None:
    assert read_mail(part("application/ms-tnef", "xyz")).text == "[1 Outlook file left out]"
    assert read_mail(part("application/ms-tnef", START)).text == "[1 Outlook file left out]"


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_start_of_a_winmail_are_read(noise: bytes) -> None:
    assert read_tnef(START + noise) is not None
    assert read_tnef(START + attribute(0x69003, noise)) is not None


@given(
    st.lists(
        st.sampled_from(
            [
                b"\x30\x80",
                b"\x06",
                b"\x09",
                b"*\x86H\x86\xf7\r\x01\x07\x02",
                b"\xa0\x80",
                b"\x24\x80",
                b"\x04\x02hi",
                b"\x82\xff\xff",
                b"\0",
            ]
        ),
        max_size=12,
    )
)
def test_any_pieces_of_signed_data_are_read(pieces: list[bytes]) -> None:
    found = extract_content(b"".join(pieces))
    assert found is None or isinstance(found, bytes)


LINES = st.sampled_from(
    [
        "BEGIN:VEVENT",
        "END:VEVENT",
        "BEGIN:",
        "SUMMARY:x",
        "DTSTART:20269999T999999Z",
        "DTSTART;TZID=../x:20261201T120000",
        "DTEND:1",
        "LOCATION:\\n",
        " folded",
        ":",
        "METHOD:CANCEL",
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=10)), max_size=20).map("\r\n".join))
def test_any_calendar_is_read(text: str) -> None:
    found = read_invitation(text)
    assert found is None or found.describe()


def test_an_event_of_a_day_and_one_of_an_unknown_zone_are_told() -> None:
    day = read_invitation("BEGIN:VEVENT\nSUMMARY:Race\nDTSTART;VALUE=DATE:20261201\nEND:VEVENT")
    assert day is not None
    assert day.describe() == "Invitation: Race\n2026-12-01"
    odd = read_invitation(
        "BEGIN:VEVENT\nDTSTART;TZID=Pier:20261201T120000\nSTATUS:CANCELLED\nEND:VEVENT"
    )
    assert odd is not None
    assert odd.describe() == "Cancelled\n2026-12-01 12:00 Pier"
    known = read_invitation("BEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:20260701T120000\nEND:VEVENT")
    assert known is not None
    assert known.start == "2026-07-01 10:00 UTC"
