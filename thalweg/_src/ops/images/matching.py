"""Pairs of rows and columns by distance, and connected regions of images: the ops behind tf.contrib.image."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import (
    bool as boolean,
)
from thalweg._src.core.dtypes import float16, float32, float64, int8, int16, int32, int64, string, uint8, uint16
from thalweg._src.core.errors import InvalidArgumentError
from thalweg._src.core.opdef import Outputs, op, type_attr

P = type_attr("dtype", (int64, int32, uint16, int16, uint8, int8, float16, float32, float64, boolean, string))


@op("BipartiteMatch", host=True, numpy_only=True, stateful=True)
def bipartite_match(distance_mat: float32, num_valid_rows: float32, *, top_k: int = -1) -> Outputs(
    row_to_col_match_indices=int32, col_to_row_match_indices=int32
):
    """Pairs the nearest row and column, then the nearest of the others, and so on: at most `top_k` pairs.

    Gives for each row its column and for each column its row, -1 where there is none. Only the first `num_valid_rows`
    rows count (all, where it is negative).
    """
    if distance_mat.ndim != 2:
        raise InvalidArgumentError(f"distance_mat should be 2-dimensional, but got {list(distance_mat.shape)}")
    if num_valid_rows.size != 1:
        raise InvalidArgumentError(
            f"num_valid_rows argument should be a tensor with 1 element, but got {num_valid_rows.size}"
        )
    rows, columns = distance_mat.shape
    asked = float(num_valid_rows.reshape(-1)[0])
    valid = int(asked + 0.1) if asked >= 0 else rows
    if valid > rows:
        raise InvalidArgumentError(f"There should be at least {valid} rows in distance_mat, but only got {rows} rows.")
    row_to_column, column_to_row = np.full(rows, -1, np.int32), np.full(columns, -1, np.int32)
    pairs = top_k if top_k > 0 else valid * columns
    for place in np.argsort(distance_mat[:valid], axis=None, kind="stable"):
        row, column = divmod(int(place), columns)
        if row_to_column[row] < 0 and column_to_row[column] < 0:
            row_to_column[row], column_to_row[column] = column, row
            pairs -= 1
            if pairs == 0:
                break
    return row_to_column, column_to_row


@bipartite_match.shape_rule
def _(op):
    dims = shapes.of_rank(op.inputs[0].dims, 2)
    return [(dims[0],), (dims[1],)]


@bipartite_match.grad
def _(op, *g):
    return None, None


@op("ImageConnectedComponents", host=True, numpy_only=True)
def image_connected_components(image: P) -> Outputs(components=int64):
    """The number of the region that each pixel of [batch, height, width] is in; 0 for pixels that are zero.

    Pixels of the same value beside, above or below each other are one region. Regions are numbered from 1, through all
    images, by their first pixels.
    """
    if image.ndim != 3:
        raise InvalidArgumentError(f"expected batch_size x rows x cols images, got {list(image.shape)}")
    zero = b"" if image.dtype == object else 0
    lit = (image != zero).reshape(-1)
    place = np.arange(image.size).reshape(image.shape)
    down = (image[:, 1:] == image[:, :-1]).astype(bool)
    right = (image[:, :, 1:] == image[:, :, :-1]).astype(bool)
    ends = np.concatenate([place[:, 1:][down], place[:, :, 1:][right]])
    starts = np.concatenate([place[:, :-1][down], place[:, :, :-1][right]])
    roots = _least_connected(image.size, starts, ends)
    out = np.zeros(image.size, np.int64)
    out[lit] = np.unique(roots[lit], return_inverse=True)[1].reshape(-1) + 1
    return out.reshape(image.shape)


def _least_connected(n: int, a: Any, b: Any) -> Any:
    """The least of the places 0..n-1 that each is connected with by the edges (a, b): trees hung on each other."""
    parent = np.arange(n)
    while True:
        root_a, root_b = parent[a], parent[b]
        apart = root_a != root_b
        if not apart.any():
            return parent
        a, b, root_a, root_b = a[apart], b[apart], root_a[apart], root_b[apart]
        np.minimum.at(parent, np.maximum(root_a, root_b), np.minimum(root_a, root_b))
        while not np.array_equal(shorter := parent[parent], parent):
            parent = shorter


@image_connected_components.shape_rule
def _(op):
    return [op.inputs[0].dims]


@image_connected_components.grad
def _(op, g):
    return None
