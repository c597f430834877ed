"""The mails of Iridium's SBD service, on bytes alone."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import Rejected
from messaging.model.message import Receipt, ReceiptState
from messaging.model.raw_mail import RawMail
from messaging.satellite.account import Packet
from messaging.satellite.providers.sbdmail.wire import mail_to, service_mail
from messaging.simulator.sbdmail.wire import (
    AUTHOR,
    SERVICE,
    SbdMailRequest,
    SbdMailSession,
    requests_of,
)
from tests.support.satellite.sbdmail_service import sbdmail_account

IMEI = "300434060000000"
NAME = "0123456789abcdef"
AT = datetime(2016, 8, 20, 15, 24, 57, tzinfo=UTC)
SESSION = SbdMailSession(
    imei=IMEI,
    momsn=29,
    at=AT,
    payload=b"hello",
    latitude=55.87465,
    longitude=-2.37135,
    cep_km=4,
)

# As owners of modems show theirs, with numbers changed.
SEEN = b"""\
Return-Path: <sbdservice@sbd.iridium.com>
From: sbdservice@sbd.iridium.com
To: sbd@example.org
Subject: SBD Msg From Unit: 300434060000000
Message-ID: <5.16.2016@sbd.iridium.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="SBD.Boundary.605592468"

--SBD.Boundary.605592468
Content-Type: text/plain; charset=us-ascii

MOMSN: 29
MTMSN: 0
Time of Session (UTC): Sat Aug 20 15:24:57 2016
Session Status: 00 - TRANSFER OK
Message Size (bytes): 5

Unit Location: Lat = 55.87465 Long = -2.37135
CEPradius = 4

--SBD.Boundary.605592468
Content-Type: application/x-zip-compressed; name="300434060000000_000029.sbd"
Content-Disposition: attachment; filename="300434060000000_000029.sbd"
Content-Transfer-Encoding: base64

aGVsbG8=

