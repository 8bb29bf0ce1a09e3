"""Accumulators: gradients of one time step are added up until there are enough of them, and their mean or sum is taken."""

import logging
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import NUMBERS, DType, int32, int64, resource, string
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Enum, Outputs, Ref, Shape, op, type_attr
from thalweg._src.core.waiting import NOT_YET, Attempt, Shared
from thalweg._src.ops.stateful.handles import held

dtype_attr = type_attr("dtype", NUMBERS)


class Accumulator(Shared):
    """What both kinds share. A gradient of an earlier step than `step` is dropped."""

    in_order = True

    def __init__(self, name: str, dtype: DType, dims: Any, reduction: str):
        super().__init__()
        self.name, self.dtype, self.dims, self.reduction = name, dtype, dims, reduction
        self.count = self.step = 0

    def apply(self, local_step: int, gradient: Any) -> None:
        def add() -> None:
            if local_step >= self.step:
                self._add(gradient)
                self.count += 1

        self.change(add)

    def take(self, required: int) -> Attempt:
        """The mean or sum, when `required` gradients are there; those that come then belong to the next step."""
        if required <= 0:
            raise invalid(f"Argument num_required must be positive, but was {required}")

        def go() -> Any:
            if self.count < required:
                return NOT_YET
            self.step += 1
            result = self._result(self.reduction == "MEAN")
            self.count = 0
            return result

        return self.attempt(go, "TakeGrad operation was cancelled")

    def set_step(self, step: int) -> None:
        def change() -> None:
            if step < self.step:
                logging.getLogger("tensorflow").warning(
                    "The step of accumulator %s is set back from %d to %d.", self.name, self.step, step
                )
            self.step = step

        self.change(change)

    def _add(self, gradient: Any) -> None:
        raise NotImplementedError

    def _result(self, mean: bool) -> Any:
        raise NotImplementedError


