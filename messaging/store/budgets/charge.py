"""The charge of a delivery, by which its budgets are found. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The units of a delivery, and the account, subscriber and device that it counts for.

    `peers` are the addresses, in lower case, of the other side: the author of a message to a device, else the
    recipient. An urgent one passes every limit, and so does what an operator sends `over_budget`.
    """

    via: str
    units: int
    subscriber_id: int | None
    device_id: int | None
    peers: tuple[str, ...]
    is_urgent: bool = False
    over_budget: bool = False
