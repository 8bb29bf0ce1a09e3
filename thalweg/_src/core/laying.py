"""Where the result of a lowering on the host is wanted: in memory that its reader has made, the place of one row of a batch, say."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class _Wanted(threading.local):
    place: Callable[[tuple[int, ...], Any], np.ndarray | None] | None = None


wanted = _Wanted()  # `place(shape, dtype)` gives memory for the result of the lowering that runs now, or None


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array to be filled, for a lowering's only result."""
    found = None if wanted.place is None else wanted.place(shape, dtype)
    return np.empty(shape, dtype) if found is None else found
