"""Parts of tensors: Slice, StridedSlice with its gradient, and assignment to a part of a variable."""

import builtins
from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import Replan, check
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.lazy import lax
from thalweg._src.core.opdef import Arg, Handle, Known, Ref, Static, op, type_attr
from thalweg._src.ops.arrays.cuts import Cut, Masks, cuts, only_cut, put, sizes_of, spread, take
from thalweg._src.ops.arrays.shaping import rank, reshape, shape_internal
from thalweg._src.ops.control.partly import parts_of
from thalweg._src.ops.late import joining, padding, stacking

T = type_attr("T")
I = type_attr("Index", (int32, int64))


# -- slice: begin and size


@op("Slice")
def _slice(input: T, begin: Known(I), size: Static(I)) -> T:
    """The part of `input` that begins at `begin` and has `size` entries along each axis; -1 is all that are left."""
    starts = parts_of(begin)
    sizes = []
    if len(starts) != input.ndim or len(size) != input.ndim:
        raise ValueError(
            f"Expected begin and size arguments to be 1-D tensors of size {input.ndim}, but got shapes [{len(starts)}] "
            f"and [{len(size)}] instead."
        )
    for i, (n, b, s) in enumerate(zip(input.shape, starts, size.tolist(), strict=True)):
        if s == -1:
            if b is None:
                raise Replan(None, f"size[{i}] is -1, but begin[{i}] is not known while the graph is compiled")
            s = n - b
        if b is not None and not 0 <= b <= n:
            raise ValueError(f"Expected begin[{i}] in [0, {n}], but got {b}")
        if not 0 <= s <= n - (b or 0):
            raise ValueError(f"Expected size[{i}] in [0, {n - (b or 0)}], but got {s}")
        sizes.append(s)
    if None not in starts:
        return input[tuple(builtins.slice(b, b + s) for b, s in zip(starts, sizes, strict=True))]  # type: ignore[operator]
    room = np.array(input.shape) - sizes
    check((begin >= 0) & (begin <= room), lambda: f"begin {begin} is out of range for size {sizes} of {input.shape}")
    return lax.dynamic_slice(input, list(begin), sizes)


def _slice_part(attrs, x, begin, size):
    if not all(isinstance(v, np.ndarray) for v in (begin, size)):
        return None
    sizes = [n - b if s == -1 else s for n, b, s in zip(x.shape, begin.tolist(), size.tolist(), strict=True)]
    return only_cut(x.shape, [Cut(b, s, 1, False, None) for b, s in zip(begin.tolist(), sizes, strict=True)])


_slice.part = _slice_part


@_slice.shape_rule
def _(op):
    x, begin, size = op.inputs
    shapes.of_rank(begin.dims, 1)
    shapes.of_rank(size.dims, 1)
    starts, sizes = infer.partial_ints(begin), infer.partial_ints(size)
    lengths = {len(s) for s in (x.dims, starts, sizes) if s is not None}
    if len(lengths) > 1:
        if x.dims is not None and starts is not None and len(x.dims) != len(starts):
            raise ValueError(f"Shape must be rank {len(starts)} but is rank {len(x.dims)}")
        raise ValueError(f"Dimensions must be equal, but are {min(lengths)} and {max(lengths)}")
    if not lengths:
        return [None]
    if sizes is None:
        return [(None,) * lengths.pop()]
    exact = infer.constant_value(size) is not None
    out: list[int | None] = []
    for i, s in enumerate(sizes):
        b = None if starts is None else starts[i]
        n = None if x.dims is None else x.dims[i]
        if s is None or s >= 0:
            out.append(s)
        elif s < -1:
            raise ValueError(f"Expected size[{i}] >= -1, but got {s}")
        elif exact and n is not None and b is not None:
            if b > n:
                raise ValueError(f"Negative dimension size caused by subtracting {b} from {n}")
            out.append(n - b)
        else:
            out.append(None)
    return [tuple(out)]


@_slice.partial_rule
def _(op):
    values, begin, size = (infer.partial_ints(t) for t in op.inputs)
    if values is None or begin is None or size is None or None in begin + size or len(begin) != 1:
        return None
    return values[begin[0] : None if size[0] < 0 else begin[0] + size[0]]


_SLICE_ARGS = {at_trace: [Arg("input", T), Arg("begin", kind(I)), Arg("size", Static(I))]
               for at_trace, kind in ((False, Known), (True, Static))}  # fmt: skip


def _slice_args(op):
    """`begin` must be known for what is left behind it to be."""
    size = infer.constant_value(op.inputs[2])
    left = size is not None and bool((size == -1).any())
    starts = infer.partial_ints(op.inputs[1]) if left else ()
    needed = left and (starts is None or any(s == -1 and b is None for s, b in zip(size.tolist(), starts, strict=True)))
    return _SLICE_ARGS[bool(needed)]


