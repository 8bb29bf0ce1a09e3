"""Variables, constants and placeholders of Keras, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.compat.keras_backend import sessions, settings
from thalweg._src.core import dtypes
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_placeholder
from thalweg._src.ops.stateful.variables import Variable


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Any:
    """A variable that begins as `value`; a sparse tensor where that is a sparse matrix of SciPy."""
    if hasattr(value, "tocoo"):
        matrix = value.tocoo()
        indices = np.stack([matrix.row, matrix.col], axis=1)
        sparse = SparseTensor(indices=indices.astype(np.int64), values=matrix.data, dense_shape=matrix.shape)
        sparse._keras_shape = matrix.shape  # type: ignore[attr-defined]
        return sparse
    made = Variable(value, dtype=dtypes.as_dtype(dtype or settings.floatx()), name=name, constraint=constraint)
    sessions.keep(made)
    return made


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    return constants.constant(value, dtype=dtype or settings.floatx(), shape=shape, name=name or "Const")


def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False, name: str | None = None
) -> Any:
    """A tensor to be fed, of `shape` or, where that is empty, of `ndim` unknown dimensions."""
    if not shape and ndim:
        shape = (None,) * ndim
    make = sparse_placeholder if sparse else constants.placeholder
    return make(dtype or settings.floatx(), shape=shape, name=name)


def batch_get_value(tensors: Sequence[Any]) -> list[Any]:
    return sessions.get_session(tensors).run(tensors) if tensors else []


def set_value(x: Any, value: Any) -> None:
    batch_set_value([(x, value)])


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Give variables values, all in one run. Each variable keeps the operation that assigns it."""
    if not tuples:
        return
    feeds = {}
    for x, value in tuples:
        kind = dtypes.as_dtype(x.dtype).base_dtype
        number = np.asarray(value, dtype=kind.as_numpy_dtype)
        if not hasattr(x, "_assign_op"):
            x._assign_placeholder = constants.placeholder(kind, shape=[None] * number.ndim)
            x._assign_op = x.assign(x._assign_placeholder)
        feeds[x._assign_placeholder] = number
    sessions.get_session().run([x._assign_op for x, _ in tuples], feed_dict=feeds)
