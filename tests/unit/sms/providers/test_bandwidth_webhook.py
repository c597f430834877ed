"""Bandwidth's callbacks: who may send them, what each event becomes, and that none harms its neighbours."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from messaging.model.message import Message, OptOutChange
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.sms.providers.bandwidth.auth import CHALLENGE, check_credentials
from messaging.sms.providers.bandwidth.webhook import read_callback
from tests.support.sms.providers.bandwidth_events import OURS, PHONE, event, read

USER, PASSWORD = "caller", "pässword:with-colon"


def authorization(value: str | None) -> Webhook:
    headers = {} if value is None else {"authorization": value}
    return Webhook("/sms/bandwidth", "", headers, b"[]")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_the_right_credentials_are_taken() -> None:
    for value in (basic(f"{USER}:{PASSWORD}"), basic(f"{USER}:{PASSWORD}").replace("B", "b", 1)):
        check_credentials(authorization(value), USER, SecretStr(PASSWORD))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic ???",
        "Basic é",
        "Bearer " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
        basic(""),
        basic(f"{USER}:"),
        basic(f"{USER}:{PASSWORD}x"),
        basic(f"{USER}x:{PASSWORD}"),
        basic(f"{USER}:{PASSWORD}"[:-1]),
    ],
)
def test_anything_else_is_asked_for_credentials(value: str | None) -> None:
    with pytest.raises(NotAuthentic) as caught:
        check_credentials(authorization(value), USER, SecretStr(PASSWORD))
    assert caught.value.challenge == CHALLENGE
    assert PASSWORD not in str(caught.value)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_header_that_was_not_made_for_it_opens(value: str) -> None:
    with pytest.raises(NotAuthentic):
        check_credentials(authorization(value), USER, SecretStr(PASSWORD))


def test_a_text_becomes_a_message() -> None:
    (got,) = read(event())
    assert isinstance(got, Message)
    assert (got.sender.value, got.recipient.value, got.text) == (PHONE, OURS, "hello")
    assert (got.via, got.wants_notice) == ("bandwidth", True)


def test_an_array_a_bare_object_and_a_repeat_say_the_same() -> None:
    bare = read_callback(json.dumps(event()).encode(), "bandwidth", media_links=True)
    assert read(event()) == bare
    assert [one.id for one in read(event(), event())] == [bare[0].id, bare[0].id]


def test_a_text_to_a_group_is_one_message_for_each_of_our_numbers() -> None:
    both = [OURS, "+15550001112"]
    got = read(*(event(to=number, message={"to": both, "owner": number}) for number in both))
    assert [one.recipient.value for one in got if isinstance(one, Message)] == both
    assert len({one.id for one in got}) == 2


def test_what_we_sent_ourselves_does_not_come_back() -> None:
    assert read(event(message={"direction": "out"})) == []


@pytest.mark.parametrize(
    ("text", "allowed", "is_delivered"),
    [
        ("STOP", False, False),
        (" stop ", False, False),
        ("REVOKE", False, False),
        ("START", True, False),
        ("yes", True, True),
        ("HELP", None, True),
        ("INFO", None, True),
        ("stop it", None, True),
    ],
)
def test_keywords(text: str, allowed: bool | None, is_delivered: bool) -> None:
    got = read(event(message={"text": text}))
    consents = [one.allowed for one in got if isinstance(one, OptOutChange)]
    assert consents == ([] if allowed is None else [allowed])
    assert [one.text for one in got if isinstance(one, Message)] == ([text] if is_delivered else [])


PICTURE = "https://messaging.bandwidth.com/api/v2/users/1/media/a/0/dog.jpg"


OTHER = "https://messaging.bandwidth.com/api/v2/users/1/media/a/1/card.vcf"


LAYOUT = "https://messaging.bandwidth.com/api/v2/users/1/media/a/2/0.smil"


def test_media_stand_in_the_text_as_links_and_the_layout_does_not() -> None:
    (got,) = read(event(message={"text": "", "media": [LAYOUT, PICTURE, OTHER]}))
    assert isinstance(got, Message)
    assert got.text == f"[picture: {PICTURE}]\n[attachment: {OTHER}]"


def test_media_are_counted_where_links_are_not_wanted_or_are_none() -> None:
    strange = ["ftp://x/y.png", "https://a b/c.png", "x" * 2000, "https://[", "\u202e.png"]
    (got,) = read(event(message={"media": [PICTURE, OTHER]}), media_links=False)
    assert isinstance(got, Message)
    assert got.text == "hello\n[1 picture and 1 attachment left out]"
    (other,) = read(event(message={"media": strange}))
    assert isinstance(other, Message)
    assert other.text == "hello\n[3 pictures and 2 attachments left out]"


def test_half_a_character_is_replaced() -> None:
    # RFC 8259 section 8.2: JSON may hold one; no store takes it.
    (got,) = read(event(message={"text": "a\ud83d", "id": "m\ud83d"}))
    assert isinstance(got, Message)
    assert got.text == "a?"