--SBD.Boundary.605592468--
"""


def parsed(content: bytes, **settings: Any) -> list[Packet | Receipt]:
    account = sbdmail_account("smtp://127.0.0.1:1", **settings)
    mail = RawMail(sender=AUTHOR, recipient=account.address, content=content, client="127.0.0.1")
    return list(account.parse(mail))


def packet(content: bytes, **settings: Any) -> Packet:
    (found,) = parsed(content, **settings)
    assert isinstance(found, Packet)
    return found


@pytest.mark.parametrize(
    "content", [SEEN, SEEN.replace(b"\n", b"\r\n"), SESSION.mail("sbd@example.org")]
)
def test_a_session_is_read(content: bytes) -> None:
    found = packet(content)
    assert (found.serial, found.payload, found.raw) == (IMEI, b"hello", b"hello")
    assert found.texts is None
    assert found.sent_at == AT
    assert found.position is not None
    assert (found.position.latitude, found.position.longitude) == (55.87465, -2.37135)
    assert found.id == f"{IMEI} 29 2016-08-20T15:24:57+00:00"


PASSED_ON = {
    "marked as spam": (b"Subject: ", b"Subject: [?? Probable Spam] "),
    "forwarded": (b"Subject: ", b"Subject: Fwd: "),
    "on one line": (b"2016\nSession Status", b"2016 Session Status"),
    "named": (b"From: sbdservice@sbd.iridium.com", b'From: "SBD" <SBDservice@sbd.iridium.com>'),
    "in capitals": (b'.sbd"', b'.SBD"'),
    "the spelling of other programs": (b"CEPradius", b"CEPRadius"),
}


@pytest.mark.parametrize(("old", "new"), PASSED_ON.values(), ids=PASSED_ON)
def test_what_mail_programs_do_to_it_does_not_matter(old: bytes, new: bytes) -> None:
    assert old in SEEN
    assert packet(SEEN.replace(old, new)) == packet(SEEN)


def test_a_session_without_a_file_is_about_the_device_only() -> None:
    found = packet(replace(SESSION, payload=b"", status=10).mail("sbd@example.org"))
    assert (found.serial, found.texts) == (IMEI, ())
    assert found.position is not None


def test_a_file_that_got_lost_on_the_way_is_not_overlooked() -> None:
    found = packet(replace(SESSION, attaches=False).mail("sbd@example.org"))
    assert (found.serial, found.payload, found.texts) == (IMEI, None, None)


def test_a_place_that_is_too_coarse_is_not_kept() -> None:
    assert packet(SEEN, max_position_error_km=3).position is None


@pytest.mark.parametrize("line", [b"MOMSN: 29\n", b"Sat Aug 20 15:24:57 2016"])
def test_without_number_or_time_it_is_named_by_its_message_id(line: bytes) -> None:
    changed = SEEN.replace(line, b"")
    assert packet(changed).id == f"{IMEI} <5.16.2016@sbd.iridium.com>"
    nameless = changed.replace(b"Message-ID", b"X-Other")
    assert packet(nameless).id == packet(nameless).id != packet(changed).id


@pytest.mark.parametrize("author", ["eve@example.net", "sbdservice@sbd.iridium.com.example.net"])
def test_what_another_author_wrote_is_refused(author: str) -> None:
    with pytest.raises(Rejected):
        parsed(replace(SESSION, author=author).mail("sbd@example.org"))


def test_an_unknown_mail_of_the_service_is_kept() -> None:
    found = packet(replace(SESSION, subject="Maintenance on Sunday").mail("sbd@example.org"))
    assert (found.serial, found.payload, found.texts) == ("", None, None)
    assert b"Maintenance" in found.raw


# -- messages to devices and what becomes of them


def test_a_message_to_a_device_is_a_mail_as_the_service_wants_it() -> None:
    mail = mail_to(SERVICE, "sbd@example.org", IMEI, b"\x00\xffhi", NAME, AT)
    assert (mail.sender, mail.recipient) == ("sbd@example.org", SERVICE)
    read = message_from_bytes(mail.content, policy=policy.default)
    assert (read["Subject"], read["From"], read["To"]) == (IMEI, "sbd@example.org", SERVICE)
    assert list(requests_of(mail.content)) == [SbdMailRequest(IMEI, f"{NAME}.sbd", b"\x00\xffhi")]


def news(reason: str) -> bytes:
    return SbdMailRequest(IMEI, f"{NAME}.sbd", b"hi").disposition("sbd@example.org", 7, 1, reason)


def test_what_was_queued_is_on_its_way() -> None:
    assert parsed(news("")) == [
        Receipt(via="sbdmail", network_id=NAME, state=ReceiptState.ON_ITS_WAY)
    ]


def test_what_was_not_queued_has_failed_with_the_services_reason() -> None:
    (found,) = parsed(news("the message queue is full"))
    assert isinstance(found, Receipt)
    assert (found.network_id, found.state) == (NAME, ReceiptState.FAILED)
    assert found.reason == "the satellite network did not queue it: the message queue is full"


def test_news_may_name_the_mail_instead_of_its_file() -> None:
    reply = b"In-Reply-To: <" + NAME.encode() + b"@example.org>\r\n"
    content = reply + news("full").replace(f"{NAME}.sbd".encode(), b"message.sbd")
    (found,) = parsed(content)
    assert isinstance(found, Receipt)
    assert found.network_id == NAME


def test_bad_news_of_nothing_known_is_kept_and_good_news_is_not() -> None:
    def nameless(reason: str) -> bytes:
        return news(reason).replace(f"{NAME}.sbd".encode(), b"message.sbd")

    assert parsed(nameless("")) == []
    found = packet(nameless("full"))
    assert (found.serial, found.payload, found.texts) == (IMEI, None, None)


# -- fuzzing


@given(st.binary(max_size=1500))
def test_any_bytes_are_a_letter(content: bytes) -> None:
    letter = service_mail(content)
    said = (letter.at, letter.location, letter.size, letter.names, letter.reason, letter.momsn)
    assert len(said) == 6


@given(at=st.integers(0, len(SEEN)), junk=st.binary(max_size=80), cut=st.integers(0, 80))
def test_a_damaged_mail_is_read_or_refused(at: int, junk: bytes, cut: int) -> None:
    try:
        found = parsed(SEEN[:at] + junk + SEEN[at + cut :])
    except Rejected:
        return
    assert all(isinstance(one, Packet | Receipt) for one in found)


def test_a_deeply_nested_mail_is_survived() -> None:
    boundaries = [f"b{number}" for number in range(2000)]
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="{one}"\n\n--{one}\n' for one in boundaries
    )
    assert service_mail(nested.encode()).payloads == ()


@given(
    st.builds(
        SbdMailSession,
        imei=st.text("0123456789", min_size=15, max_size=15),
        momsn=st.integers(0, 65_535),
        at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        payload=st.binary(max_size=340),
        status=st.sampled_from([0, 1, 2, 10, 13]),
        latitude=st.floats(-90, 90),
        longitude=st.floats(-180, 180),
        cep_km=st.integers(0, 2000),
    )
)
def test_whatever_the_service_writes_is_read_as_it_was_meant(session: SbdMailSession) -> None:
    found = packet(session.mail("sbd@example.org"), max_position_error_km=2000)
    assert (found.serial, found.payload or b"") == (session.imei, session.payload)
    assert found.sent_at == session.at.replace(microsecond=0)
    if found.position is not None:
        assert found.position.latitude == pytest.approx(session.latitude, abs=1e-5)
