"""What a variable that several devices hold says of itself: when, and how, its values become one."""

from __future__ import annotations

import enum
from typing import Any


class VariableSynchronization(enum.Enum):
    """When a variable that several devices hold is brought together. Kept for programs; one process needs none."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How the values of several devices become one."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3
    ONLY_FIRST_TOWER = 3


def mode_of(kind: type[enum.Enum], given: Any, what: str, name: str | None) -> Any:
    """A member of `kind` for a member or its value, the first for None. Raises ValueError for another value."""
    try:
        return next(iter(kind)) if given is None else kind(given)
    except ValueError:
        raise ValueError(f"Invalid variable {what} mode: {given} for variable: {name}") from None
