"""Moments of the series, collected over the batches that training sees."""

from __future__ import annotations

from typing import Any, NamedTuple

from thalweg._src.contrib.timeseries.keys import TIMES, VALUES
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.lib import nesting as nest
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.nets.normalization import moments
from thalweg._src.ops.stateful.assigning import assign, assign_add
from thalweg._src.ops.stateful.initializers import ones_initializer, zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope


class Moments(NamedTuple):
    mean: Any
    variance: Any


class InputStatistics(NamedTuple):
    """What is known of the series: moments of its begin and of all, when it starts, how long it is."""

    series_start_moments: Moments
    overall_feature_moments: Moments
    start_time: Any
    total_observation_count: Any


class _Sums(NamedTuple):
    max_time_seen: Any
    chunk_count: Any
    inter_observation_duration_sum: Any
    example_count: Any
    overall_feature_sum: Any
    overall_feature_sum_of_squares: Any


class InputStatisticsFromMiniBatch:
    """Keeps the statistics in variables, and brings them up to date with each batch."""

    def __init__(self, num_features: int, dtype: Any, starting_variance_window_size: int = 16) -> None:
        self._features, self._dtype, self._start = num_features, dtype, starting_variance_window_size

    def initialize_graph(self, features: dict[str, Any], update_statistics: bool = True) -> InputStatistics:
        """The statistics: after this batch where it has values and `update_statistics`, else as they are."""
        with variable_scope("input_statistics", use_resource=True):
            statistics = self._statistics()
        with variable_scope("input_statistics_auxiliary", use_resource=True):
            sums = self._sums()
        if not update_statistics or TIMES not in features or VALUES not in features:
            return statistics
        times = features[TIMES]
        with basic.control_dependencies([self._update(statistics, sums, times, features[VALUES])]):
            now = nest.map_structure(basic.identity, statistics)
            return now._replace(start_time=math.minimum(now.start_time, math.reduce_min(times)))

    def _variable(self, name: str, shape: list[int], dtype: Any, initializer: Any) -> Any:
        if isinstance(initializer, int):
            return get_variable(name, dtype=dtype, initializer=array.constant(initializer, dtype), trainable=False)
        return get_variable(name, shape=shape, dtype=dtype, initializer=initializer, trainable=False)

    def _statistics(self) -> InputStatistics:
        def pair(name: str, variance: str) -> Moments:
            return Moments(
                self._variable(f"{name}_mean", [self._features], self._dtype, zeros_initializer()),
                self._variable(f"{name}_{variance}", [self._features], self._dtype, ones_initializer()),
            )

        return InputStatistics(
            pair("series_start", "variance"),
            pair("overall_feature", "var"),
            self._variable("start_time", [], dtypes.int64, dtypes.int64.max),
            self._variable("total_observation_count", [], dtypes.int64, ones_initializer()),
        )

    def _sums(self) -> _Sums:
        zero = zeros_initializer()
        return _Sums(
            self._variable("max_time_seen", [], dtypes.int64, dtypes.int64.min),
            self._variable("chunk_count", [], dtypes.int64, zero),
            self._variable("inter_observation_duration_sum", [], self._dtype, zero),
            self._variable("example_count", [], dtypes.int64, zero),
            self._variable("overall_feature_sum", [self._features], self._dtype, zero),
            self._variable("overall_feature_sum_of_squares", [self._features], self._dtype, zero),
        )

    def _update(self, statistics: InputStatistics, sums: _Sums, times: Tensor, values: Any) -> Any:
        kind = self._dtype
        values = math.cast(values, kind)
        span = math.cast(math.reduce_max(times, axis=1) - math.reduce_min(times, axis=1), kind)
        span /= math.cast(array.shape(times)[1] - 1, kind)
        latest = assign(sums.max_time_seen, math.maximum(sums.max_time_seen, math.reduce_max(times)))
        added = [
            assign_add(sums.chunk_count, array.shape(times, out_type=dtypes.int64)[0]),
            assign_add(sums.inter_observation_duration_sum, math.reduce_sum(span)),
            assign_add(sums.example_count, array.size(times, out_type=dtypes.int64)),
            assign_add(sums.overall_feature_sum, math.reduce_sum(values, axis=[0, 1])),
            assign_add(sums.overall_feature_sum_of_squares, math.reduce_sum(values**2, axis=[0, 1])),
        ]
        with basic.control_dependencies([latest, *added]):
            count = math.cast(basic.identity(sums.example_count), kind)
            mean = basic.identity(sums.overall_feature_sum) / count
            squares = basic.identity(sums.overall_feature_sum_of_squares) / count
            variance = count / (count - 1.0) * (squares - mean**2)
            whole = statistics.overall_feature_moments
            moved = [assign(whole.mean, mean), assign(whole.variance, variance)]
            first = math.cast(math.argmin(times[:, 0]), dtypes.int32)

            def begin() -> Any:
                found = moments(values[first, : self._start], axes=[0])
                pairs = zip(statistics.series_start_moments, found, strict=True)
                return basic.group(*(assign(variable, value) for variable, value in pairs))

            start = cond(math.less_equal(times[first, 0], statistics.start_time), begin, basic.no_op)
            with basic.control_dependencies([start]):
                earliest = math.minimum(statistics.start_time, math.reduce_min(times))
                since = assign(statistics.start_time, earliest)
            between = sums.inter_observation_duration_sum / math.cast(sums.chunk_count, kind)
            seen = math.maximum(sums.max_time_seen, math.reduce_max(times)) - earliest + 1
            length = math.cast(math.round(math.cast(seen, kind) / between), dtypes.int64)
            return basic.group(*moved, start, since, assign(statistics.total_observation_count, length))
