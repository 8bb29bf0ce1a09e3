"""Diagonals of tensors and of batches of matrices: diag, matrix_diag, matrix_set_diag, matrix_band_part."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.dtypes import COMPLEX, FLOATS, int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Known, Static, op, type_attr
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import rank, shape
from thalweg._src.ops.arrays.slicing import slice as slice_
from thalweg._src.ops.late import math

T = type_attr("T")
D = type_attr("T", (*FLOATS, int32, int64, *COMPLEX))
INDEX = type_attr("Tindex", (int32, int64), int64)


# -- diag: a tensor of twice the rank


@op("Diag")
def diag(diagonal: D) -> D:
    """A tensor of twice the rank, zero but for `diagonal` where the first half of the indices equals the second.

    >>> run(tf.diag([1, 2]))
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    lib = xp(diagonal)
    if diagonal.ndim < 1:
        raise ValueError("Input must be at least rank 1, got 0")
    return lib.diag(diagonal.ravel()).reshape(diagonal.shape * 2)


@diag.shape_rule
def _(op):
    dims = op.inputs[0].dims
    shapes.of_rank_at_least(dims, 1)
    return [None if dims is None else dims * 2]


@op("DiagPart")
def diag_part(input: D) -> D:
    """The entries of `input` where the first half of the indices equals the second: [a, b, a, b] -> [a, b].

    >>> run(tf.diag_part([[1, 2], [3, 4]]))
    array([1, 4], dtype=int32)
    """
    half = input.ndim // 2
    if input.ndim % 2 or not input.ndim:
        raise ValueError(f"The rank of the tensor should be even and positive, got shape {shapes.text(input.shape)}")
    if input.shape[:half] != input.shape[half:]:
        raise ValueError(
            f"Invalid shape {shapes.text(input.shape)}: the first half of the sizes must be the second half"
        )
    n = int(np.prod(input.shape[:half], dtype=np.int64))
    return xp(input).diagonal(input.reshape(n, n)).reshape(input.shape[:half])


