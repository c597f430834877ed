"""Cloudloop, Ground Control's platform: settings, messages to devices over SBD or IMT, webhooks from them.

Pages knowledge.cloudloop.com/docs/api and /docs/destinations/http. The bodies of its answers are documented nowhere;
`docs/networks/cloudloop.md` says what is known and what is not.
"""

import base64
import logging
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import httpx
from pydantic import AfterValidator, Field, SecretStr

from messaging.errors import ConfigurationError, Rejected, Unavailable, Uncertain
from messaging.model.message import Receipt, ReceiptState
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.satellite.account import Count, Packet, SubmittedPart, WebhookAccount
from messaging.satellite.http_client import HttpUrl, RestClient, failure, json_of, succeed
from messaging.satellite.providers.cloudloop.webhook import read, status_of
from messaging.satellite.providers.iridium import (
    PathSecret,
    credits_for,
    fields_of,
    has_secret,
    identifier,
)
from messaging.satellite.status_poller import TracedAccount

log = logging.getLogger(__name__)

MAX_REASON_CHARACTERS = 120
SPARE_CONNECTIONS = 1
_REFUSALS: Final[Mapping[int, str]] = {
    403: "the satellite network gives us no access to this device",
    404: "the satellite network does not know this device",
    413: "the packet is too long for the satellite network",
}
_UNKNOWN: Final[Mapping[int, str]] = {404: "the satellite network does not know this message"}
_NOT_TAKEN: Final = "the satellite network does not accept our token"
_LOST: Final = "the satellite network could not deliver it"


class Service(StrEnum):
    """What carries messages to the devices of an account."""

    SBD = "sbd"
    IMT = "imt"


def _things(text: str) -> str:
    things_of(text)
    return text


def things_of(text: str) -> dict[str, str]:
    """Read `IMEI=thing` pairs, with commas between them. Raises ValueError."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(identifier(imei.strip()) and identifier(thing.strip()) for imei, _, thing in pairs):
        raise ValueError("must look like IMEI=thing,IMEI=thing")
    return {imei.strip(): thing.strip() for imei, _, thing in pairs}


def _names(text: str) -> list[str]:
    return [name.strip().upper() for name in text.split(",") if name.strip()]


class CloudloopAccount(WebhookAccount, TracedAccount, prefix="SATBRIDGE_CLOUDLOOP_"):
    """An account at Cloudloop, for the devices of one `service`; a device's serial is the id of its thing.

    Webhooks are not signed: every one has to have `webhook_secret` last in its path. `things` tells which modem is in
    which thing, for the older webhook formats. `topic` and `ring_style` are for IMT. What was sent is traced only when
    it is known what the account calls its ends: `delivered_statuses`, `failed_statuses`, with commas.
    """

    token: Annotated[SecretStr, Field(min_length=1)]
    webhook_secret: PathSecret
    url: HttpUrl = "https://api.cloudloop.com"
    service: Service = Service.SBD
    topic: str = "IMT_TOPIC_RAW"
    ring_style: str = "RING_STYLE_NORMAL"
    things: Annotated[str, AfterValidator(_things)] = ""
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    max_packet_bytes: Count = 270
    credit_bytes: Count | None = None
    delivered_statuses: str = ""
    failed_statuses: str = ""

    @property
    def traces(self) -> bool:
        """Whether the status of what was sent is looked up."""
        return bool(self.delivered_statuses or self.failed_statuses)

    def connect(self) -> "Cloudloop":
        """Return the network of this account, without I/O."""
        return Cloudloop(self)

    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Return what a webhook of any of the three formats brings. Raises NotAuthentic without our secret."""
        if not has_secret(webhook, self.webhook_secret):
            raise NotAuthentic("the secret is not in its path")
        brought = read(
            fields_of(webhook),
            webhook.body,
            via=self.name,
            things=things_of(self.things),
            max_error_km=self.max_position_error_km,
        )
        return [brought]


