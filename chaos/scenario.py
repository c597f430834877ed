"""What a scenario is: a name, what it does in words, and the strike itself."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chaos.field import Field


class Ground(StrEnum):
    """What kind of gateway a scenario needs; those on one ground share one, one after another."""

    USUAL = "usual"
    SMALL_DISK = "small disk"
    FALSE_CLOCK = "false clock"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`strike` is called while the load runs, and returns when the last blow has fallen.

    Where it is `gentle`, nothing may arrive twice, and nobody may be put off but by 421.
    """

    name: str
    what: str
    strike: Callable[[Field], None]
    ground: Ground = Ground.USUAL
    stores: tuple[str, ...] = ("sqlite", "postgres")
    short: bool = False
    gentle: bool = False
