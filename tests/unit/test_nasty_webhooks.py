"""Authentic webhooks with nasty values at every place: each is read without a bug, by every provider."""

import base64
import json
import logging
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from messaging.config.env import read
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.satellite.account import Packet, WebhookAccount
from messaging.satellite.providers.cloudloop.account import CloudloopAccount
from messaging.satellite.providers.garmin.account import GarminAccount
from messaging.satellite.providers.rockblock.account import RockblockAccount
from messaging.satellite.unreadable import read_or_keep
from messaging.satellite.uplink import offers
from messaging.simulator.twilio.push import signature
from messaging.sms import inbound
from messaging.sms.account import SmsAccount
from messaging.sms.providers.bandwidth.account import BandwidthAccount
from messaging.sms.providers.twilio.account import TwilioAccount

SECRET = "s" * 40
PUBLIC = "https://gateway.example.org"
HUGE = 10**400

ROCKBLOCK = read(
    RockblockAccount, username="u", password=SecretStr("p"), webhook_secret=SecretStr(SECRET)
)
CLOUDLOOP = read(CloudloopAccount, token=SecretStr("t"), webhook_secret=SecretStr(SECRET))
GARMIN = read(
    GarminAccount, url="https://g.example", api_key=SecretStr("k"), webhook_token=SecretStr(SECRET)
)
BANDWIDTH = read(
    BandwidthAccount,
    account_id="1",
    application_id="a",
    client_id="c",
    client_secret=SecretStr("s"),
    callback_username="u",
    callback_password=SecretStr("p"),
)
TWILIO = read(TwilioAccount, account_sid="AC1", auth_token=SecretStr(SECRET))

Body = dict[str, Any]

SAMPLES: dict[str, Body] = {
    "rockblock": {
        "id": "1",
        "imei": "300434030000001",
        "serial": 1,
        "momsn": 7,
        "device_type": "ROCKBLOCK",
        "transmit_time": "21-10-31 10:41:50",
        "iridium_latitude": 50.1,
        "iridium_longitude": -1.2,
        "iridium_cep": 3,
        "data": "48656c6c6f",
        "lat": 1.5,
        "lon": 2.5,
        "alt": 3,
        "battery": 50,
        "at": "2021-10-31T10:41:50Z",
        "txAt": "2021-10-31T10:41:50Z",
        "cep": 2,
    },
    "cloudloop": {
        "id": "a1",
        "identity": {"thingId": "T1", "identifier": "300434030000001"},
        "receivedAt": {"year": 2023, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5},
        "sbd": {
            "sessionAt": {"year": 2023, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5},
            "location": {"latitude": 1.0, "longitude": 2.0, "cep": 3},
        },
        "message": "SGVsbG8=",
        "status": "DELIVERY_ERROR",
        "error": "x",
        "at": {"year": 2023},
    },
    "garmin": {
        "Version": "2.0",
        "Events": [
            {
                "imei": "300434030000001",
                "messageCode": 3,
                "freeText": "hello",
                "timeStamp": 1666196842000,
                "addresses": [{"address": "a@example.net"}],
                "point": {"latitude": 1.5, "longitude": 2.5, "altitude": 3, "gpsFix": 2},
                "status": {"lowBattery": 1},
                "payload": "SGVsbG8=",
                "mediaType": "image/avif",
                "mediaId": "m",
                "transcription": "t",
            }
        ],
    },
    "bandwidth": {
        "type": "message-received",
        "time": "2016-09-14T18:20:16Z",
        "to": "+15550001111",
        "errorCode": 4750,
        "eventTime": "2016-09-14T18:20:16Z",
        "message": {
            "id": "m1",
            "owner": "+15550001111",
            "from": "+15550002222",
            "text": "hello",
            "direction": "in",
            "to": ["+15550001111"],
            "media": ["https://x.example/a.jpg"],
            "segmentCount": 1,
        },
    },
}

