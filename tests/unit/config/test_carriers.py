"""Two SMS providers at once: which one carries what is a setting, and a conversation stays with its number."""

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError
from messaging.gateway import Gateway
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Address, Message, Network
from messaging.sms.account import SmsAccount
from messaging.sms.providers.bandwidth.account import BandwidthAccount
from messaging.sms.providers.twilio.account import TwilioAccount
from messaging.store.accept.context import BatchContext, DeviceInfo, SenderDevice, SubscriberInfo
from messaging.store.accept.routing import Policy, Route

BY_BANDWIDTH, BY_TWILIO, PHONE = "+15550002222", "+15550001111", "+15551230000"


def gateway(carriers: str, *accounts: SmsAccount) -> Gateway:
    settings = read(Settings, sms_carriers=carriers)
    sms = {account.name: account for account in accounts}
    return Gateway(settings=settings, smtp=read(SmtpSettings), sms=sms)


def twilio() -> TwilioAccount:
    return read(TwilioAccount, account_sid="AC1", auth_token="t")


def bandwidth() -> BandwidthAccount:
    given = {"account_id": "1", "application_id": "a", "username": "u", "password": "p"}
    return read(BandwidthAccount, **given, callback_username="c", callback_password="q")


def via_of(number: str, used: Gateway) -> str:
    """How the answer of a device leaves, whose owner has this number."""
    owner = SubscriberInfo(1, "boop", number, True, (DeviceInfo(1, "hive", "9"),))
    facts = BatchContext(sender_devices={("hive", "9"): SenderDevice(1, True, owner)})
    policy = Policy("example.org", used.default_accounts, carriers=used.settings.carriers)
    sent = Message(
        id="1",
        sender=Address(Network.SATELLITE, "9"),
        recipient=Address(Network.SMS, PHONE),
        text="hello",
        via="hive",
    )
    route = policy.route(sent, facts)
    assert isinstance(route, Route)
    (leg,) = route.deliveries
    assert leg.sender == Address(Network.SMS, number)
    return leg.via


def test_a_single_provider_needs_no_setting() -> None:
    assert via_of(BY_BANDWIDTH, gateway("", bandwidth())) == "bandwidth"
    assert via_of(BY_TWILIO, gateway("", twilio())) == "twilio"


def test_each_number_leaves_by_the_provider_that_has_it() -> None:
    used = gateway(f"{BY_BANDWIDTH}=bandwidth, * = twilio", twilio(), bandwidth())
    assert via_of(BY_BANDWIDTH, used) == "bandwidth"
    assert via_of(BY_TWILIO, used) == "twilio"


def test_all_others_may_be_with_the_second_provider() -> None:
    used = gateway(f"{BY_TWILIO}=twilio,*=bandwidth", twilio(), bandwidth())
    assert via_of(BY_TWILIO, used) == "twilio"
    assert via_of("+15550003333", used) == "bandwidth"


@pytest.mark.parametrize(
    ("carriers", "words"),
    [
        ("", "twilio, bandwidth carries"),
        (f"{BY_BANDWIDTH}=bandwidth", r"\*=twilio"),
        ("*=bandwith", "'bandwith' is no SMS account; there is: twilio, bandwidth"),
        ("*twilio", "must look like"),
        ("5550001111=twilio", "must look like"),
    ],
)
def test_a_rule_that_is_missing_or_wrong_is_said(carriers: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"SATBRIDGE_SMS_CARRIERS: .*{words}"):
        gateway(carriers, twilio(), bandwidth())


def test_a_rule_without_any_provider_is_said() -> None:
    with pytest.raises(ConfigurationError, match="there is: none"):
        gateway("*=twilio")
