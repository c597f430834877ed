"""A scenario: its name, its description, and the function that injects the fault."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chaos.context import Context
from chaos.judge import MAX_TWICE
from chaos.load import MAIL_CONNECTIONS


class Environment(StrEnum):
    """The kind of gateway that a scenario needs; scenarios of one environment share a gateway, one after another."""

    USUAL = "usual"
    SMALL_DISK = "small disk"
    VOLATILE_DISK = "volatile disk"
    STANDBY = "standby"
    FALSE_CLOCK = "false clock"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`inject` is called while the load runs, and returns after the last fault.

    Where it is `gentle`, nothing may arrive twice, be marked so, or be overtaken, and no client may be deferred but
    by 421. Elsewhere the share `max_twice` of all messages may arrive twice, marked. The load has `mail_connections`.
    """

    name: str
    description: str
    inject: Callable[[Context], None]
    environment: Environment = Environment.USUAL
    stores: tuple[str, ...] = ("sqlite", "postgres")
    short: bool = False
    gentle: bool = False
    max_twice: float = MAX_TWICE
    mail_connections: int = MAIL_CONNECTIONS
