"""Makes frozen values cheap to hand to another process."""

from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def transferable(cls: type[T]) -> type[T]:
    """Give a frozen dataclass with slots, of at least two fields, a state that pickles in one call.

    The state is the same as that of `dataclass`, which takes a Python call for each field in both directions.
    """
    names = [one.name for one in fields(cls)]  # type: ignore[arg-type]
    values_of = attrgetter(*names)
    setters = [getattr(cls, name).__set__ for name in names]

    def get_state(self: Any) -> Any:
        return values_of(self)

    def set_state(self: Any, state: Any) -> None:
        # By the slots themselves: a frozen value sets no attribute.
        for set_value, value in zip(setters, state, strict=False):
            set_value(self, value)

    # Not by a base class: `dataclass` would replace the methods.
    cls.__getstate__ = get_state  # type: ignore[method-assign]
    cls.__setstate__ = set_state  # type: ignore[attr-defined]
    return cls