_slice.args_of = _slice_args


@_slice.grad
def _(op, g):
    x, begin, _ = op.inputs
    if not infer.follows_from_shapes(begin):
        # Paddings that only the run knows would leave the shape of the result unknown to the compiler.
        from thalweg._src.ops.derivatives.symbolic import symbolic_gradients

        return symbolic_gradients(op, g)
    column = stacking.stack([rank(x), 1])
    before = reshape(begin, column)
    after = reshape(shape_internal(x) - shape_internal(op.outputs[0]) - begin, column)
    return padding.pad(g, joining.concat([before, after], 1)), None, None


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The part of `input_` from `begin` on, of `size` entries along each axis; -1 is all that are left.

    Raises InvalidArgumentError in the run where that is not inside.

    >>> run(tf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, 2]))
    array([[2, 3],
           [5, 6]], dtype=int32)
    """
    return _slice(input_, begin, size, name=name)


# -- strided slice: one index per axis, as in x[1:5:2, ..., None, 3]


def _cuts_of(x_dims: Any, begin: Any, end: Any, strides: Any, masks: dict[str, int]) -> Any:
    return cuts(x_dims, parts_of(begin), parts_of(end), parts_of(strides), Masks(**masks))


@op("StridedSlice", default_name="StridedSlice")
def _strided_slice(
    input: T,
    begin: Known(I),
    end: Known(I),
    strides: Known(I),
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> T:
    """`input[begin[0]:end[0]:strides[0], ...]`; the masks tell what is not a range."""
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    per_axis, result = _cuts_of(input.shape, begin, end, strides, masks._asdict())
    return take(input, per_axis, begin).reshape(sizes_of(per_axis, result))


def _strided_part(attrs, x, begin, end, strides):
    per_axis, result = _cuts_of(x.shape, begin, end, strides, {k: attrs[k] for k in Masks._fields})
    return None if None in result else only_cut(x.shape, per_axis)


_strided_slice.part = _strided_part


def _masks_of(op):
    return Masks(**{k: op.attrs[k] for k in Masks._fields})


def _static_cuts(op, dims, begin, end, strides):
    """The cuts of a node as far as they are known, or None where not even their number is."""
    parts = [infer.partial_ints(t) for t in (begin, end, strides)]
    for t in (begin, end, strides):
        shapes.of_rank(t.dims, 1)
    lengths = {len(p) for p in parts if p is not None}
    if len(lengths) > 1:
        raise ValueError(f"Dimensions must be equal, but are {min(lengths)} and {max(lengths)}")
    if not lengths or dims is None:
        return None
    n = lengths.pop()
    return cuts(dims, *[(None,) * n if p is None else p for p in parts], _masks_of(op))


@_strided_slice.shape_rule
def _(op):
    x, *index = op.inputs
    found = _static_cuts(op, x.dims, *index)
    return [None if found is None else sizes_of(*found)]


@_strided_slice.partial_rule
def _(op):
    x, *index = op.inputs
    values = infer.partial_ints(x)
    found = _static_cuts(op, x.dims, *index) if values is not None and x.dims is not None and len(x.dims) == 1 else None
    if found is None or len(found[1]) > 1:
        return None
    (cut,) = found[0]
    if cut.start is None or cut.count is None:
        return None
    return tuple(values[cut.start + i * cut.stride] for i in range(cut.count))


def _index_args(before: list[Arg], after: list[Arg]) -> Any:
    soft = [Arg(n, Known(I)) for n in ("begin", "end", "strides")]
    hard = [Arg(n, Static(I)) for n in ("begin", "end", "strides")]
    by_need = {False: [*before, *soft, *after], True: [*before, *hard, *after]}
    return lambda op: by_need[_needs_values(op, *op.inputs[1:4])]


def _needs_values(op, begin, end, strides) -> bool:
    """Whether sizes hang on the values of the indices: of ranges that are not open, and not known."""
    masks = _masks_of(op)
    b, e, s = (infer.partial_ints(t) for t in (begin, end, strides))
    if b is None or e is None or s is None:
        return True
    for i in range(len(b)):
        if (masks.shrink_axis_mask | masks.ellipsis_mask | masks.new_axis_mask) >> i & 1:
            continue
        if s[i] is None or (b[i] is None and not masks.begin_mask >> i & 1):
            return True
        if e[i] is None and not masks.end_mask >> i & 1:
            return True
    return False


_strided_slice.args_of = _index_args([Arg("input", T)], [])


@_strided_slice.grad
def _(op, g):
    x, begin, end, strides = op.inputs
    dims = shape_internal(x, out_type=begin.dtype.base_dtype)
    return strided_slice_grad(dims, begin, end, strides, g, **_masks_of(op)._asdict()), None, None, None


@op("StridedSliceGrad")
def strided_slice_grad(
    shape: Static(I),
    begin: Known(I),
    end: Known(I),
    strides: Known(I),
    dy: T,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> T:
    """Zeros of shape `shape`, with `dy` in the place of what the slice takes."""
    dims = [int(d) for d in shape]
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    per_axis, result = _cuts_of(dims, begin, end, strides, masks._asdict())
    if dy.shape != sizes_of(per_axis, result):
        raise ValueError(f"shape of dy was {shapes.text(dy.shape)} instead of {list(sizes_of(per_axis, result))}")
    return spread(dims, per_axis, begin, dy.reshape([c.count for c in per_axis]))


@strided_slice_grad.shape_rule
def _(op):
    return [infer.partial_value(op.inputs[0])]


strided_slice_grad.args_of = _index_args([Arg("shape", Static(I))], [Arg("dy", T)])


@strided_slice_grad.grad
def _(op, g):
    _, begin, end, strides, _ = op.inputs
    return None, None, None, None, _strided_slice(g, begin, end, strides, **_masks_of(op)._asdict())


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """What `input_[begin[0]:end[0]:strides[0], begin[1]:..., ...]` is written in full; the masks have a bit per index.

    A set bit i makes `begin[i]` or `end[i]` open, or makes the index '...', a new axis, or the number `begin[i]`. With
    `var`, the result has a method `assign(value)` that writes to that part of the variable.

    >>> run(tf.strided_slice([1, 2, 3, 4], [0], [4], [2]))
    array([1, 3], dtype=int32)
    """
    if strides is None:
        from thalweg._src.ops.arrays.constants import ones_like

        strides = ones_like(begin)
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)._asdict()
    result = _strided_slice(input_, begin, end, strides, name=name, **masks)

    parent = name or result.op.name

    def assign(value: Any, name: str | None = None) -> Any:
        """Write `value` to this part of the variable."""
        if var is None:
            raise ValueError("Sliced assignment is only supported for variables")
        return var._strided_slice_assign(
            begin=begin, end=end, strides=strides, value=value, name=name or parent + "_assign", **masks
        )

    result.assign = assign
    return result


# -- assignment


def _assigned(x: Any, begin: Any, end: Any, strides: Any, value: Any, masks: dict[str, int]) -> Any:
    per_axis, result = _cuts_of(x.shape, begin, end, strides, masks)
    if value.shape != sizes_of(per_axis, result):
        raise NotImplementedError(
            f"sliced l-value shape {list(sizes_of(per_axis, result))} does not match r-value shape "
            f"{shapes.text(value.shape)}. Automatic broadcasting not yet implemented."
        )
    return put(x, per_axis, begin, value.reshape([c.count for c in per_axis]))


@op("StridedSliceAssign", effect="write", stateful=False)
def strided_slice_assign(
    ref: Ref(T),
    begin: Known(I),
    end: Known(I),
    strides: Known(I),
    value: T,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Ref(T):
    """Put `value` in the place of the slice of the variable."""
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return _assigned(ref, begin, end, strides, value, masks._asdict())


@strided_slice_assign.shape_rule
def _(op):
    return [op.inputs[0].dims]


strided_slice_assign.args_of = _index_args([strided_slice_assign.inputs[0]], [Arg("value", T)])
strided_slice_assign.not_differentiable()


@op("ResourceStridedSliceAssign", effect="write")
def resource_strided_slice_assign(
    ref: Handle(T),
    begin: Known(I),
    end: Known(I),
    strides: Known(I),
    value: T,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
):
    """Put `value` in the place of the slice of the resource variable."""
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return _assigned(ref, begin, end, strides, value, masks._asdict())


resource_strided_slice_assign.shape_rule(lambda op: [])
resource_strided_slice_assign.args_of = _index_args([resource_strided_slice_assign.inputs[0]], [Arg("value", T)])
resource_strided_slice_assign.not_differentiable()


@op("TensorStridedSliceUpdate")
def tensor_strided_slice_update(
    input: T,
    begin: Known(I),
    end: Known(I),
    strides: Known(I),
    value: T,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> T:
    """`input` with `value` in the place of the slice."""
    masks = Masks(begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return _assigned(input, begin, end, strides, value, masks._asdict())


tensor_strided_slice_update.shape_rule(lambda op: [op.inputs[0].dims])
tensor_strided_slice_update.args_of = _index_args([Arg("input", T)], [Arg("value", T)])
