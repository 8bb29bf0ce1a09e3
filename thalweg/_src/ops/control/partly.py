"""Integers that are partly known while a graph is traced: the 3 in `[i, 3]`, where i counts the rounds of a loop.

Lowerings that pack scalars `remember` what they know of the vector they make; slices ask for it.
"""

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core.lazy import jax

Parts = Sequence[int | None]
_known: dict[int, tuple[Any, Parts]] = {}


def remember(vector: Any, parts: Parts) -> Any:
    """Note which elements of `vector` are known; returns it."""
    if isinstance(vector, jax.core.Tracer) and any(p is not None for p in parts):
        key = id(vector)
        _known[key] = (weakref.ref(vector, lambda _: _known.pop(key, None)), tuple(parts))
    return vector


def parts_of(vector: Any) -> Parts:
    """The elements of a vector or scalar as far as they are known while tracing; None stands for the others."""
    if not isinstance(vector, jax.core.Tracer):
        return [int(v) for v in np.asarray(vector).ravel().tolist()]
    found = _known.get(id(vector))
    if found is not None and found[0]() is vector:
        return found[1]
    return [None] * int(np.prod(vector.shape, dtype=np.int64))
