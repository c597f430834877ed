"""Cloudloop, Ground Control's platform for SBD and IMT: the settings of an account, and its wiring.

Pages knowledge.cloudloop.com/docs/api and /docs/destinations/http. The bodies of the answers are not documented;
`docs/networks/cloudloop.md` lists the known facts and the open questions.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr

from messaging.model.message import Receipt
from messaging.model.webhook import NotAuthentic, Webhook
from messaging.satellite.account import (
    Codec,
    Count,
    Packet,
    SerialSyntax,
    WebhookAccount,
    readable_by,
)
from messaging.satellite.http_client import HttpUrl
from messaging.satellite.providers.cloudloop.client import Cloudloop
from messaging.satellite.providers.cloudloop.webhook import read_webhook
from messaging.satellite.providers.iridium import fields_of, identifier
from messaging.satellite.status_poller import TracedAccount
from messaging.satellite.unreadable import read_or_keep
from messaging.satellite.webhook_secret import PathSecret, has_secret


class CloudloopService(StrEnum):
    """The service that carries messages to the devices of an account."""

    SBD = "sbd"
    IMT = "imt"


def things_of(text: str) -> dict[str, str]:
    """Read `IMEI=thing` pairs, separated by commas. Raises ValueError."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(identifier(imei.strip()) and identifier(thing.strip()) for imei, _, thing in pairs):
        raise ValueError("must look like IMEI=thing,IMEI=thing")
    return {imei.strip(): thing.strip() for imei, _, thing in pairs}


class CloudloopAccount(WebhookAccount, TracedAccount, prefix="SATBRIDGE_CLOUDLOOP_"):
    """An account at Cloudloop, for the devices of one `service`; a device's serial is the id of its thing.

    Webhooks are not signed: each must have `webhook_secret` as the last part of its path. `things` maps IMEIs to
    things, for the older webhook formats. `topic` and `ring_style` are for IMT. Messages are traced only when the
    account names the final statuses: `delivered_statuses` and `failed_statuses`, separated by commas.
    """

    serials = SerialSyntax.THING
    new_codec = Codec.TEXT

    token: Annotated[SecretStr, Field(min_length=1)]
    webhook_secret: PathSecret
    url: HttpUrl = "https://api.cloudloop.com"
    service: CloudloopService = CloudloopService.SBD
    topic: str = "IMT_TOPIC_RAW"
    ring_style: str = "RING_STYLE_NORMAL"
    things: Annotated[str, readable_by(things_of)] = ""
    max_position_error_km: Annotated[float, Field(ge=0)] = 10
    max_packet_bytes: Count = 270
    credit_bytes: Count | None = None
    delivered_statuses: str = ""
    failed_statuses: str = ""

    @property
    def traces(self) -> bool:
        """Whether the status of sent messages is polled."""
        return bool(self.delivered_statuses or self.failed_statuses)

    def connect(self) -> Cloudloop:
        """Return the client of this account, without I/O."""
        return Cloudloop(self)

    def parse(self, webhook: Webhook, public_url: str) -> Sequence[Packet | Receipt]:
        """Return the content of a webhook in any of the three formats. Raises NotAuthentic without our secret."""
        if not has_secret(webhook, self.webhook_secret):
            raise NotAuthentic("the secret is not in its path")
        return read_or_keep(self.name, webhook.body, lambda: [self._read(webhook)])

    def _read(self, webhook: Webhook) -> Packet | Receipt:
        return read_webhook(
            fields_of(webhook),
            webhook.body,
            via=self.name,
            things=things_of(self.things),
            max_error_km=self.max_position_error_km,
        )
