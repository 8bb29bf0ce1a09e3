"""Bits: read as another type, and made of comparisons."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.apply import is_traced, xp
from thalweg._src.core.dtypes import (
    COMPLEX,
    FLOATS,
    INTEGERS,
    QUANTIZED,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import op, type_attr

BITS = (*FLOATS, *INTEGERS, *COMPLEX, *QUANTIZED)
T = type_attr("T", BITS)
TYPE = type_attr("type", BITS)


@op("Bitcast")
def _bitcast(input: T, *, type: TYPE) -> TYPE:
    """The bits of `input` read as another type."""
    have, want = np.dtype(input.dtype), type._as_numpy
    dims = _dims(input.shape, have.itemsize, want.itemsize)
    if not is_traced(input):
        return np.frombuffer(np.ascontiguousarray(input).tobytes(), want).reshape(dims)
    if have.kind == "c":  # XLA casts no complex numbers; they are pairs
        input = jnp.stack([input.real, input.imag], axis=-1)
        have = np.dtype(input.dtype)
    part = np.dtype(f"f{want.itemsize // 2}") if want.kind == "c" else want
    out = _cast(input, have, part).reshape(*dims, 2) if want.kind == "c" else _cast(input, have, part).reshape(dims)
    return lax.complex(out[..., 0], out[..., 1]) if want.kind == "c" else out


def _cast(x: Any, have: Any, want: Any) -> Any:
    ratio = want.itemsize // have.itemsize
    if ratio > 1:
        x = x.reshape(-1, ratio)
    return lax.bitcast_convert_type(x, want)


def _dims(dims: Any, have: int, want: int) -> Any:
    """The shape after the cast: smaller elements make a new last axis, larger ones use the last axis up."""
    if have == want:
        return tuple(dims)
    if have > want:
        return (*dims, have // want)
    if not dims or dims[-1] not in (None, want // have):
        raise ValueError(
            f"Cannot bitcast due to shape. {dims[-1] if dims else 'a scalar'} is not equal to {want // have}"
        )
    return tuple(dims[:-1])


@_bitcast.shape_rule
def _(op):
    x = op.inputs[0]
    return [None if x.dims is None else _dims(x.dims, x.dtype.size, op.attrs["type"].size)]


_bitcast.not_differentiable()

ORDERED = type_attr("T", (bool_, float16, float32, float64, int8, int16, int32, int64))


@op("CompareAndBitpack")
def compare_and_bitpack(input: ORDERED, threshold: ORDERED) -> uint8:
    """Bits that say which entries are larger than `threshold`, eight of the last axis in one number, the first one highest."""
    if threshold.ndim:
        raise ValueError("threshold must be a scalar")
    m = xp(input, threshold)
    bits = (input if input.dtype == bool else input > threshold).reshape(*input.shape[:-1], input.shape[-1] // 8, 8)
    return m.sum(m.where(bits, 2 ** np.arange(7, -1, -1), 0), axis=-1).astype(np.uint8)


@compare_and_bitpack.shape_rule
def _(op):
    dims, threshold = (t.dims for t in op.inputs)
    if threshold:
        raise ValueError(f"Shape must be rank 0 but is rank {len(threshold)}: CompareAndBitpack {op.name!r}")
    if dims is None:
        return [None]
    if not dims or (dims[-1] or 0) % 8:
        raise ValueError(
            f"The last axis must be divisible by 8, the shape is {list(dims)}: CompareAndBitpack {op.name!r}"
        )
    return [(*dims[:-1], None if dims[-1] is None else dims[-1] // 8)]


compare_and_bitpack.not_differentiable()


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The bits of `input` read as `type`. Smaller elements make a new last axis, larger ones use the last axis up.

    Raises ValueError where the last axis does not fit.

    >>> run(tf.bitcast(1.0, tf.int32))
    1065353216
    """
    return _bitcast(input, type=dtypes.as_dtype(type), name=name)
