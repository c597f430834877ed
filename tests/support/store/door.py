"""The way of mail into a gateway with a store: authentication, the router, and the reply."""

import asyncio

from django.db import connections

from messaging.mail.authentication.authenticate import Authenticator
from messaging.mail.authentication.resolver import Resolver
from messaging.mail.authentication.settings import AuthenticationSettings
from messaging.mail.classify import ReceivedMail
from messaging.mail.inbound import MailIngest
from messaging.mail.smtp.settings import SmtpSettings
from messaging.model.message import Inbound
from tests.support.mail.authentication import STRANGER
from tests.support.mail.dns_server import DnsServer
from tests.support.store.records import Gateway


class Door:
    """The way of mail into a gateway with a store: authentication, the router, and the reply."""

    def __init__(self, gateway: Gateway, dns: DnsServer) -> None:
        self.gateway = gateway
        self.dns = dns
        self.settings = AuthenticationSettings(
            trusted_relays="10.0.0.0/8", authserv_id="mx.sat.example", arc_sealers="lists.example"
        )

    async def _emit(self, record: Inbound) -> None:
        result = await asyncio.to_thread(self._process, record)
        if isinstance(result, Exception):
            raise result

    def _process(self, record: Inbound) -> object:
        """Offer a record in a thread: Django refuses work on an event loop, and has a connection for each thread."""
        try:
            return self.gateway.router.process([record])[0]
        finally:
            connections.close_all()

    def bring(
        self,
        content: bytes,
        client: str = STRANGER,
        sender: str = "m@evil.example",
        *recipients: str,
    ) -> str:
        mail = ReceivedMail(
            sender, recipients or ("boop@example.org",), len(content), content, client, "c.example"
        )
        return asyncio.run(self._submit(mail))

    async def _submit(self, mail: ReceivedMail) -> str:
        authenticator = Authenticator(self.settings, Resolver(self.dns.settings(1)))
        ingest = MailIngest(self._emit, "example.org", SmtpSettings(), authenticator=authenticator)
        try:
            return await asyncio.wait_for(ingest.submit(mail), 30)
        finally:
            ingest.close()
