"""Batches resampled by rates or weights: `tf.contrib.training.resample_at_rate` and `weighted_resample`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.moving_averages import assign_moving_average
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.grids import repeat
from thalweg._src.ops.arrays.ranges import range as tf_range
from thalweg._src.ops.arrays.shaping import reshape, size
from thalweg._src.ops.basic import stop_gradient
from thalweg._src.ops.chance.random_draws import random_poisson
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.reduce import reduce_mean
from thalweg._src.ops.stateful.variable_scope import get_local_variable, variable_scope


def repeat_range(counts: Any, name: str | None = None) -> Tensor:
    """The index of each entry of `counts` as often as the entry says: [0, 2, 1] -> [1, 1, 2]."""
    with name_scope(name, "repeat_range", [counts]):
        counts = reshape(to_tensor(counts, name="counts"), [-1])
        return repeat(tf_range(size(counts)), counts)


def resample_at_rate(
    inputs: Sequence[Any], rates: Any, scope: str | None = None, seed: int | None = None, back_prop: bool = False
) -> list[Tensor]:
    """Rows of `inputs`, each as often as a Poisson number whose mean is its rate: [n, ...] each -> [m, ...] each."""
    with name_scope(scope, "resample_at_rate", [*inputs, rates]):
        rates = to_tensor(rates, name="rates")
        rows = repeat_range(cast(random_poisson(rates, (), rates.dtype, seed=seed), int32))
        if not back_prop:
            rows = stop_gradient(rows)
        return [gather(x, rows) for x in inputs]


def weighted_resample(
    inputs: Sequence[Any],
    weights: Any,
    overall_rate: Any,
    scope: str | None = None,
    mean_decay: float = 0.999,
    seed: int | None = None,
) -> tuple[list[Tensor], Tensor]:
    """(rows of `inputs`, the rate of each) drawn in proportion to `weights`, `overall_rate` rows for each that comes on average.

    The mean weight is a moving average over all runs, kept in the local variable `estimate_mean/estimated_mean`.
    """
    with name_scope(scope, "weighted_resample", inputs) as inner:
        with variable_scope(scope, "estimate_mean", inputs):
            average = get_local_variable("estimated_mean", initializer=cast(0, weights.dtype), dtype=weights.dtype)
            mean = assign_moving_average(average, reduce_mean(weights), mean_decay)
        rates = weights * overall_rate / mean
        rates_drawn, *drawn = resample_at_rate([rates, *inputs], rates, scope=inner, seed=seed)
        return drawn, rates_drawn
