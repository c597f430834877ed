"""An authenticator with a DNS server of its own, and the zone of a few domains."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.authentication.resolver import Resolver
from messaging.mail.authentication.settings import AuthenticationSettings
from messaging.model.authentication import Authentication
from tests.support.mail.dns_server import DnsServer, Record
from tests.support.mail.signed_mails import key_zone

FRIENDS_SERVER = "192.0.2.10"
STRANGER = "198.51.100.99"
SHARED_SENDER = "203.0.113.50"
RELAY = "10.1.2.3"
FRIEND = "alice@friend.example"


def world() -> dict[str, list[Record]]:
    """Return the zone: a friend, a shared sender, an evil domain with proper records, and lists."""
    return {
        "friend.example": [("TXT", f"v=spf1 ip4:{FRIENDS_SERVER} include:sender.example -all")],
        "_dmarc.friend.example": [("TXT", "v=DMARC1; p=reject")],
        "sender.example": [("TXT", f"v=spf1 ip4:{SHARED_SENDER} -all")],
        "evil.example": [("TXT", f"v=spf1 ip4:{STRANGER} ip4:{SHARED_SENDER} -all")],
        "_dmarc.evil.example": [("TXT", "v=DMARC1; p=reject")],
        "friend-example.example": [("TXT", f"v=spf1 ip4:{STRANGER} -all")],
        "_dmarc.friend-example.example": [("TXT", "v=DMARC1; p=reject")],
        "quiet.example": [("TXT", f"v=spf1 ip4:{FRIENDS_SERVER} -all")],
        "relaxed.example": [("TXT", "v=spf1 -all")],
        "_dmarc.relaxed.example": [("TXT", "v=DMARC1; p=none")],
        "_dmarc.strict.example": [("TXT", "v=DMARC1; p=reject; adkim=s; aspf=s")],
        "strict.example": [("TXT", "v=spf1 -all")],
        "lists.example": [("TXT", "v=spf1 -all")],
        "unknown-lists.example": [("TXT", "v=spf1 -all")],
        **key_zone(
            "friend.example",
            "mail.friend.example",
            "evil.example",
            "friend-example.example",
            "quiet.example",
            "lists.example",
            "unknown-lists.example",
            "news.strict.example",
        ),
    }


async def authenticate(
    content: bytes,
    client: str = STRANGER,
    sender: str = FRIEND,
    *,
    zone: Mapping[str, Sequence[Record]] | None = None,
    helo: str = "client.example",
    seconds: float = 5,
    **settings: Any,
) -> Authentication:
    """Authenticate a mail with a new resolver in the world with these changes."""
    with DnsServer(world() | {name: list(each) for name, each in (zone or {}).items()}) as server:
        values = {"authentication_seconds": seconds, **settings}
        authenticator = Authenticator(
            AuthenticationSettings(**values), Resolver(server.settings(seconds))
        )
        return await asyncio.wait_for(authenticator.authenticate(content, client, helo, sender), 60)
