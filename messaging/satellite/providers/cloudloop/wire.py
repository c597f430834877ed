"""Bodies of Cloudloop's calls and answers. Pure. The answers are not documented and are read leniently."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from messaging.errors import Rejected, Uncertain

MAX_REASON_CHARACTERS: Final = 120


def send_call(
    service: str, packet: bytes, topic: str, ring_style: str
) -> tuple[str, dict[str, str]]:
    """Return the verb and the content of the call that queues a packet over `service` (`sbd` or `imt`)."""
    if service == "sbd":
        return "Data/DoSendSbdMessage", {"message": packet.hex()}
    return "Data/DoSendImtMessage", {
        "message": base64.b64encode(packet).decode(),
        "topic": topic,
        "ringStyle": ring_style,
    }


def read_message_id(answer: Any, secrets: tuple[str, ...]) -> str:
    """Return the id of the queued message. Raises Uncertain, or Rejected with Cloudloop's own reason.

    The reason is left out when it repeats one of `secrets`, or cannot be printed.
    """
    if not isinstance(answer, dict):
        raise Uncertain("the satellite network's answer cannot be read")
    if isinstance(answer.get("id"), str | int) and str(answer["id"]):
        return str(answer["id"])
    reason = str(answer.get("error") or answer.get("message") or answer.get("status") or "")
    if not reason or not reason.isprintable() or any(secret in reason for secret in secrets):
        reason = "it does not say why"
    # An answer without an id refuses: another attempt would be charged again.
    raise Rejected(f"the satellite network refuses it: {reason[:MAX_REASON_CHARACTERS]}")


def status_of(answer: Mapping[str, Any]) -> str:
    """Return the status in the answer to a look-up, a word or a number, in capitals; empty without one."""
    value = answer.get("mtMessageStatus", answer.get("status"))
    return str(value).strip().upper() if isinstance(value, str | int) else ""
