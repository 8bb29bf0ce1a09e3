"""Frames of signals: cut into overlapping pieces, and put together again; and the windows that are laid over them."""

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import bool, float32, int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant, fill, ones
from thalweg._src.ops.late import array, math


def scalar(value: Any, name: str) -> Tensor:
    """`value` as a scalar tensor. Raises ValueError for other ranks."""
    value = to_tensor(value, None, name)
    value.shape.assert_has_rank(0)
    return value


def known(value: Tensor) -> int | None:
    """The value of a scalar tensor where it is known while the graph is built."""
    return infer.partial_scalar(value)


# -- frames


def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: builtins.bool = False,
    pad_value: Any = 0,
    axis: Any = -1,
    name: str | None = None,
) -> Tensor:
    """Pieces of `frame_length` samples, `frame_step` apart: [..., n, ...] -> [..., frames, frame_length, ...].

    Without `pad_end` the last piece is the last that is complete; with it, `pad_value` fills up the end.

    >>> run(tf.signal.frame([1, 2, 3, 4], 2, 1))
    array([[1, 2],
           [2, 3],
           [3, 4]], dtype=int32)
    """
    with name_scope(name, "frame", [signal, frame_length, frame_step, pad_value]):
        signal = to_tensor(signal, None, "signal")
        frame_length, frame_step = scalar(frame_length, "frame_length"), scalar(frame_step, "frame_step")
        axis = scalar(axis, "axis")
        signal.shape.with_rank_at_least(1)
        shape = _frame_shape(signal, frame_length, frame_step, pad_end, axis)
        axis = math.range(array.rank(signal))[axis]
        samples = array.shape(signal)[axis]
        if pad_end:
            frames = -(-samples // frame_step)
            missing = math.maximum(0, frame_length + frame_step * (frames - 1) - samples)
            signal = _filled(signal, axis, missing, pad_value)
        else:
            frames = math.maximum(0, 1 + (samples - frame_length) // frame_step)
        starts = array.expand_dims(math.range(frames) * frame_step, 1)
        places = starts + array.expand_dims(math.range(frame_length), 0)
        dense = array.reshape(signal, array.shape(signal))  # so that its gradient is dense, as the signal is
        result = array.gather(dense, places, axis=axis)
        result.set_shape(shape)
        return result


def _filled(signal: Tensor, axis: Tensor, missing: Tensor, value: Any) -> Tensor:
    value = to_tensor(value, signal.dtype.base_dtype)
    value.shape.assert_has_rank(0)
    rank = array.rank(signal)
    before = math.zeros_like(math.range(rank))
    after = array.where(math.equal(math.range(rank), axis), before + missing, before)
    return array.pad(signal, array.stack([before, after], axis=1), constant_values=value)


def _frame_shape(signal: Tensor, length: Tensor, step: Tensor, pad_end: builtins.bool, axis: Tensor) -> Any:
    if signal.dims is None:
        return None
    at = known(axis)
    if at is None:
        return [None] * (len(signal.dims) + 1)
    samples, n, hop = signal.dims[at], known(length), known(step)
    frames = None
    if samples is not None and hop is not None:
        if pad_end:
            frames = max(0, -(-samples // hop))
        elif n is not None:
            frames = max(0, (samples - n + hop) // hop)
    at %= len(signal.dims)
    return [*signal.dims[:at], frames, n, *signal.dims[at + 1 :]]


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """The signal whose pieces begin `frame_step` apart, added where they overlap: [..., frames, n] -> [..., m].

    Raises ValueError where `frame_step` is not an integer.
    """
    with name_scope(name, "overlap_and_add", [signal, frame_step]):
        signal = to_tensor(signal, None, "signal")
        signal.shape.with_rank_at_least(2)
        frame_step = scalar(frame_step, "frame_step")
        if not frame_step.dtype.is_integer:
            raise ValueError(f"frame_step must be an integer. Got {frame_step.dtype}")
        shape = array.shape(signal)
        outer, frames, length = shape[:-2], shape[-2], shape[-1]
        samples = length + frame_step * (frames - 1)
        full = array.concat([outer, [samples]], 0)
        if signal.dims is not None and known(frame_step) is not None and known(frame_step) == signal.dims[-1]:
            return array.reshape(signal, full, name="fast_path")
        places = array.expand_dims(math.range(frames) * frame_step, 1) + array.expand_dims(math.range(length), 0)
        rows = array.transpose(array.reshape(signal, array.stack([math.reduce_prod(outer), frames * length])))
        total = math.unsorted_segment_sum(rows, array.reshape(places, [-1]), samples)
        result = array.reshape(array.transpose(total), full)
        if signal.dims is not None:
            result.set_shape([*signal.dims[:-2], None])
        return result


# -- windows

Window = Callable[..., Tensor]


def hann_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Hann's window, 0.5 - 0.5 cos: one period of `window_length`, or symmetric where not `periodic`."""
    return _raised_cosine(name, "hann_window", window_length, periodic, dtype, 0.5, 0.5)


def hamming_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Hamming's window, 0.54 - 0.46 cos: one period of `window_length`, or symmetric where not `periodic`."""
    return _raised_cosine(name, "hamming_window", window_length, periodic, dtype, 0.54, 0.46)


def _raised_cosine(
    name: str | None, default: str, length: Any, periodic: Any, dtype: Any, a: float, b: float
) -> Tensor:
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {dtype}")
    with name_scope(name, default, [length, periodic]):
        length = to_tensor(length, int32, "window_length")
        length.shape.assert_has_rank(0)
        if known(length) == 1:
            return ones([1], dtype=dtype)
        periodic = to_tensor(periodic, bool, "periodic")
        periodic.shape.assert_has_rank(0)
        is_even = 1 - math.floormod(length, 2)
        steps = math.cast(length + math.cast(periodic, int32) * is_even - 1, dtype)
        angle = constant(2 * np.pi, dtype=dtype) * math.cast(math.range(length), dtype) / steps
        window = math.cast(a - b * math.cos(angle), dtype)
        if known(length) is not None:
            return window
        # A window of one sample is 1; its angle is 0 / 0.
        alone = fill(array.shape(window), math.equal(length, 1))
        return array.where(alone, ones(array.shape(window), dtype), window)