NASTY: st.SearchStrategy[Any] = st.sampled_from(
    [
        HUGE, -HUGE, 1e308, -1e308, 5e-324, math.nan, math.inf, 0, -0.0, 91, -181, 2**63, 2**64,
        "", " ", "\0", "\ud800", "x" * 5000, "1e400", "nan", "inf", "\u0661\u0662", "²", "0x1F", "1_0",
        "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "99-13-45 00:00:00",
        "message-failed", "message-delivered", "SOS", None, True, False, [], {}, [[]], [None],
        [HUGE], {"address": HUGE}, {"latitude": HUGE, "longitude": HUGE}, {"year": HUGE},
        {"year": 9999, "month": 12, "day": 31, "hour": 23, "minute": 59, "second": 59},
        [{"address": "\ud800"}], ["\0"],
    ]
)  # fmt: skip


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values of a body, inner ones too."""
    inner: Any = ()
    if isinstance(found, dict):
        inner = found.items()
    elif isinstance(found, list):
        inner = enumerate(found)
    paths = []
    for key, value in inner:
        paths += [(*path, key), *places(value, (*path, key))]
    return paths


def changed(body: Body, path: tuple[Any, ...], value: Any) -> Body:
    copy: Body = json.loads(json.dumps(body))
    place: Any = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def webhook(account: WebhookAccount | SmsAccount, body: Body) -> Webhook:
    headers = {"x-outbound-auth-token": SECRET, "content-type": "application/json"}
    headers["authorization"] = f"Basic {base64.b64encode(b'u:p').decode()}"
    return Webhook(f"/satellite/x/{SECRET}", "", headers, json.dumps(body).encode())


@pytest.mark.parametrize("account", [ROCKBLOCK, CLOUDLOOP, GARMIN, BANDWIDTH], ids=lambda a: a.name)
def test_nasty_values_are_read_without_a_bug(
    account: WebhookAccount | SmsAccount, caplog: pytest.LogCaptureFixture
) -> None:
    body = SAMPLES[account.provider()]

    @settings(max_examples=400, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(places(body)), NASTY), min_size=1, max_size=3))
    def reads(changes: Sequence[tuple[tuple[Any, ...], Any]]) -> None:
        nasty = body
        for path, value in changes:
            try:
                nasty = changed(nasty, path, value)
            except (KeyError, IndexError, TypeError):
                continue
        for content in account.parse(webhook(account, nasty), PUBLIC):
            if isinstance(content, Packet):
                assert offers(content, account.name) is not None

    reads()
    assert "cannot be read" not in caplog.text


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["MessageSid", "SmsSid", "From", "To", "Body", "NumMedia", "MediaUrl0", "MessageStatus",
             "ErrorCode", "OptOutType", "MediaContentType0"]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
        | st.sampled_from(["9" * 400, "²", "\u0661", "-1", "\0", "failed", "delivered", "http://[", "1e9"]),
    )
)  # fmt: skip
def test_nasty_forms_of_twilio_are_read_without_a_bug(form: dict[str, str]) -> None:
    url = f"{PUBLIC}/sms/twilio"
    headers = {"x-twilio-signature": signature(SECRET, url, list(form.items()))}
    headers["content-type"] = "application/x-www-form-urlencoded"
    call = Webhook("/sms/twilio", "", headers, urlencode(form).encode())
    for record in TWILIO.parse(call, PUBLIC):
        assert getattr(record, "reason", "") != "the gateway cannot read this webhook"


@pytest.mark.parametrize("account", [ROCKBLOCK, CLOUDLOOP], ids=lambda a: a.name)
def test_a_place_that_no_float_can_hold_is_no_place(account: WebhookAccount) -> None:
    body = {**SAMPLES["rockblock"], "lat": HUGE, "lon": HUGE, "iridium_latitude": HUGE}
    (packet,) = account.parse(webhook(account, body), PUBLIC)
    assert isinstance(packet, Packet)
    assert (packet.payload, packet.position) == (b"Hello", None)


def fails() -> list[Any]:
    raise OverflowError("the secret text")


def refuses() -> list[Any]:
    raise NotAuthentic("no")


def test_after_a_bug_the_body_of_a_satellite_is_kept_and_the_log_has_the_type_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (kept,) = read_or_keep("rockblock", b"the body", fails)
    assert isinstance(kept, Packet)
    assert (kept.payload, kept.raw) == (None, b"the body")
    assert "rockblock: content cannot be read (OverflowError)" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR
    assert "secret" not in caplog.text


def test_after_a_bug_the_body_of_a_text_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    (kept,) = inbound.read_or_keep("twilio", b"the body", fails)
    assert getattr(kept, "raw", b"") == b"the body"
    assert "OverflowError" in caplog.text


def test_a_refusal_is_no_bug() -> None:
    with pytest.raises(NotAuthentic):
        read_or_keep("rockblock", b"", refuses)
