"""Where the result of a lowering on the host is wanted: in memory that its reader has made, the place of one row of a batch, say."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class Memory(np.ndarray):
    """The results of one component for a whole batch, a row for each element."""

    given = False  # whether nobody but the run that took the batch will read it


def taken(value: np.ndarray) -> bool:
    """Whether `value` is a batch that its taker may keep, as happens once."""
    memory = value.base
    if type(memory) is not Memory or not memory.given:
        return False
    memory.given = False
    return True


class _Wanted(threading.local):
    place: Callable[[tuple[int, ...], Any], np.ndarray | None] | None = None


wanted = _Wanted()  # `place(shape, dtype)` gives memory for the result of the lowering that runs now, or None


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array to be filled, for a lowering's only result."""
    found = None if wanted.place is None else wanted.place(shape, dtype)
    return np.empty(shape, dtype) if found is None else found
