"""What is known of the variable behind a resource handle."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import Dims


def variable_of_handle(handle: Tensor) -> Any:
    """The VarHandleOp that `handle` comes from, through identities; None if it comes from elsewhere."""
    while True:
        op = handle.op
        if op.opdef.source:
            return op
        outside = handle.op.graph.outside(handle)
        if outside is not None:
            handle = outside
            continue
        if not op.opdef.alias or not op.inputs:
            return None
        handle = op.inputs[0]


def dims_of_handle(handle: Tensor) -> Dims:
    """The static shape of the variable."""
    source = variable_of_handle(handle)
    return None if source is None else source.attrs["shape"]


def held(handle: Any) -> Any:
    """The resource that the value of a handle stands for: a queue, a table, a reader."""
    return handle.item() if isinstance(handle, np.ndarray) else handle
