"""The API of Cloudloop for messages to devices over SBD or IMT.

Page knowledge.cloudloop.com/docs/api. The bodies of the answers are not documented.
"""

from typing import TYPE_CHECKING

import httpx

from messaging.errors import AccountBlocked, ConfigurationError, Rejected
from messaging.model.message import Receipt, ReceiptState
from messaging.satellite.account import SubmittedPart
from messaging.satellite.http_client import RestClient, failure, json_of, raise_on_failure
from messaging.satellite.providers.cloudloop.errors import (
    BAD_TOKEN,
    NOT_DELIVERED,
    REFUSALS,
    TRACE_REFUSALS,
)
from messaging.satellite.providers.cloudloop.wire import read_message_id, send_call, status_of
from messaging.satellite.providers.iridium import credits_for, identifier

if TYPE_CHECKING:
    from messaging.satellite.providers.cloudloop.account import CloudloopAccount

SPARE_CONNECTIONS = 1


class Cloudloop:
    """Queues messages to devices and looks up their status; connects at the first call."""

    def __init__(self, account: "CloudloopAccount") -> None:
        self._account = account
        connections = account.max_sends + SPARE_CONNECTIONS
        self._rest = RestClient(account.url, account.timeout_seconds, connections)

    async def send(self, serial: str, packet: bytes) -> SubmittedPart:
        """Queue one packet for the thing `serial`, once. Raises Rejected, Unavailable, Uncertain."""
        account = self._account
        if len(packet) > account.max_packet_bytes:
            raise Rejected(f"{len(packet)} bytes are too long for one packet of this network")
        if not identifier(serial):
            raise Rejected("the device's serial is not the id of a thing, which this network needs")
        try:
            message_id = await self._queue(serial, packet)
        except Rejected as refusal:
            # The refusal of a bad token is not documented. If the token is the cause, the message can wait.
            if not await self._refuses_token():
                raise refusal
            raise self._token_failure() from None
        units = credits_for(len(packet), account.credit_bytes) if account.credit_bytes else None
        return SubmittedPart(message_id, units)

    async def trace(self, network_id: str) -> Receipt | None:
        """Look up the status of a message. Raises Rejected when Cloudloop does not know it, or Unavailable."""
        response = await self._post(
            "Data/GetMtDeliveryStatus", {"message": network_id}, writes=False
        )
        raise_on_failure(response, TRACE_REFUSALS)
        answer = json_of(response)
        status = status_of(answer) if isinstance(answer, dict) else ""
        state = None
        if status in _names(self._account.failed_statuses):
            state = ReceiptState.FAILED
        if status in _names(self._account.delivered_statuses):
            state = ReceiptState.DELIVERED
        if state is None:
            return None
        reason = "" if state is ReceiptState.DELIVERED else NOT_DELIVERED
        return Receipt(via=self._account.name, network_id=network_id, state=state, reason=reason)

    async def check(self) -> None:
        """Return when Cloudloop accepts our token. Raises ConfigurationError naming the setting, or Unavailable."""
        if await self._refuses_token():
            raise ConfigurationError(f"{self._account.variable('token')}: {BAD_TOKEN}")

    async def aclose(self) -> None:
        """Close the connections; the next call connects again."""
        await self._rest.aclose()

    def _token_failure(self) -> AccountBlocked:
        return AccountBlocked(BAD_TOKEN, f"check {self._account.variable('token')}")

    async def _refuses_token(self) -> bool:
        """Ask whether Cloudloop accepts our token. Raises Unavailable when the answer does not tell."""
        response = await self._post("Platform/Ping", {}, writes=False)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return True
        error, answer = failure(response, REFUSALS), json_of(response)
        if error is not None and not isinstance(error, Rejected):
            raise error
        return error is not None or bool(isinstance(answer, dict) and answer.get("error"))

    async def _queue(self, serial: str, packet: bytes) -> str:
        account = self._account
        verb, content = send_call(account.service, packet, account.topic, account.ring_style)
        response = await self._post(verb, {"thing": serial, **content}, writes=True)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise self._token_failure()
        raise_on_failure(response, REFUSALS)
        secrets = (account.token.get_secret_value(), content["message"])
        return read_message_id(json_of(response), secrets)

    async def _post(self, verb: str, content: dict[str, str], *, writes: bool) -> httpx.Response:
        # The token travels in the body, because logs contain URLs.
        body = {"token": self._account.token.get_secret_value(), **content}
        return await self._rest.call("POST", f"/{verb}", writes=writes, json=body)


def _names(text: str) -> set[str]:
    return {name.strip().upper() for name in text.split(",") if name.strip()}
