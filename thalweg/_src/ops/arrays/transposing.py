"""Ops that reorder axes and elements: transpose, reverse, reverse_sequence, roll, invert_permutation."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check, is_traced, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import COMPLEX, FLOATS, bfloat16, int8, int16, int32, int64, string, uint8, uint16
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import formerly, renamed
from thalweg._src.ops.late import math

T = type_attr("T")
INTS = (int32, int64)
PERM = type_attr("Tperm", INTS, int32)
INT = type_attr("T", INTS, int32)


# -- transpose


def _permutation(perm: Any, rank: int) -> tuple[int, ...]:
    axes = tuple(int(p) for p in np.asarray(perm).ravel())
    if len(axes) != rank:
        raise ValueError(f"transpose expects a vector of size {rank}. But input(1) is a vector of size {len(axes)}")
    for a in axes:
        if not 0 <= a < rank:
            raise ValueError(f"{a} is out of range [0 .. {rank})")
    if len(set(axes)) != rank:
        missing = next(a for a in range(rank) if a not in axes)
        raise ValueError(f"{missing} is missing from {{{','.join(map(str, axes))}}}.")
    return axes


@op("Transpose", numpy_only=True)
def _transpose(x: T, perm: Static(PERM)) -> T:
    """`x` with axis `perm[i]` in the place of axis i."""
    return x.transpose(_permutation(perm, x.ndim))


@op("ConjugateTranspose", numpy_only=True)
def _conjugate_transpose(x: T, perm: Static(PERM)) -> T:
    """The complex conjugate of `x`, transposed."""
    return xp(x).conj(x.transpose(_permutation(perm, x.ndim))) if x.dtype.kind == "c" else _transpose.fn(x, perm)


def _transposed(op):
    x, perm = op.inputs
    value = infer.constant_value(perm)
    n = shapes.of_rank(perm.dims, 1)[0]
    rank = len(x.dims) if x.dims is not None else n if n is not None else None if value is None else value.size
    if rank is None:
        return [None]
    if x.dims is None and rank < 2:  # TensorFlow says nothing of what may be a scalar
        return [None]
    dims = shapes.of_rank(x.dims, rank)
    if n is not None and n != rank:
        raise ValueError(f"Dimension must be {rank} but is {n}")
    if value is None:
        return [dims if rank < 2 else (None,) * rank]
    for p in value.tolist():
        if p >= rank or p < -rank:
            raise ValueError(f"perm dim {p} is out of range of input rank {rank}")
    return [tuple(dims[p] for p in value.tolist())]


for _t in (_transpose, _conjugate_transpose):
    _t.shape_rule(_transposed)


@_transpose.grad
def _(op, g):
    return _transpose(g, invert_permutation(op.inputs[1])), None


@_conjugate_transpose.grad
def _(op, g):
    return _conjugate_transpose(g, invert_permutation(op.inputs[1])), None


def transpose(a: Any, perm: Any = None, name: str | None = "transpose", conjugate: bool = False) -> Tensor:
    """`a` with its axes in the order `perm` (by default reversed), conjugated where `conjugate` says so.

    >>> run(tf.transpose([[1, 2, 3], [4, 5, 6]]))
    array([[1, 4],
           [2, 5],
           [3, 6]], dtype=int32)
    """
    with name_scope(name, "transpose", [a]) as name:
        a = to_tensor(a, None, "a")
        turn = _conjugate_transpose if conjugate and a.dtype.is_complex else _transpose
        if perm is not None:
            return turn(a, perm, name=name)
        if not a.dims:
            from thalweg._src.ops.arrays.shaping import rank_of_tensor

            n = rank_of_tensor(a)
            perm = (n - 1) - math.range(0, n, 1)
        else:
            perm = np.arange(len(a.dims))[::-1]
        result = turn(a, perm, name=name)
        if a.dims is not None:
            result.set_shape(a.dims[::-1])
        return result


def matrix_transpose(a: Any, name: str | None = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """`a` with its last two axes exchanged. Raises ValueError for tensors of rank less than 2."""
    with name_scope(name, "matrix_transpose", [a]) as name:
        a = to_tensor(a, None, "a")
        if a.dims is not None:
            n = len(a.dims)
            if n < 2:
                raise ValueError(f"Argument 'a' should be a (batch) matrix, with rank >= 2.  Found: {a.get_shape()}")
            perm: Any = [*range(n - 2), n - 1, n - 2]
        else:
            from thalweg._src.ops.arrays.joining import concat
            from thalweg._src.ops.arrays.shaping import rank

            n = rank(a)
            perm = concat((math.range(n - 2), [n - 1, n - 2]), 0)
        return transpose(a, perm, conjugate=conjugate)


@op("InvertPermutation")
def invert_permutation(x: INT) -> INT:
    """y with y[x[i]] = i, for a vector `x` that holds 0, 1, ... each once. Raises InvalidArgumentError for others.

    >>> run(tf.invert_permutation([2, 0, 1]))
    array([1, 2, 0], dtype=int32)
    """
    n = x.shape[0]
    if not is_traced(x):
        y = np.full(n, -1, x.dtype)
        for i, at in enumerate(x.tolist()):
            check(0 <= at < n, f"{at} is not between 0 and {n}")
            check(y[at] == -1, f"{at} is duplicated in the input.")
            y[at] = i
        return y
    check(jnp.all((x >= 0) & (x < n)), f"an entry is not between 0 and {n}")
    y = jnp.full(n, -1, x.dtype).at[x].set(jnp.arange(n, dtype=x.dtype))
    check(jnp.all(y >= 0), "an entry is duplicated in the input")
    return y


@invert_permutation.shape_rule
def _(op):
    return [shapes.of_rank(op.inputs[0].dims, 1)]


invert_permutation.not_differentiable()


# -- reverse


R = type_attr("T", (uint8, int8, uint16, int16, int32, int64, bool_, *FLOATS, *COMPLEX, string))
R1 = type_attr("T", tuple(t for t in R.allowed if t != bfloat16))


@op("ReverseV2", numpy_only=True)
def _reverse_axes(tensor: R, axis: Static(type_attr("Tidx", INTS, int32))) -> R:
    """`tensor` backwards along the axes in `axis`."""
    return xp(tensor).flip(tensor, _distinct(np.asarray(axis).ravel().tolist(), tensor.ndim))


def _distinct(axes: list[int], rank: int) -> tuple[int, ...]:
    seen: set[int] = set()
    for a in axes:
        at = a + rank if a < 0 else a
        if not 0 <= at < rank:
            raise ValueError(f"'axis'[{axes.index(a)}] = {a} is out of valid range [0, {rank - 1}]")
        if at in seen:
            raise ValueError(f"axis {at} specified more than once.")
        seen.add(at)
    return tuple(sorted(seen))


@_reverse_axes.shape_rule
def _(op):
    x, axis = op.inputs
    shapes.of_rank(axis.dims, 1)
    value = infer.constant_value(axis)
    if value is not None and x.dims is not None:
        _distinct(value.tolist(), len(x.dims))
    return [x.dims]


@_reverse_axes.grad
def _(op, g):
    return _reverse_axes(g, op.inputs[1]), None


@op("Reverse", numpy_only=True)
def _reverse_flags(tensor: R1, dims: Static(bool_)) -> R1:
    """`tensor` backwards along the axes whose entry of `dims` is set."""
    if len(dims) != tensor.ndim:
        raise ValueError(f"'dims' must have an entry for each of the {tensor.ndim} axes, not {len(dims)}")
    return xp(tensor).flip(tensor, tuple(np.flatnonzero(dims).tolist()))


@_reverse_flags.shape_rule
def _(op):
    x, flags = op.inputs
    n = shapes.of_rank(flags.dims, 1)[0]
    return [x.dims if n is None else shapes.of_rank(x.dims, n)]


@_reverse_flags.grad
def _(op, g):
    return _reverse_flags(g, op.inputs[1]), None


@formerly("tensor dims=axis name", when=lambda args, kwargs: "dims" in kwargs)  # until 0.12
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """`tensor` backwards along the axes in `axis`. Before 1.0, `axis` was one bool per axis; that works too.

    >>> run(tf.reverse([[1, 2], [3, 4]], [1]))
    array([[2, 1],
           [4, 3]], dtype=int32)
    """
    flags = axis.dtype == bool_ if isinstance(axis, Tensor) else np.asarray(axis).dtype == np.bool_
    if flags:
        return _reverse_flags(tensor, axis, name=name)
    return _reverse_axes(tensor, axis, name=name)


def reverse_v2(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """`tensor` backwards along the axes in `axis`."""
    return _reverse_axes(tensor, axis, name=name)


@op("ReverseSequence")
def _reverse_sequence(input: T, seq_lengths: type_attr("Tlen", INTS, int64), *, seq_dim: int, batch_dim: int = 0) -> T:
    """`input` with the first `seq_lengths[i]` entries along `seq_dim` backwards, for slice i along `batch_dim`."""
    if seq_dim == batch_dim:
        raise ValueError(f"batch_dim == seq_dim == {seq_dim}")
    n = input.shape[seq_dim]
    lib = xp(input, seq_lengths)
    check(lib.all(seq_lengths >= 0), "seq_lengths must not be negative")
    check(lib.all(seq_lengths <= n), f"seq_lengths must not exceed the {n} entries along seq_dim {seq_dim}")
    lengths = seq_lengths.astype(np.int32).reshape([-1 if i == batch_dim else 1 for i in range(input.ndim)])
    at = np.arange(n, dtype=np.int32).reshape([-1 if i == seq_dim else 1 for i in range(input.ndim)])
    index = lib.where(at < lengths, lengths - 1 - at, at)
    return lib.take_along_axis(input, index, axis=seq_dim)


@_reverse_sequence.shape_rule
def _(op):
    x, lengths = op.inputs
    n = shapes.of_rank(lengths.dims, 1)[0]
    if x.dims is None:
        return [None]
    seq, batch = op.attrs["seq_dim"], op.attrs["batch_dim"]
    for what, at in (("batch_dim", batch), ("seq_dim", seq)):
        if at >= len(x.dims):
            raise ValueError(f"{what} must be < input rank: {at} vs. {len(x.dims)}")
    size = shapes.one_size(x.dims[batch], n)
    return [tuple(size if i == batch else d for i, d in enumerate(x.dims))]


@_reverse_sequence.grad
def _(op, g):
    attrs = {k: op.attrs[k] for k in ("seq_dim", "batch_dim")}
    return _reverse_sequence(g, op.inputs[1], **attrs), None


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: Any = None,
    batch_axis: Any = None,
    name: str | None = None,
    seq_dim: Any = None,
    batch_dim: Any = None,
) -> Tensor:
    """`input` with the first `seq_lengths[i]` entries along `seq_axis` backwards, for slice i along `batch_axis` (0).

    >>> run(tf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1))
    array([[2, 1, 3],
           [6, 5, 4]], dtype=int32)
    """
    seq = renamed("seq_axis", seq_axis, "seq_dim", seq_dim)
    batch = renamed("batch_axis", batch_axis, "batch_dim", batch_dim)
    return _reverse_sequence(input, seq_lengths, seq_dim=seq, batch_dim=0 if batch is None else batch, name=name)


# -- roll


@op("Roll")
def roll(input: T, shift: type_attr("Tshift", INTS), axis: Static(type_attr("Taxis", INTS))) -> T:
    """`input` with entries moved by `shift` along `axis`; what leaves at one end comes in at the other.

    >>> run(tf.roll([0, 1, 2, 3, 4], shift=2, axis=0))
    array([3, 4, 0, 1, 2], dtype=int32)
    """
    axes = np.atleast_1d(axis)
    if input.ndim < 1:
        raise ValueError("input must be 1-D or higher")
    for what, value in (("shift", shift), ("axis", axis)):
        if np.ndim(value) > 1:
            raise ValueError(f"{what} must be a scalar or a 1-D vector. Found: {shapes.text(np.shape(value))}")
    if np.size(axis) != np.size(shift):
        raise ValueError("shift and axis must have the same size")
    lib = xp(input, shift)
    for i, a in enumerate(axes.tolist()):
        if not -input.ndim <= a < input.ndim:
            raise ValueError(f"axis {a} is out of range")
        amount = shift if np.ndim(shift) == 0 else shift[i]
        input = lib.roll(input, amount, a)
    return input


@roll.shape_rule
def _(op):
    x, shift, axis = op.inputs
    shapes.of_rank_at_least(x.dims, 1)
    shapes.of_rank_at_most(shift.dims, 1)
    shapes.of_rank_at_most(axis.dims, 1)
    shapes.merged(shift.dims, axis.dims)
    return [x.dims]


@roll.grad
def _(op, g):
    _, shift, axis = op.inputs
    return roll(g, -shift, axis), None, None
