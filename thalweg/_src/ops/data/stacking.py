"""Elements to batches and back: arrays stacked, padded and cut."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.ops.data.memory import together
from thalweg._src.ops.data.pipeline import array, invalid, shape_text


def stacked(rows: Sequence[tuple]) -> tuple:
    """One element from many, each component with a new first axis. Raises InvalidArgumentError where shapes differ."""
    return tuple([_stack(column, i) for i, column in enumerate(zip(*rows, strict=True))])


def _stack(column: Sequence[Any], index: int) -> np.ndarray:
    first = column[0]
    if isinstance(first, np.generic):
        return np.array(column, first.dtype)
    if not isinstance(first, np.ndarray):
        if any(isinstance(x, np.ndarray) and x.ndim for x in column):
            raise _different(column, index)
        out = np.empty(len(column), object)
        for i, x in enumerate(column):
            out[i] = x.item() if isinstance(x, np.ndarray) else x
        return out
    shape = first.shape
    for x in column:
        if (x.shape if type(x) is np.ndarray else np.shape(x)) != shape:
            raise _different(column, index)
    if not shape:
        out = np.empty(len(column), first.dtype)
        for i, x in enumerate(column):
            out[i] = x if x is None or not hasattr(x, "item") else x.item() if first.dtype == object else x
        return out
    there = together(column)
    return np.concatenate(column).reshape((len(column), *shape)) if there is None else there


def _different(column: Sequence[Any], index: int) -> errors.OpError:
    first = shape_text(column[0])
    at, other = next((i, shape_text(x)) for i, x in enumerate(column) if shape_text(x) != first)
    return invalid(
        f"Cannot batch tensors with different shapes in component {index}. First element had shape {first} and element {at} "
        f"had shape {other}."
    )


def mapped(rows: Sequence[tuple]) -> tuple:
    """`stacked`, with the error of a map that is joined with its batch."""
    for i, column in enumerate(zip(*rows, strict=True)):
        first = np.shape(column[0]) if not isinstance(column[0], bytes) else ()
        for x in column:
            if not isinstance(x, bytes) and np.shape(x) != first:
                raise invalid(
                    f"Cannot add tensor to the batch: number of elements does not match. Shapes are: [tensor]: {shape_text(x)}, "
                    f"[batch]: {shape_text(column[0])} in component {i}"
                )
    return stacked(rows)


def padded(rows: Sequence[tuple], dims: Sequence[Any], values: Sequence[Any]) -> tuple:
    """One element from many, each component filled up with its value to its shape, -1 standing for the largest of the batch."""
    columns = zip(*rows, strict=True)
    return tuple([_pad(c, d, v, i) for i, (c, d, v) in enumerate(zip(columns, dims, values, strict=True))])


def _pad(column: Sequence[Any], dims: Any, value: Any, index: int) -> np.ndarray:
    arrays = [array(x) for x in column]
    rank = len(dims)
    for a in arrays:
        if a.ndim != rank:
            raise invalid(
                f"All elements in a batch must have the same rank as the padded shape for component{index}: expected rank {rank} "
                f"but got element with rank {a.ndim}"
            )
    size = []
    for axis, want in enumerate(dims):
        largest = max(a.shape[axis] for a in arrays)
        if want == -1:
            size.append(largest)
        elif largest > want:
            raise errors.DataLossError(None, None, "Attempted to pad to a smaller size than the input element.")
        else:
            size.append(int(want))
    out = np.empty((len(arrays), *size), arrays[0].dtype)
    out[...] = value.item() if isinstance(value, np.ndarray) else value
    for i, a in enumerate(arrays):
        out[(i, *map(slice, a.shape))] = a if a.ndim else a.item()
    return out


def unstacked(element: tuple) -> list[tuple]:
    """The elements along the first axes. Raises InvalidArgumentError where their sizes differ."""
    for x in element:
        if np.ndim(x) == 0:
            raise invalid("Input element must have a non-scalar value in each component.")
        if len(x) != len(element[0]):
            raise invalid(
                f"Input element must have the same batch size in each component. Component 0 had size {len(element[0])} but "
                f"another component had size {len(x)}."
            )
    return list(zip(*element, strict=True))
