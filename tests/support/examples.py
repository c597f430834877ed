"""The number of examples that a fuzzing test tries."""

from hypothesis import settings

FAST_PROFILE = "fast"
FAST_EXAMPLES = 20


def examples(count: int) -> int:
    """Return `count`, or fewer in the profile of `make test-fast`."""
    fast = settings.get_current_profile_name() == FAST_PROFILE
    return min(count, FAST_EXAMPLES) if fast else count
