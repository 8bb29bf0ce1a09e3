"""Values in and out of runs: what a user feeds becomes arrays, and arrays become what a user gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.compiler.interpret import RefValue
from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import as_array
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jax
from thalweg._src.core.storage import plain_strings
from thalweg._src.core.structured import Structured

FEED_IS_TENSOR = (
    "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, lists, numpy "
    "ndarrays, or TensorHandles."
)


def feed_value(t: Tensor, value: Any) -> Any:
    """`value` as an array that can stand for `t`. Raises TypeError or ValueError where it can't."""
    want = t.dtype._as_numpy
    if type(value) is float and want.kind == "f":
        value = np.array(value, want)
    elif type(value) is not np.ndarray:
        if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
            raise TypeError(FEED_IS_TENSOR)
        if want != object and hasattr(value, "handle"):  # a TensorHandle: what it is the name of
            value = value.array
        if isinstance(value, jax.Array) if _jax_loaded() else False:
            if value.dtype != want:
                value = np.asarray(value)
        if not hasattr(value, "addressable_shards"):
            value = _from_python(t, value, want)
    if value.dtype != want:
        value = as_array(value, t.dtype) if want == object or value.dtype == object else value.astype(want)
    if t._dims is not None and value.shape != t._dims and not shapes.compatible(t._dims, value.shape):
        raise ValueError(
            f"Cannot feed value of shape {value.shape} for Tensor {t.name!r}, which has shape {str(t.shape)!r}"
            + (f" (made at {t.op.site})" if t.op.site else "")
        )
    return value


def _jax_loaded() -> bool:
    import sys

    return "jax" in sys.modules


def _from_python(t: Tensor, value: Any, want: np.dtype) -> np.ndarray:
    if want == object:
        if t.dtype.base_dtype == dtypes.string and isinstance(value, int | float):
            raise TypeError(
                f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type {t.dtype!r}. Feed strings."
            )
        if t.dtype.base_dtype != dtypes.string:
            out = np.empty(np.shape(value) if isinstance(value, list | tuple) else (), object)
            out[...] = value
            return out
        return as_array(value, t.dtype)
    if isinstance(value, int) and not isinstance(value, bool) and want.kind in "iu":
        info = np.iinfo(want)
        if not info.min <= value <= info.max:
            raise TypeError(
                f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type {t.dtype.name}. "
                "Try explicitly setting the type of the feed tensor to a larger type (e.g. int64)."
            )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"Cannot feed {type(value).__name__} for Tensor {t.name!r}: {error}") from None
    if array.dtype.kind in "SU" or (array.dtype == object and any(isinstance(x, str | bytes) for x in array.flat)):
        raise ValueError(f"could not convert string to {t.dtype.name}: the feed of Tensor {t.name!r} is {value!r:.80}")
    try:
        return array.astype(want, copy=False)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Cannot feed {type(value).__name__} for Tensor {t.name!r} of type {t.dtype.name}: {error}"
        ) from None


def shape_of(value: Any) -> tuple[int, ...]:
    return tuple(value.shape)


LARGE = 1 << 18  # bytes: below, a copy costs less than what it takes to hand an array over


def to_user(value: Any, ours: bool = True) -> Any:
    """A result as the user gets it: an array of his own, or a NumPy scalar (bytes for a string).

    What is no longer `ours`, because nothing else reads that memory, is not copied.
    """
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return plain_strings(value)
        return value[()] if value.ndim == 0 else value.copy()
    if type(value) is RefValue:
        return value
    if isinstance(value, Structured):
        return value.for_user()
    if isinstance(value, np.generic | bytes):
        return value
    found = np.asarray(value)
    if found.ndim == 0:
        return found[()]
    if not ours and found.nbytes >= LARGE:
        return np.asarray(_Held(found)).view(found.dtype)
    return found.copy()


class _Held:
    """Keeps a device array's memory while a NumPy array, which may be written to, lies on it."""

    __slots__ = ("__array_interface__", "array")

    def __init__(self, view: np.ndarray):
        self.array = view
        told = view.__array_interface__
        self.__array_interface__ = {**told, "data": (told["data"][0], False)}