class Cloudloop:
    """The API for messages to devices; connects when it is first used."""

    def __init__(self, account: CloudloopAccount) -> None:
        self._account = account
        connections = account.max_sends + SPARE_CONNECTIONS
        self._rest = RestClient(account.url, account.timeout_seconds, connections)

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the thing `serial`; never repeats by itself. Raises Rejected, Unavailable, Uncertain."""
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not identifier(serial):
            raise Rejected("the device's serial is not the id of a thing, which this network needs")
        try:
            network_id = await self._queue(serial, packet)
        except Rejected as refusal:
            # How a bad token is refused is documented nowhere; if that is what it is, the message can wait.
            if not await self._refuses_token():
                raise refusal
            raise self._token_refused() from None
        units = credits_for(len(packet), account.credit_bytes) if account.credit_bytes else None
        return SubmittedPart(network_id, units)

    async def trace(self, network_id: str) -> Receipt | None:
        """Look up what became of a message. Raises Rejected when Cloudloop does not know it, or Unavailable."""
        call = {"message": network_id}
        response = await self._post("Data/GetMtDeliveryStatus", call, writes=False)
        succeed(response, _UNKNOWN)
        answer = json_of(response)
        status = status_of(answer) if isinstance(answer, dict) else ""
        state = self._ends().get(status)
        if state is None:
            return None
        reason = "" if state is ReceiptState.DELIVERED else _LOST
        return Receipt(via=self._account.name, network_id=network_id, state=state, reason=reason)

    async def check(self) -> None:
        """Return when Cloudloop takes our token. Raises ConfigurationError naming the setting, or Unavailable."""
        if await self._refuses_token():
            raise ConfigurationError(f"{self._account.variable('token')}: {_NOT_TAKEN}")

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        await self._rest.aclose()

    def _token_refused(self) -> Unavailable:
        """Say in the log what only the operator can mend, and return what it means for a message."""
        setting = self._account.variable("token")
        log.error("Cloudloop does not accept our token; check %s", setting)
        return Unavailable(_NOT_TAKEN)

    async def _refuses_token(self) -> bool:
        """Ask whether Cloudloop takes our token. Raises Unavailable when it does not say."""
        response = await self._post("Platform/Ping", {}, writes=False)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return True
        error, answer = failure(response, _REFUSALS), json_of(response)
        if error is not None and not isinstance(error, Rejected):
            raise error
        return error is not None or bool(isinstance(answer, dict) and answer.get("error"))

    async def _queue(self, serial: str, packet: bytes) -> str:
        verb, content = self._message(packet)
        response = await self._post(verb, {"thing": serial, **content}, writes=True)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise self._token_refused()
        succeed(response, _REFUSALS)
        return self._queued_id(json_of(response), content["message"])

    def _ends(self) -> dict[str, ReceiptState]:
        lost, arrived = self._account.failed_statuses, self._account.delivered_statuses
        ends = dict.fromkeys(_names(lost), ReceiptState.FAILED)
        return ends | dict.fromkeys(_names(arrived), ReceiptState.DELIVERED)

    def _message(self, packet: bytes) -> tuple[str, dict[str, str]]:
        account = self._account
        if account.service is Service.SBD:
            return "Data/DoSendSbdMessage", {"message": packet.hex()}
        return "Data/DoSendImtMessage", {
            "message": base64.b64encode(packet).decode(),
            "topic": account.topic,
            "ringStyle": account.ring_style,
        }

    def _queued_id(self, answer: Any, message: str) -> str:
        """Return the id of the queued message. An answer of theirs without one refuses: trying again would cost."""
        if not isinstance(answer, dict):
            raise Uncertain("the satellite network's answer cannot be read")
        if not isinstance(answer.get("id"), str | int) or not str(answer["id"]):
            raise Rejected(f"the satellite network refuses it: {self._said(answer, message)}")
        return str(answer["id"])

    def _said(self, answer: Mapping[str, Any], message: str) -> str:
        """Return the network's own words, unless they repeat our token or the message, or are none."""
        words = str(answer.get("error") or answer.get("message") or answer.get("status") or "")
        ours = (self._account.token.get_secret_value(), message)
        if not words or not words.isprintable() or any(one in words for one in ours):
            return "it does not say why"
        return words[:MAX_REASON_CHARACTERS]

    async def _post(self, verb: str, content: dict[str, str], *, writes: bool) -> httpx.Response:
        """Make one call. The token travels in the body: an URL stands in logs."""
        body = {"token": self._account.token.get_secret_value(), **content}
        return await self._rest.call("POST", f"/{verb}", writes=writes, json=body)
