"""The readers of winmail.dat, signed data and calendars, on good and on any bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.mail.parse.calendar import read_invitation
from messaging.mail.parse.mail import read_mail
from messaging.mail.parse.smime import extract_content
from messaging.mail.parse.tnef import read_tnef
from messaging.words.device.invitation import describe
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
        "BEGIN:VTIMEZONE",
        "TZID:Odd",
        "BEGIN:DAYLIGHT",
        "DTSTART:20200101T020000",
        "TZOFFSETTO:+0400",
        "TZOFFSETTO:-9900",
        "RRULE:BYDAY=5SU;BYMONTH=2",
        "RRULE:BYDAY=-5MO;BYMONTH=00",
        "END:DAYLIGHT",
        "DTSTART;TZID=Odd:00010101T000000",
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=10)), max_size=20).map("\r\n".join))
def test_any_calendar_is_read(text: str) -> None:
    found = read_invitation(text)
    assert found is None or describe(found)


def test_an_event_of_a_day_and_one_of_an_unknown_zone_are_told() -> None:
    day = read_invitation("BEGIN:VEVENT\nSUMMARY:Race\nDTSTART;VALUE=DATE:20261201\nEND:VEVENT")
    assert day is not None
    assert describe(day) == ["Invitation: Race", "2026-12-01"]
    odd = read_invitation(
        "BEGIN:VEVENT\nDTSTART;TZID=Pier:20261201T120000\nSTATUS:CANCELLED\nEND:VEVENT"
    )
    assert odd is not None
    assert describe(odd) == ["Cancelled", "2026-12-01 12:00 Pier"]
    known = read_invitation("BEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:20260701T120000\nEND:VEVENT")
    assert known is not None
    assert describe(known) == ["Invitation", "2026-07-01 10:00 UTC"]


OUTLOOK = """BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=W. Europe Standard Time:{start}
DTEND;TZID="W. Europe Standard Time":{end}
END:VEVENT
END:VCALENDAR"""


@pytest.mark.parametrize(
    ("start", "end", "times"),
    [
        ("20261201T120000", "20261201T130000", "2026-12-01 11:00 - 12:00 UTC"),
        ("20260701T120000", "20260701T130000", "2026-07-01 10:00 - 11:00 UTC"),
        ("20260329T013000", "20260329T033000", "2026-03-29 00:30 - 01:30 UTC"),
        ("20261025T013000", "20261025T040000", "2026-10-24 23:30 - 2026-10-25 03:00 UTC"),
        ("20260101T120000", "20260101T130000", "2026-01-01 11:00 - 12:00 UTC"),
    ],
)
def test_a_zone_that_the_calendar_defines_is_read(start: str, end: str, times: str) -> None:
    found = read_invitation(OUTLOOK.format(start=start, end=end))
    assert found is not None
    assert describe(found) == ["Invitation", times]


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ("BYDAY=2SU;BYMONTH=3", "2026-03-09 08:00 UTC"),
        ("BYDAY=5SU;BYMONTH=2", "2026-03-09 12:00 Odd"),  # there is none in 2026
        ("BYDAY=1SU;BYMONTH=13", "2026-03-09 12:00 Odd"),
        ("", "2026-03-09 08:00 UTC"),
    ],
)
def test_odd_rules_of_a_zone_are_no_error(rule: str, times: str) -> None:
    found = read_invitation(
        "BEGIN:VTIMEZONE\nTZID:Odd\nBEGIN:DAYLIGHT\nDTSTART:20200101T020000\nTZOFFSETTO:+0400\n"
        f"RRULE:FREQ=YEARLY;{rule}\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
        "BEGIN:VEVENT\nDTSTART;TZID=Odd:20260309T120000\nEND:VEVENT"
    )
    assert found is not None
    assert describe(found) == ["Invitation", times]
