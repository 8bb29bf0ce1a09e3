"""`x[...]` on tensors and variables: numbers, ranges, '...', new axes, scalar tensors, and masks."""

import sys
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.arrays.slicing import strided_slice
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.late import math, selecting

newaxis = None  # as in NumPy: `x[tf.newaxis]`

_WHAT_FITS = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid "
    "indices"
)


def _check_index(index: Any) -> None:
    if isinstance(index, int | np.integer | shapes.Dimension) and not isinstance(index, np.uint64 | np.uint32):
        return
    dtype = getattr(index, "dtype", None)
    try:
        fits = dtype is not None and dtypes.as_dtype(dtype).base_dtype in (int32, int64)
    except TypeError:
        fits = False
    if not fits or (index.shape and len(index.shape) == 1):
        raise TypeError(f"{_WHAT_FITS}, got {index!r}")


def _given(bound: Any) -> bool:
    return bound is not None and (not isinstance(bound, int) or bound != sys.maxsize)


def _is_mask(index: Any) -> bool:
    if isinstance(index, bool):
        return True
    if isinstance(index, Tensor):
        return index.dtype.base_dtype == dtypes.bool
    return isinstance(index, np.ndarray) and index.dtype == np.bool_


def getitem(tensor: Tensor, index: Any, var: Any = None) -> Tensor:
    """`tensor[index]`, where each index is a number, a range, '...', None, or a scalar tensor; or a mask for the whole.

    `var` is the variable that the result can be assigned to. Raises TypeError for indices of other kinds, ValueError
    for numbers out of range.
    """
    if _is_mask(index):
        return selecting.boolean_mask(tensor, index)
    if not isinstance(index, list | tuple):
        index = [index]
    begin: list[Any] = []
    end: list[Any] = []
    strides: list[Any] = []
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    for i, s in enumerate(index):
        b, e, step = 0, 0, 1
        if isinstance(s, slice):
            if _given(s.start):
                _check_index(s.start)
                b = s.start
            else:
                masks["begin_mask"] |= 1 << i
            if _given(s.stop):
                _check_index(s.stop)
                e = s.stop
            else:
                masks["end_mask"] |= 1 << i
            if s.step is not None:
                _check_index(s.step)
                step = s.step
        elif s is Ellipsis:
            masks["ellipsis_mask"] |= 1 << i
        elif s is None:
            masks["new_axis_mask"] |= 1 << i
        else:
            _check_index(s)
            b, e = s, s + 1
            masks["shrink_axis_mask"] |= 1 << i
        begin.append(b)
        end.append(e)
        strides.append(step)
    with name_scope(None, "strided_slice", [tensor, *begin, *end, *strides]) as name:
        if begin:
            packed = [stack(begin), stack(end), stack(strides)]
            if any(p.dtype == int64 for p in packed):
                packed = [p if p.dtype == int64 else math.cast(p, int64) for p in packed]
        else:
            packed = [constant([], int32)] * 3
        return strided_slice(tensor, *packed, **masks, var=var, name=name)


Tensor._override_operator("__getitem__", getitem)
