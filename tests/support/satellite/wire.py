"""A minimal provider for tests of the common code: JSON lines over TCP, JSON webhooks with a token."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from messaging.config.settings import Listen
from messaging.errors import GatewayError, Rejected
from messaging.model.message import Address, Network, Receipt, ReceiptState, SubmittedPart
from messaging.model.webhook import Acknowledgement, NotAuthentic, Webhook
from messaging.satellite.account import (
    Count,
    ListeningAccount,
    Packet,
    Position,
    Sos,
    Take,
    WebhookAccount,
)
from messaging.satellite.codecs.protobuf import Text


class OneWay:
    """Carries nothing to devices."""

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        raise Rejected("this network carries nothing to devices")

    async def check(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def read(item: dict[str, Any]) -> Packet | Receipt:
    """Return the content of one JSON object: a receipt, or texts and the state of a device."""
    if "receipt" in item:
        return Receipt(via="wire", network_id=item["receipt"], state=ReceiptState(item["state"]))
    texts = tuple(
        Text(text, Address(Network.EMAIL, "mum@example.com")) for text in item.get("texts", ())
    )
    return Packet(
        id=str(item["id"]),
        serial=str(item["serial"]),
        payload=None,
        raw=json.dumps(item).encode(),
        texts=None if item.get("broken") else texts,
        position=Position(**item["position"]) if "position" in item else None,
        battery_percent=item.get("battery"),
        sos=Sos(item["sos"]) if "sos" in item else None,
    )


class WireAccount(ListeningAccount, prefix="SATBRIDGE_WIRE_"):
    max_packet_bytes: Count = 100

    def connect(self) -> OneWay:
        return OneWay()

    async def serve(self, take: Take) -> "WireServer":
        listen = Listen.parse(self.listen)
        server = WireServer(take)
        server.server = await asyncio.start_server(server.talk, listen.host, listen.port)
        return server


class WireServer:
    server: asyncio.Server

    def __init__(self, take: Take) -> None:
        self._take = take
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def listening(self) -> Sequence[str]:
        return [f"{s.getsockname()[0]}:{s.getsockname()[1]}" for s in self.server.sockets]

    async def drain(self) -> None:
        self.server.close()
        await asyncio.gather(*self._talks)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            async for line in reader:
                writer.write(await self._answer(line))
        finally:
            writer.close()
            self._talks.discard(task)

    async def _answer(self, line: bytes) -> bytes:
        try:
            await self._take(read(json.loads(line)))
        except GatewayError:
            return b"later\n"
        return b"yes\n"


class HookAccount(WebhookAccount, prefix="SATBRIDGE_HOOK_"):
    acknowledgement: ClassVar[Acknowledgement] = Acknowledgement(b"taken", "text/plain")

    max_packet_bytes: Count = 100
    token: SecretStr
    challenge: str = ""

    def connect(self) -> OneWay:
        return OneWay()

    def parse(self, webhook: Webhook, public_url: str) -> list[Packet | Receipt]:
        if webhook.headers.get("x-token") != self.token.get_secret_value():
            raise NotAuthentic("the token is wrong", self.challenge)
        return [read(item) for item in json.loads(webhook.body)]
