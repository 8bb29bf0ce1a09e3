"""How often values come: bincount, histograms, buckets."""

from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.apply import check, xp
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import float32, float64, int32, int64
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric.elementwise import same_shape

T = type_attr("T", (int32, int64, float32, float64))
COUNT = type_attr("dtype", (int32, int64), int32)


@op("Bincount")
def _bincount(arr: int32, size: Static(int32), weights: T) -> T:
    """How often each of 0, 1, ... size - 1 comes in `arr`, or the sums of their weights; larger values are left out."""
    n = int(size)
    if n < 0:
        raise ValueError(f"size ({n}) must be non-negative")
    check(arr >= 0, "Input arr must be non-negative!")
    if weights.size and weights.shape != arr.shape:
        raise ValueError(f"weights and arr must have one shape, got {list(weights.shape)} and {list(arr.shape)}")
    weighed = weights if weights.size else jnp.ones(arr.shape, weights.dtype)
    kept = jnp.where(arr < 0, n, arr).reshape(-1)
    return jnp.zeros((n,), weights.dtype).at[kept].add(weighed.reshape(-1), mode="drop")


@_bincount.shape_rule
def _(op):
    shapes.of_rank(op.inputs[1].dims, 0)
    return [(infer.partial_scalar(op.inputs[1]),)]


_bincount.not_differentiable()


def bincount(arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = int32) -> Tensor:
    """How often each integer comes in `arr`, or, with `weights`, their sums; as long as the largest needs.

    `minlength` and `maxlength` bound the length. Negative values raise InvalidArgumentError when run.

    >>> run(tf.bincount([1, 1, 3]))
    array([0, 2, 0, 1], dtype=int32)
    """
    with get_default_graph().name_scope("bincount"):
        arr = to_tensor(arr, int32, "arr")
        nonempty = math.reduce_prod(array.shape(arr)) > 0
        size = math.cast(nonempty, int32) * (math.reduce_max(arr) + 1)
        if minlength is not None:
            size = math.maximum(to_tensor(minlength, int32, "minlength"), size)
        if maxlength is not None:
            size = math.minimum(to_tensor(maxlength, int32, "maxlength"), size)
        if weights is not None:
            return math.unsorted_segment_sum(to_tensor(weights, None, "weights"), arr, size)
        return _bincount(arr, size, constant([], dtype))


@op("HistogramFixedWidth", default_name="HistogramFixedWidth")
def _histogram_fixed_width(values: T, value_range: T, nbins: Static(int32), *, dtype: COUNT = int32) -> COUNT:
    """How many values fall into each of `nbins` equal parts of a range; those outside count at its ends."""
    bins = int(nbins)
    if bins <= 0:
        raise ValueError(f"nbins should be a positive number, but got '{bins}'")
    if value_range.shape != (2,):
        raise ValueError(f"value_range should be a vector of 2 elements, but got shape {list(value_range.shape)}")
    low, high = value_range[0], value_range[1]
    check(low < high, "value_range should satisfy value_range[0] < value_range[1]")
    step = (high - low).astype(np.float64) / bins
    places = jnp.floor((values - low).astype(np.float64) / step)
    places = jnp.clip(places, 0, bins - 1).astype(np.int32)
    return jnp.zeros((bins,), dtype._as_numpy).at[places.reshape(-1)].add(1)


@_histogram_fixed_width.shape_rule
def _(op):
    size = shapes.of_rank(op.inputs[1].dims, 1)[0]
    if size not in (None, 2):
        raise ValueError(f"Dimension must be 2 but is {size}")
    shapes.of_rank(op.inputs[2].dims, 0)
    bins = infer.partial_scalar(op.inputs[2])
    if bins is not None and bins <= 0:
        raise ValueError(f"Requires nbins > 0: {bins}")
    return [(bins,)]


_histogram_fixed_width.not_differentiable()


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """How many of `values` fall into each of `nbins` equal parts of `value_range`; those outside count at its ends.

    >>> run(tf.histogram_fixed_width([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0], nbins=5))
    array([2, 1, 1, 0, 2], dtype=int32)
    """
    with name_scope(name, "histogram_fixed_width", [values, value_range, nbins]) as name:
        return _histogram_fixed_width(values, value_range, nbins, dtype=dtype, name=name)


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """Into which of `nbins` equal parts of `value_range` each of `values` falls."""
    with name_scope(name, "histogram_fixed_width_bins", [values, value_range, nbins]):
        values = to_tensor(values, None, "values")
        shape = array.shape(values)
        values = array.reshape(values, [-1])
        value_range = to_tensor(value_range, None, "value_range")
        nbins = to_tensor(nbins, int32, "nbins")
        nbins_float = math.cast(nbins, values.dtype)
        scaled = math.truediv(values - value_range[0], value_range[1] - value_range[0], name="scaled_values")
        indices = math.floor(nbins_float * scaled, name="indices")
        indices = math.cast(math.clip_by_value(indices, 0, nbins_float - 1), int32)
        return array.reshape(indices, shape)


@op("Bucketize")
def bucketize(input: T, *, boundaries: list[float]) -> int32:
    """Into which bucket each value falls: bucket i ends before boundary i."""
    return xp(input).searchsorted(np.asarray(boundaries, np.float32), input, side="right")


bucketize.shape_rule(same_shape)
bucketize.not_differentiable()
