"""What proves that RockBLOCK posted something: its signed token, or a secret in the path."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from messaging.model.message import Position
from messaging.model.webhook import NotAuthentic
from messaging.satellite.account import Packet
from messaging.satellite.providers.rockblock.auth import PUBLISHED_KEY, claims_of, read_key
from messaging.simulator.rockblock.push import new_key, public_key_text, sign
from tests.support.satellite.ground_control import (
    IMEI,
    SECRET,
)
from tests.support.satellite.providers.rockblock_posts import account, facts, packet_of, webhook

NOW = datetime.now(UTC)


# The example on Ground Control's page "Push API": signed by themselves.
THEIR_TOKEN = (
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJSb2NrIDciLCJpYXQiOjE2Nzg3ODUzMDgsImFsdCI6IjAiLCJhdCI6IjIwMjMtMDMtMTRUMDk6MTA6MDFaIiwiYXZlcmFnZUNv"
    "ZyI6IjMyOCIsImF2ZXJhZ2VTb2ciOiIwLjAiLCJiYXR0ZXJ5IjoiOTgiLCJjb2ciOiIzMjgiLCJkZXZpY2VfdHlwZSI6IkdSSUZGSU4iLCJp"
    "ZCI6ImVKd2d6ZHBYVnhOUm5vcHJaZXdiV01EbFFHTFB2QWJrIiwiaW1laSI6IjMwMDQzNDA2MjkyOTU0MCIsImxhdCI6IjUxLjQ5NTQwIiwi"
    "bG9uIjoiLTMuMTcwNDAiLCJtb21zbiI6IjcwMTU0ODcxIiwicG93ZXIiOiJ0cnVlIiwic2VyaWFsIjoiMTAwMDE1Iiwic29nIjoiMC4wIiwi"
    "c291cmNlIjoiR1BTIiwidGVtcCI6IjAuMCIsInRyYW5zbWl0X3RpbWUiOiIyMDIzLTAzLTE0VDA5OjE1OjA0WiIsInRyYW5zcG9ydCI6IkdQ"
    "UlMiLCJ0cmlnZ2VyIjoiQlVSU1QiLCJ0eEF0IjoiMjAyMy0wMy0xNFQwOToxNTowNFoifQ."
    "g4AMhUDwaK-WKaaITOKMtIu8lVtsEBfJ-00ytW-c0jyGUFxNW0259Dj9JcR34NaIai-ysSTVzqXBdROsZAiZS0oTSRum9l56JwZQTE0-Zx5y"
    "UUO8AOsUqXPjsSg2lSgsnSMTiQHXOzhydL9GIkmiEVdwANeaB24AuP45__zUwjhwniUfi-Z2RTG8J22GqnQ9Q_w9Z861A0Bos7LmJEymbmcL"
    "OiDDdzfYxvVWE6GSm2y8ypBZEqhI0byNphZ5adIFM19iyqng4MVpQe0Uh9Jc49RR_IAjte3AMS4Y82lO76sM90Tu3-3Jwhj3Iq_NGpfd4735"
    "Bl-b5FR5oePP40mV3Q"
)


@pytest.fixture(scope="module")
def other_key() -> rsa.RSAPrivateKey:
    return new_key()


def test_the_published_key_verifies_an_example_that_they_published() -> None:
    when = datetime(2023, 3, 14, 10, tzinfo=UTC)
    claims = claims_of(THEIR_TOKEN, read_key(PUBLISHED_KEY), when, timedelta(hours=1))
    assert (claims["imei"], claims["iss"]) == ("300434062929540", "Rock 7")
    forged = THEIR_TOKEN[:-6] + "AAAAAA"
    with pytest.raises(NotAuthentic):
        claims_of(forged, read_key(PUBLISHED_KEY), when, timedelta(hours=1))


def test_their_example_of_a_tracker_is_read() -> None:
    years = (datetime.now(UTC) - datetime(2023, 3, 14, tzinfo=UTC)).total_seconds() / 3600
    used = account(max_token_age_hours=years + 24)
    found = packet_of(used, {"JWT": THEIR_TOKEN})
    at = datetime(2023, 3, 14, 9, 10, 1, tzinfo=UTC)
    assert found.position == Position(
        latitude=51.4954, longitude=-3.1704, altitude_meters=0.0, at=at
    )
    assert (found.serial, found.battery_percent, found.sent_at) == ("300434062929540", 98, at)
    assert found.texts == ()


def test_a_key_may_be_given_as_pem(key: rsa.RSAPrivateKey) -> None:
    text = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    one_line = f"-----BEGIN PUBLIC KEY----- {public_key_text(key)} -----END PUBLIC KEY-----"
    for spelling in (text, one_line, public_key_text(key)):
        assert read_key(spelling).public_numbers() == key.public_key().public_numbers()


def test_a_key_of_another_kind_is_refused() -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).public_key()
    text = elliptic.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValueError, match="RSA"):
        read_key(text)


def test_values_come_from_the_claims(key: rsa.RSAPrivateKey) -> None:
    token = sign(facts(), key, NOW)
    found = packet_of(account(key), facts(JWT=token, imei="1", data="00", transmit_time="x"))
    assert found == Packet(
        id=f"{IMEI} 7 21-10-31 10:41:50",
        serial=IMEI,
        payload=b"Hello",
        raw=b"Hello",
        sent_at=datetime(2021, 10, 31, 10, 41, 50, tzinfo=UTC),
        position=Position(
            latitude=52.3867,
            longitude=0.2938,
            accuracy_meters=8000,
            at=datetime(2021, 10, 31, 10, 41, 50, tzinfo=UTC),
        ),
    )


def _segment(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_the_algorithm_is_pinned_whatever_the_token_asks_for(key: rsa.RSAPrivateKey) -> None:
    claims = {"iss": "Rock 7", "iat": int(NOW.timestamp()), **facts()}
    unsigned = f"{_segment({'alg': 'none'})}.{_segment(claims)}."
    _, _, good = sign(facts(), key, NOW).partition(".")
    for token in (unsigned, f"{_segment({'alg': 'HS256'})}.{good}", f"{_segment([])}.{good}"):
        with pytest.raises(NotAuthentic):
            account(key).parse(webhook({"JWT": token}), "")


@pytest.mark.parametrize(
    ("age", "taken"),
    [
        (timedelta(0), True),
        (timedelta(hours=-0.5), True),
        (timedelta(hours=-2), False),
        (timedelta(hours=23), True),
        (timedelta(hours=25), False),
    ],
)
def test_how_long_a_token_counts_is_bounded(
    key: rsa.RSAPrivateKey, age: timedelta, taken: bool
) -> None:
    used = account(key, max_token_age_hours=24)
    token = sign(facts(), key, NOW - age)
    if taken:
        assert packet_of(used, {"JWT": token}).payload == b"Hello"
        return
    with pytest.raises(NotAuthentic, match="too old"):
        used.parse(webhook({"JWT": token}), "")


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"iss": "Rock 8"}, "Issuer"), ({"iat": "soon"}, "ValueError"), ({"iat": []}, "TypeError")],
)
def test_claims_of_another_customer_do_not_count(
    key: rsa.RSAPrivateKey, changes: dict[str, Any], why: str
) -> None:
    token = _signed_claims({"iss": "Rock 7", "iat": int(NOW.timestamp()), **changes}, key)
    with pytest.raises(NotAuthentic, match=why):
        account(key).parse(webhook({"JWT": token}), "")


def _signed_claims(claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    return jwt.encode(claims, key, algorithm="RS256")


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        (f"/satellite/rockblock/rockblock/{SECRET}", True),
        (f"/behind/a/proxy/satellite/rockblock/rockblock/{SECRET}/", True),
        ("/satellite/rockblock/rockblock", False),
        (f"/satellite/rockblock/rockblock/{SECRET}x", False),
        (f"/satellite/rockblock/rockblock/{SECRET}/x", False),
        ("", False),
        ("/\u20ac", False),
    ],
)
def test_a_secret_in_the_path_counts_where_there_is_no_token(path: str, taken: bool) -> None:
    used = account(webhook_secret=SECRET)
    if taken:
        assert packet_of(used, facts(), path).payload == b"Hello"
        return
    with pytest.raises(NotAuthentic):
        used.parse(webhook(facts(), path), "")


def test_a_bad_token_is_not_saved_by_the_secret(
    key: rsa.RSAPrivateKey, other_key: rsa.RSAPrivateKey
) -> None:
    used = account(key, webhook_secret=SECRET)
    token = sign(facts(), other_key, NOW)
    with pytest.raises(NotAuthentic):
        used.parse(webhook(facts(JWT=token), f"/{SECRET}"), "")
    good = sign(facts(), key, NOW)
    with pytest.raises(NotAuthentic):
        used.parse(webhook(facts(JWT=good), "/elsewhere"), "")
