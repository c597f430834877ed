"""Computes how long to wait before the next try. The only module outside `streaming` that does. Pure."""

import math
import random
from typing import Final

MAX_DOUBLINGS: Final = 64


def wait_seconds(
    tries: int,
    first_seconds: float,
    longest_seconds: float,
    retry_after_seconds: float | None = None,
) -> float:
    """Return how long to wait after `tries` failures.

    The wait doubles with each failure, up to `longest_seconds`. Up to `first_seconds` of jitter are added, so that a
    wait is never shorter than the setting says. The peer's Retry-After is a lower bound where it is a finite number.
    """
    wait = doubled(first_seconds, tries, longest_seconds) + random.uniform(0, first_seconds)
    if retry_after_seconds is None or not math.isfinite(retry_after_seconds):
        return wait
    return max(wait, retry_after_seconds)


def doubled(seconds: float, tries: int, longest_seconds: float = math.inf) -> float:
    """Return `seconds`, doubled for each try after the first, `longest_seconds` at most."""
    return min(seconds * 2.0 ** min(max(tries - 1, 0), MAX_DOUBLINGS), longest_seconds)
