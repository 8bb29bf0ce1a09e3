"""Arrays as TensorProtos and back, as `tf.make_tensor_proto` and `tf.make_ndarray` do."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import as_array
from thalweg._src.formats import protos, tensors


def make_tensor_proto(
    values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False, allow_broadcast: bool = False
) -> Any:
    """`values` (a number, a string, a nested list, an array) as a TensorProto of `dtype`.

    A single value, or a shorter list, fills `shape` with its last element unless `verify_shape`. Raises TypeError for values
    that `dtype` can't hold or of another shape, ValueError for more values than `shape` has places, and for None.
    """
    if allow_broadcast and verify_shape:
        raise ValueError("allow_broadcast and verify_shape are not both allowed.")
    if isinstance(values, protos.TensorProto):
        return values
    if values is None:
        raise ValueError("None values not supported.")
    wanted = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
    array = as_array(values, wanted)
    enum = (wanted or dtypes.of_numpy(array.dtype)).as_datatype_enum
    if shape is None:
        return tensors.to_proto(array, enum, raw=_raw(values))
    dims = [int(n or 0) for n in shapes.as_shape(shape).as_list()]
    size = int(np.prod(dims, dtype=np.int64))
    if verify_shape and list(array.shape) != dims:
        raise TypeError(f"Expected Tensor's shape: {tuple(dims)}, got {array.shape}.")
    if array.size > size:
        raise ValueError(f"Too many elements provided. Needed at most {size}, but received {array.size}")
    return tensors.to_proto(array, enum, dims, raw=_raw(values))


def _raw(values: Any) -> bool:
    return isinstance(values, np.ndarray | np.generic | list | tuple)


def make_ndarray(tensor: Any) -> np.ndarray:
    """The array of a TensorProto. Raises TypeError for types that are no array's."""
    return tensors.from_proto(tensor)
