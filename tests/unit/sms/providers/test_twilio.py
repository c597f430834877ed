"""Twilio's settings: what is required, what is hidden, what travels."""

import pickle

import pytest

from messaging.config.env import read, read_if_set
from messaging.errors import ConfigurationError
from messaging.sms.providers import ACCOUNTS
from messaging.sms.providers.twilio.account import TwilioAccount
from messaging.sms.sender import SmsSender
from tests.support.sms.twilio_gateway import TOKEN, account


def test_twilio_is_registered_and_off_unless_set() -> None:
    assert read_if_set(ACCOUNTS["twilio"]) is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "SATBRIDGE_TWILIO_ACCOUNT_SID is not set"),
        ({"account_sid": "AC1"}, "SATBRIDGE_TWILIO_AUTH_TOKEN is not set"),
        ({"account_sid": "AC1/../x", "auth_token": TOKEN}, "SATBRIDGE_TWILIO_ACCOUNT_SID"),
        (
            {"account_sid": "AC1", "auth_token": TOKEN, "api_url": "ftp://x"},
            "SATBRIDGE_TWILIO_API_URL",
        ),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        read(TwilioAccount, **given)
    assert TOKEN not in str(caught.value)


def test_the_token_is_in_no_representation() -> None:
    used = account(old_auth_token="the one before")
    shown = f"{used!r} {used} {used.connect()!r} {SmsSender(used)!r}"
    assert TOKEN not in shown
    assert "the one before" not in shown


def test_a_sender_can_travel_before_it_is_used() -> None:
    travelled = pickle.loads(pickle.dumps(SmsSender(account())))
    assert isinstance(travelled, SmsSender)
