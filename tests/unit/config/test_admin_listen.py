"""The address of the admin: loopback by default, a port that is named, or off."""

import pytest

from messaging.config.env import read
from messaging.config.settings import Settings
from messaging.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (None, "http://127.0.0.1:8001/admin/"),
        ("10.0.0.7:9001", "http://10.0.0.7:9001/admin/"),
        ("0.0.0.0:9001", "http://127.0.0.1:9001/admin/"),
        ("[::1]:9001", "http://[::1]:9001/admin/"),
        ("off", ""),
        ("OFF", ""),
    ],
)
def test_the_url_that_is_printed_is_the_address(text: str | None, url: str) -> None:
    given = {} if text is None else {"admin_listen": text}
    assert read(Settings, **given).admin_url == url


@pytest.mark.parametrize("text", ["127.0.0.1:0", "8001", "localhost:http"])
def test_a_port_that_is_unknown_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="SATBRIDGE_ADMIN_LISTEN: must"):
        read(Settings, admin_listen=text)
