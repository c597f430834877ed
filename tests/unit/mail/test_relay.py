"""The relay's URL and what it means."""

import pytest

from messaging.config.env import read, read_if_set
from messaging.errors import ConfigurationError
from messaging.mail.relay import Endpoint, Relay


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("smtp://relay.example", Endpoint("none", "relay.example", 25, "", "")),
        ("smtp+starttls://relay.example/", Endpoint("starttls", "relay.example", 587, "", "")),
        ("smtps://u:p@relay.example", Endpoint("implicit", "relay.example", 465, "u", "p")),
        (
            "SMTPS://u%40x:p%2F%3A%C3%BC@[::1]:1465",
            Endpoint("implicit", "::1", 1465, "u@x", "p/:ü"),
        ),
    ],
)
def test_a_relay_url_is_read(url: str, endpoint: Endpoint) -> None:
    assert read(Relay, url=url).endpoint() == endpoint


@pytest.mark.parametrize(
    "url",
    [
        "http://u:swordfish@relay.example",
        "smtp://",
        "relay.example:25",
        "smtp://u@relay.example",
        "smtp://u:sword/fish@relay.example",
        "smtp://u:sword#fish@relay.example",
        "smtp://u:sword?fish@relay.example",
        "smtp://relay.example:swordfish",
        "smtp://u:swordfish@relay.example:99999",
        "smtp://u:swordfish@[::1",
        "",
    ],
)
def test_a_wrong_url_is_explained_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(Relay, url=url)
    assert "SATBRIDGE_RELAY_URL" in str(caught.value)
    assert "fish" not in str(caught.value)


def test_without_a_url_there_is_no_relay() -> None:
    assert read_if_set(Relay) is None


def test_nothing_shows_the_password() -> None:
    relay = read(Relay, url="smtp://u:swordfish@relay.example")
    assert "swordfish" not in f"{relay!r}{relay}{relay.endpoint()!r}"
