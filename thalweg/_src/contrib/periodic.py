"""Arrays whose axes grow at the expense of one: the step behind sub-pixel convolutions (Shi et al., 2016)."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.errors import InvalidArgumentError
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math


def periodic_resample(values: Any, shape: Any, name: str | None = None) -> Any:
    """`values` as an array of `shape`, in which one axis is None and shrinks as far as the others grow.

    Element s of the result is element h of `values`: h_i = s_i // g_i, where g_i says how many times axis i grows (rounded up),
    and on the axis that shrinks the remainders s_i % g_i follow each other. InvalidArgumentError when not exactly one axis is
    None, or another one gets shorter.

    >>> run(tf.contrib.periodic_resample.periodic_resample([[0, 1, 2, 3]], [2, None]))
    array([[0, 1],
           [2, 3]], dtype=int32)
    """
    with name_scope(name, "PeriodicResample", [values]):
        values = to_tensor(values, name="values")
        places, _ = _places(array.shape(values), values.get_shape(), shape)
        found = array.gather(array.reshape(values, [-1]), places)
        found.set_shape(_static(values.get_shape(), shape))
        return found


def periodic_resample_op_grad(grad: Any, original_shape: Any, desired_shape: Any, name: str | None = None) -> Any:
    """The gradient of `periodic_resample(values, desired_shape)` by `values`, which have `original_shape`.

    An element that was read several times gets the sum, one that was not read zero.
    """
    with name_scope(name, "PeriodicResampleOpGrad", [grad]):
        grad = to_tensor(grad, name="grad")
        static = array.zeros(original_shape).get_shape()
        places, sizes = _places(to_tensor(static.as_list()), static, desired_shape)
        size = math.reduce_prod(array.stack(sizes))
        flat = math.unsorted_segment_sum(array.reshape(grad, [-1]), array.reshape(places, [-1]), size)
        return array.reshape(flat, static)


def _targets(static: Any, desired: Any) -> tuple[list[Any], int]:
    """The sizes that are wanted, and which axis shrinks. Raises InvalidArgumentError for what can't be."""
    wanted = [None if n is None or int(n) < 1 else int(n) for n in desired]
    if static.ndims is None or static.ndims != len(wanted):
        raise InvalidArgumentError(
            None,
            None,
            f"periodic_resample expects the rank of the input tensor, {static.ndims}, to be the same as the length of the "
            f"desired shape, {len(wanted)}.",
        )
    if wanted.count(None) != 1:
        how = "only" if wanted.count(None) else "at least"
        raise InvalidArgumentError(
            None, None, f"periodic_resample expects {how} one index to be marked as adjustable; the shape is {wanted}."
        )
    for i, (had, want) in enumerate(zip(static.as_list(), wanted, strict=True)):
        if want is not None and had is not None and want < had:
            raise InvalidArgumentError(
                None,
                None,
                "periodic_resample expects the size of non-adjustable dimensions be at least as large as size of input tensor. "
                f"Dimension {i} input tensor has size {had}, desired shape has size {want}.",
            )
    return wanted, wanted.index(None)


def _static(static: Any, desired: Any) -> list[Any]:
    """The shape of the result as far as it is known."""
    wanted, shrinking = _targets(static, desired)
    if static.is_fully_defined():
        others = 1
        for n in wanted:
            others *= n or 1
        wanted[shrinking] = static.num_elements() // others
    return wanted


def _places(shape: Any, static: Any, desired: Any) -> tuple[Any, list[Any]]:
    """Where each element of the result stands in the flat values, and the sizes of these."""
    wanted, shrinking = _targets(static, desired)
    sizes = array.unstack(shape, static.ndims)
    others = 1
    for n in wanted:
        others *= n or 1
    target = [math.reduce_prod(shape) // others if n is None else n for n in wanted]
    growth = [(t + s - 1) // s for t, s in zip(target, sizes, strict=True)]
    rank = len(wanted)
    at = [array.reshape(math.range(t), [-1 if i == r else 1 for i in range(rank)]) for r, t in enumerate(target)]
    turns: Any = 0
    step: Any = 1
    for r in range(rank):
        if r != shrinking:
            turns = turns + step * (at[r] % growth[r])
        step = step * growth[r]
    inside = [turns * target[r] + at[r] if r == shrinking else math.floordiv(at[r], growth[r]) for r in range(rank)]
    flat = inside[0]
    for r in range(1, rank):
        flat = flat * sizes[r] + inside[r]
    return flat, sizes