def _divided(total: np.ndarray, count: Any) -> np.ndarray:
    counts = np.asarray(count, total.dtype)
    if total.dtype.kind in "iu":  # towards zero, as C++ divides
        return (np.abs(total) // counts * np.sign(total)).astype(total.dtype)
    return (total / counts).astype(total.dtype)


class DenseAccumulator(Accumulator):
    """Gradients that are tensors."""

    kind = "dense"

    def _add(self, gradient: np.ndarray) -> None:
        if self.count and self.total.shape != gradient.shape:
            raise invalid(
                f"Shape mismatch: expected {shapes.text(self.total.shape)}, got {shapes.text(gradient.shape)}"
            )
        if not shapes.compatible(self.dims, gradient.shape):
            raise invalid(f"Shape mismatch: expected {shapes.text(self.dims)}, got {shapes.text(gradient.shape)}")
        self.total = self.total + gradient if self.count else np.array(gradient)

    def _result(self, mean: bool) -> np.ndarray:
        return _divided(self.total, self.count) if mean else self.total


class SparseAccumulator(Accumulator):
    """Gradients that are rows: (indices, values, shape or None). The mean of a row is over those gradients that have it."""

    kind = "sparse"

    def _add(self, gradient: Any) -> None:
        self._check(*gradient)
        indices, values, _ = gradient
        if not self.count:
            self.rows = {}
            self.shape = values.shape[1:]
            self.indices = np.array(indices)
            self.values, self.counts = np.array(values), np.ones(len(indices), np.int64)
            return
        self.indices, self.values, self.counts = self._merged(indices, values)

    def _merged(self, indices: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both lists of rows as one, as two sorted lists are merged."""
        order: list[tuple[int, int]] = []  # rows of ours and of theirs, -1 for none
        i = j = 0
        mine, theirs = self.indices.tolist(), indices.tolist()
        while i < len(mine) or j < len(theirs):
            if j >= len(theirs) or (i < len(mine) and mine[i] < theirs[j]):
                order.append((i, -1))
                i += 1
            elif i >= len(mine) or mine[i] > theirs[j]:
                order.append((-1, j))
                j += 1
            else:
                order.append((i, j))
                i, j = i + 1, j + 1
        merged = np.zeros((len(order), *values.shape[1:]), values.dtype)
        counts = np.zeros(len(order), np.int64)
        places = np.zeros(len(order), np.int64)
        for at, (a, b) in enumerate(order):
            if a >= 0:
                merged[at], counts[at], places[at] = self.values[a], self.counts[a], mine[a]
            if b >= 0:
                merged[at] = merged[at] + values[b] if a >= 0 else values[b]
                counts[at] += 1
                places[at] = theirs[b]
        return places, merged, counts

    def _result(self, mean: bool) -> Any:
        values = self.values
        if mean:
            values = _divided(values, self.counts.reshape(-1, *[1] * (values.ndim - 1)))
        first = self.dims[0] if self.dims and self.dims[0] is not None else -1
        return self.indices, values, np.array([first, *values.shape[1:]], np.int64)

    def _check(self, indices: np.ndarray, values: np.ndarray, shape: Any) -> None:
        dims = self.dims or ()
        if indices.ndim != 1:
            raise invalid(f"Input indices should be vector but received shape: {shapes.text(indices.shape)}")
        if not values.ndim:
            raise invalid("Values cannot be 0-dimensional.")
        if len(values) != len(indices):
            raise invalid(f"Expected {len(indices)} non-empty input values, got {len(values)}")
        if shape is not None:
            if len(dims) > len(shape):
                raise invalid(f"Shape mismatch: expected shape rank at least {len(dims)}, got {len(shape)}")
            for i, (want, came) in enumerate(zip(dims, shape, strict=False)):
                if want is not None and want != came:
                    raise invalid(f"Shape mismatch: expected shape dim {i} to be {want}, got {came}")
        if dims and dims[0] is not None:
            for i, index in enumerate(indices.tolist()):
                if index >= dims[0]:
                    raise invalid(
                        f"Shape mismatch: index of slice {i} exceeded limits of shape; index is {index} exceeded {dims[0]}"
                    )
        if self.count:
            if self.values.ndim != values.ndim:
                raise invalid(f"Shape mismatch: expected values rank {self.values.ndim}, got {values.ndim}")
            want = self.values.shape
        else:
            if len(dims) > values.ndim:
                raise invalid(f"Shape mismatch: expected values rank at least {len(dims)}, got {values.ndim}")
            want = dims
        for i in range(1, len(want)):
            if want[i] is not None and want[i] != values.shape[i]:
                raise invalid(f"Shape mismatch: expected values dim {i} to be {want[i]}, got {values.shape[i]}")


def _own(ctx: Any, container: str, shared_name: str, kind: Any, *facts: Any) -> Accumulator:
    found = ctx.own("accumulator", container, shared_name, lambda name: kind(name, *facts))
    if found.kind != kind.kind or (found.dtype, found.dims, found.reduction) != facts:
        raise invalid(f"Shared accumulator '{shared_name}' has another type, shape or reduction than {ctx.op.name}.")
    return found


def _declare_dense(prefix: str, out: Any, dims: list[Any], stateful: bool) -> dict[str, Any]:
    quick = {"host": True, "effect": "host", "stateful": stateful}

    @op(prefix + "ConditionalAccumulator", host=True, stateful=True, foldable=False)
    def accumulator(
        *,
        dtype: dtype_attr,
        shape: Shape,
        container: str = "",
        shared_name: str = "",
        reduction_type: Enum("MEAN", "SUM") = "MEAN",
        ctx,
    ) -> Outputs(handle=out):
        """An accumulator of tensors."""
        return _own(ctx, container, shared_name, DenseAccumulator, dtype, shape, reduction_type)

    @op(prefix + "AccumulatorApplyGradient", **quick)
    def apply_gradient(handle: out, local_step: int64, gradient: dtype_attr):
        """Add a gradient, unless it is of an earlier step."""
        held(handle).apply(int(local_step), gradient)

    @op(prefix + "AccumulatorTakeGradient", **quick, waits=True)
    def take_gradient(handle: out, num_required: int32, *, dtype: dtype_attr) -> Outputs(average=dtype_attr):
        """The mean of the gradients, when there are enough."""
        return (yield held(handle).take(int(num_required)))

    @op(prefix + "AccumulatorNumAccumulated", **quick)
    def num_accumulated(handle: out) -> Outputs(num_accumulated=int32):
        """How many gradients have been added."""
        return np.int32(held(handle).count)

    @op(prefix + "AccumulatorSetGlobalStep", **quick)
    def set_global_step(handle: out, new_global_step: int64):
        """Set the step before which gradients are too old."""
        held(handle).set_step(int(new_global_step))

    accumulator.shape_rule(lambda node: list(dims))
    apply_gradient.shape_rule(lambda node: [])
    set_global_step.shape_rule(lambda node: [])
    take_gradient.shape_rule(lambda node: [None])
    num_accumulated.shape_rule(lambda node: [()])
    made = {
        "new": accumulator,
        "apply": apply_gradient,
        "take": take_gradient,
        "count": num_accumulated,
        "set_step": set_global_step,
    }
    for opdef in made.values():
        opdef.not_differentiable()
    return made


OF_RESOURCES = _declare_dense("Resource", resource, [()], True)
OF_REFERENCES = _declare_dense("", Ref(string), [(2,)], False)


@op("SparseConditionalAccumulator", host=True, stateful=True, foldable=False)
def sparse_accumulator(
    *,
    dtype: dtype_attr,
    shape: Shape,
    container: str = "",
    shared_name: str = "",
    reduction_type: Enum("MEAN", "SUM") = "MEAN",
    ctx,
) -> Outputs(handle=Ref(string)):
    """An accumulator of rows."""
    return _own(ctx, container, shared_name, SparseAccumulator, dtype, shape, reduction_type)


@op("SparseAccumulatorApplyGradient", host=True, effect="host", stateful=False)
def sparse_apply_gradient(
    handle: Ref(string),
    local_step: int64,
    gradient_indices: int64,
    gradient_values: dtype_attr,
    gradient_shape: int64,
    *,
    has_known_shape: bool,
):
    """Add a gradient that has some rows, unless it is of an earlier step."""
    shape = gradient_shape.tolist() if has_known_shape else None
    held(handle).apply(int(local_step), (gradient_indices, gradient_values, shape))


@op("SparseAccumulatorTakeGradient", host=True, effect="host", stateful=False, waits=True)
def sparse_take_gradient(handle: Ref(string), num_required: int32, *, dtype: dtype_attr) -> Outputs(
    indices=int64, values=dtype_attr, shape=int64
):
    """The mean of the gradients, row by row, when there are enough."""
    return (yield held(handle).take(int(num_required)))


sparse_accumulator.shape_rule(lambda node: [(2,)])
sparse_apply_gradient.shape_rule(lambda node: [])
sparse_take_gradient.shape_rule(lambda node: [None, None, None])
for _opdef in (sparse_accumulator, sparse_apply_gradient, sparse_take_gradient):
    _opdef.not_differentiable()
