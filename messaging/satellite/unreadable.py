"""Keeps authentic content that makes no sense, or that a bug cannot read, as a packet for people."""

import logging
from collections.abc import Callable, Sequence

from messaging.model.message import Receipt, message_id
from messaging.model.webhook import NotAuthentic
from messaging.satellite.account import Packet

log = logging.getLogger(__name__)

Read = Callable[[], Sequence[Packet | Receipt]]


def unreadable(serial: str, body: bytes) -> Packet:
    """Return the packet of a body that makes no sense, so that people can look at it."""
    return Packet(id=message_id("unreadable", body), serial=serial, payload=None, raw=body)


def read_or_keep(account: str, body: bytes, read: Read) -> Sequence[Packet | Receipt]:
    """Return the content that `read` finds in an authentic body; after a bug in it, the body as an unreadable packet.

    The provider would repeat the webhook for ever, and hear of the same bug each time.
    """
    try:
        return read()
    except NotAuthentic:
        raise
    except Exception as error:
        # The type only: the text may quote the body.
        log.error("%s: content cannot be read (%s); it is kept", account, type(error).__name__)
        return [unreadable("", body)]