@diag_part.shape_rule
def _(op):
    dims = op.inputs[0].dims
    if dims is None:
        return [None]
    if len(dims) % 2 or not dims:
        raise ValueError(f"Input must have even and non-zero rank, input rank is {len(dims)}")
    return [shapes.merged(dims[: len(dims) // 2], dims[len(dims) // 2 :])]


@diag.grad
def _(op, g):
    return diag_part(g)


@diag_part.grad
def _(op, g):
    return diag(g)


# -- batches of matrices. `low` and `high` number the diagonals: 0 is the main one, those above it are positive.


def _offsets(k: Any) -> tuple[int, int]:
    flat = np.asarray(k).ravel().tolist()
    if not flat or len(flat) > 2:
        raise ValueError(f"diag_index must be a scalar or received between one and two elements, got {len(flat)}")
    low, high = flat[0], flat[-1]
    if low > high:
        raise ValueError(f"lower_diag_index must not be larger than upper_diag_index: {low} > {high}")
    return low, high


def _matrix_size(longest: int, low: int, high: int, rows: int, cols: int) -> tuple[int, int]:
    """The sizes of matrices whose longest diagonal has that length; -1 is what is needed at least."""
    least_rows, least_cols = longest - min(high, 0), longest + max(low, 0)
    if rows == -1 and cols == -1:
        rows = cols = max(least_rows, least_cols)
    rows, cols = (least_rows if rows == -1 else rows), (least_cols if cols == -1 else cols)
    if rows < least_rows:
        raise ValueError("num_rows is too small")
    if cols < least_cols:
        raise ValueError("num_cols is too small")
    if rows != least_rows and cols != least_cols:
        raise ValueError(
            "The number of rows or columns is not consistent with the specified d_lower, d_upper, and the length of "
            f"the given diagonals: {rows} and {cols}, where {least_rows} and {least_cols} are needed"
        )
    return rows, cols


def _spread(diagonals: Any, low: int, high: int, rows: int, cols: int, elsewhere: Any) -> Any:
    """Matrices with `diagonals` [..., high - low + 1, length] on them (the uppermost first) and `elsewhere` around."""
    lib = xp(diagonals, elsewhere)
    i, j = lib.arange(rows)[:, None], lib.arange(cols)[None, :]
    d = j - i
    inside = (low <= d) & (d <= high)
    which = lib.where(inside, high - d, 0)
    place = lib.where(inside, lib.minimum(i, j), 0)
    if 0 in diagonals.shape[-2:]:
        return lib.broadcast_to(elsewhere, (*diagonals.shape[:-2], rows, cols))
    if low == high == 0:
        row = diagonals[..., :1, : min(rows, cols)]
        row = lib.pad(row, [(0, 0)] * (row.ndim - 1) + [(0, max(0, cols - rows))]) if cols > rows else row
        return lib.where(inside, row, elsewhere)
    return lib.where(inside, diagonals[..., which, place], elsewhere)


def _read(x: Any, low: int, high: int, padding: Any) -> Any:
    """The diagonals [..., high - low + 1, longest] of matrices, shorter ones padded at the end."""
    rows, cols = x.shape[-2:]
    _check_range(low, high, rows, cols)
    longest = min(rows + min(high, 0), cols - max(low, 0))
    lib = xp(x, padding)
    if x.size == 0:
        return lib.zeros((*x.shape[:-2], high - low + 1, longest), x.dtype)
    d = lib.arange(high, low - 1, -1)[:, None]
    p = lib.arange(longest)[None, :]
    i, j = p + lib.maximum(-d, 0), p + lib.maximum(d, 0)
    inside = (i < rows) & (j < cols)
    return lib.where(inside, x[..., lib.where(inside, i, 0), lib.where(inside, j, 0)], padding)


def _check_range(low: int, high: int, rows: int, cols: int) -> None:
    for what, k in (("lower", low), ("upper", high)):
        if not (-rows < k < cols or k == 0):
            raise ValueError(f"{what}_diag_index is out of bound: {k}. It must be between {-rows} and {cols}")


def _of_rank(what: str, x: Any, least: int) -> None:
    if x.ndim < least:
        raise ValueError(f"{what} must be at least {least}-dim, received shape: {shapes.text(x.shape)}")


def _at_least_matrix(dims: Any) -> Any:
    return shapes.of_rank_at_least(dims, 2)


@op("MatrixDiag")
def _matrix_diag(diagonal: T) -> T:
    """Square matrices with `diagonal` [..., n] on their diagonals."""
    _of_rank("diagonal", diagonal, 1)
    n = diagonal.shape[-1]
    return _spread(diagonal[..., None, :], 0, 0, n, n, _zero(diagonal))


def _zero(x: Any) -> Any:
    return b"" if x.dtype == object else np.zeros((), x.dtype)


@_matrix_diag.shape_rule
def _(op):
    dims = shapes.of_rank_at_least(op.inputs[0].dims, 1)
    return [None if dims is None else (*dims, dims[-1])]


@op("MatrixDiagV2")
def _matrix_diag_band(
    diagonal: T, k: Static(int32), num_rows: Static(int32), num_cols: Static(int32), padding_value: T
) -> T:
    """Matrices with `diagonal` on the diagonals that `k` (one, or the lowest and the highest) numbers."""
    low, high = _offsets(k)
    _of_rank("diagonal", diagonal, 1 if low == high else 2)
    band = diagonal[..., None, :] if low == high else diagonal
    if band.shape[-2] != high - low + 1:
        raise ValueError(
            "The number of diagonals provided in the input does not match the lower_diag_index and upper_diag_index "
            f"range: {band.shape[-2]}, {low} to {high}"
        )
    rows, cols = _matrix_size(band.shape[-1], low, high, int(num_rows), int(num_cols))
    return _spread(band, low, high, rows, cols, padding_value)


@_matrix_diag_band.shape_rule
def _(op):
    x, k, rows, cols, padding = op.inputs
    dims = shapes.of_rank_at_least(x.dims, 1)
    shapes.of_rank_at_most(k.dims, 1)
    for t in (rows, cols, padding):
        shapes.of_rank(t.dims, 0)
    offsets, r, c = (infer.constant_value(t) for t in (k, rows, cols))
    if dims is None or offsets is None:
        return [None]
    low, high = _offsets(offsets)
    if low != high:
        shapes.of_rank_at_least(dims, 2)
        if dims[-2] is not None and dims[-2] != high - low + 1:
            raise ValueError(
                "The number of rows of `diagonal` doesn't match the number of diagonals implied from `d_lower` and "
                f"`d_upper`: {dims[-2]}, {low} to {high}"
            )
    lead = dims[:-1] if low == high else dims[:-2]
    if dims[-1] is None or r is None or c is None:
        return [(*lead, None, None)]
    return [(*lead, *_matrix_size(dims[-1], low, high, int(r), int(c)))]


@op("MatrixDiagPart")
def _matrix_diag_part(input: T) -> T:
    """The main diagonals of matrices: [..., m, n] -> [..., min(m, n)]."""
    _of_rank("input", input, 2)
    return xp(input).diagonal(input, axis1=-2, axis2=-1)


@_matrix_diag_part.shape_rule
def _(op):
    dims = _at_least_matrix(op.inputs[0].dims)
    if dims is None:
        return [None]
    m, n = dims[-2:]
    return [(*dims[:-2], None if m is None or n is None else min(m, n))]


@op("MatrixDiagPartV2")
def _matrix_band_diag_part(input: T, k: Static(int32), padding_value: T) -> T:
    """The diagonals that `k` numbers, the uppermost first, padded at the end."""
    low, high = _offsets(k)
    _of_rank("input", input, 2)
    band = _read(input, low, high, padding_value)
    return band[..., 0, :] if low == high else band


@_matrix_band_diag_part.shape_rule
def _(op):
    x, k, padding = op.inputs
    dims = _at_least_matrix(x.dims)
    shapes.of_rank_at_most(k.dims, 1)
    shapes.of_rank(padding.dims, 0)
    offsets = infer.constant_value(k)
    if dims is None or offsets is None:
        return [None]
    low, high = _offsets(offsets)
    m, n = dims[-2:]
    count = () if low == high else (high - low + 1,)
    if m is None or n is None:
        return [(*dims[:-2], *count, None)]
    _check_range(low, high, m, n)
    return [(*dims[:-2], *count, min(m + min(high, 0), n - max(low, 0)))]


@op("MatrixSetDiag")
def _matrix_set_diag(input: T, diagonal: T) -> T:
    """`input` with other main diagonals."""
    _of_rank("input", input, 2)
    _of_rank("diagonal", diagonal, 1)
    rows, cols = input.shape[-2:]
    if diagonal.shape != (*input.shape[:-2], min(rows, cols)):
        raise ValueError(
            "first dimensions of diagonal don't match the input: "
            f"must have diagonal.shape == input.shape[:-2] + min(input.shape[-2:]), but received input shape: "
            f"{shapes.text(input.shape)} and diagonal shape: {shapes.text(diagonal.shape)}"
        )
    return _spread(diagonal[..., None, :], 0, 0, rows, cols, input)


@_matrix_set_diag.shape_rule
def _(op):
    x, d = (t.dims for t in op.inputs)
    shapes.of_rank_at_least(x, 2)
    shapes.of_rank_at_least(d, 1)
    least = None if x is None or None in x[-2:] else min(x[-2:])
    if d is not None and x is not None:
        shapes.merged((*x[:-2], least), d)
        x = (*shapes.merged(x[:-2], d[:-1]), *x[-2:])
    return [x if x is not None else None if d is None else (*d[:-1], None, None)]


@op("MatrixSetDiagV2")
def _matrix_set_band(input: T, diagonal: T, k: Static(int32)) -> T:
    """`input` with others of the diagonals that `k` numbers."""
    low, high = _offsets(k)
    _of_rank("input", input, 2)
    _of_rank("diagonal", diagonal, 1 if low == high else 2)
    rows, cols = input.shape[-2:]
    _check_range(low, high, rows, cols)
    band = diagonal[..., None, :] if low == high else diagonal
    return _spread(band, low, high, rows, cols, input)


@_matrix_set_band.shape_rule
def _(op):
    x, d, k = op.inputs
    _at_least_matrix(x.dims)
    shapes.of_rank_at_least(d.dims, 1)
    shapes.of_rank_at_most(k.dims, 1)
    return [x.dims]


@_matrix_diag.grad
def _(op, g):
    return _matrix_diag_part(g)


@_matrix_diag_band.grad
def _(op, g):
    return _matrix_band_diag_part(g, op.inputs[1], constants.zeros([], g.dtype.base_dtype)), None, None, None, None


@_matrix_diag_part.grad
def _(op, g):
    x = op.inputs[0]
    if x.dims is not None and None not in x.dims[-2:] and x.dims[-2] == x.dims[-1]:
        return _matrix_diag(g)
    return _matrix_set_diag(constants.zeros_like(x), g)


@_matrix_band_diag_part.grad
def _(op, g):
    return _matrix_set_band(constants.zeros_like(op.inputs[0]), g, op.inputs[1]), None, None


@_matrix_set_diag.grad
def _(op, g):
    x, d = op.inputs
    both = x.get_shape().merge_with(g.get_shape())
    if both.is_fully_defined():
        dims: Any = [*both.as_list()[:-2], min(both.as_list()[-2:])]
    else:
        full, n = shape(g), rank(g)
        least = math.reduce_min(slice_(full, [n - 2], [2]))
        dims = concat([slice_(full, [0], [n - 2]), [least]], 0)
    return _matrix_set_diag(g, constants.zeros(dims, g.dtype.base_dtype)), _matrix_diag_part(g)


@_matrix_set_band.grad
def _(op, g):
    d, k = op.inputs[1:]
    dims = d.dims if d.dims is not None and None not in d.dims else shape(d)
    kept = _matrix_set_band(g, constants.zeros(dims, g.dtype.base_dtype), k)
    return kept, _matrix_band_diag_part(g, k, constants.zeros([], g.dtype.base_dtype)), None


def matrix_diag(
    diagonal: Any, name: str | None = "diag", k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0
) -> Tensor:
    """Square matrices with `diagonal` on their main diagonals and zeros elsewhere: [..., n] -> [..., n, n].

    1.15 takes `k`, `num_rows`, `num_cols` and `padding_value` and does not look at them; here they work: `k` numbers
    the diagonals (one, or the lowest and the highest), the others tell the size and what is elsewhere.
    """
    if _plain(k) and _plain(num_rows, -1) and _plain(num_cols, -1) and _plain(padding_value):
        return _matrix_diag(diagonal, name=name)
    padding_value = _as_bool(padding_value, diagonal)
    return _matrix_diag_band(diagonal, k, num_rows, num_cols, padding_value, name=name)


def _as_bool(padding: Any, like: Any) -> Any:
    """A number that pads truth values is one."""
    return bool(padding) if getattr(like, "dtype", None) == "bool" and not isinstance(padding, Tensor) else padding


def _plain(value: Any, default: int = 0) -> bool:
    return not isinstance(value, Tensor | list | tuple | np.ndarray) and value == default


def matrix_diag_part(input: Any, name: str | None = "diag_part", k: Any = 0, padding_value: Any = 0) -> Tensor:
    """The main diagonals of matrices, [..., m, n] -> [..., min(m, n)], or those that `k` numbers, uppermost first."""
    if _plain(k):
        return _matrix_diag_part(input, name=name)
    return _matrix_band_diag_part(input, k, _as_bool(padding_value, input), name=name)


def matrix_set_diag(input: Any, diagonal: Any, name: str | None = "set_diag", k: Any = 0) -> Tensor:
    """Matrices with `diagonal` in the place of their main diagonals, or of those that `k` numbers."""
    if _plain(k):
        return _matrix_set_diag(input, diagonal, name=name)
    return _matrix_set_band(input, diagonal, k, name=name)


# -- bands


@op("MatrixBandPart")
def matrix_band_part(
    input: T,
    num_lower: Known(INDEX),
    num_upper: Known(INDEX),
) -> T:
    """Matrices with zeros but for a band: `num_lower` diagonals below the main one and `num_upper` above; -1 is all.

    >>> run(tf.matrix_band_part([[1, 2, 3], [4, 5, 6], [7, 8, 9]], 0, -1))
    array([[1, 2, 3],
           [0, 5, 6],
           [0, 0, 9]], dtype=int32)
    """
    if input.ndim < 2:
        raise ValueError(f"input must be at least 2-dim, received shape: {shapes.text(input.shape)}")
    rows, cols = input.shape[-2:]
    lib = xp(input, num_lower, num_upper)
    for what, size, n in (("num_lower", "rows", rows), ("num_upper", "columns", cols)):
        value = num_lower if what == "num_lower" else num_upper
        check(value <= n, f"{what} must be negative or less or equal to number of {size} ({n}) got: {value}")
    d = lib.arange(cols)[None, :] - lib.arange(rows)[:, None]
    inside = ((num_lower < 0) | (-d <= num_lower)) & ((num_upper < 0) | (d <= num_upper))
    return lib.where(inside, input, _zero(input))


@matrix_band_part.shape_rule
def _(op):
    return [op.inputs[0].dims]


@matrix_band_part.grad
def _(op, g):
    return matrix_band_part(g, op.inputs[1], op.inputs[2]), None, None
