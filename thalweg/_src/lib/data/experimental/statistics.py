"""Statistics of datasets: where they go, and what measures."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.data.experimental.transformations import Transformation
from thalweg._src.ops import data as ops


class StatsAggregator:
    """Keeps the statistics of the datasets whose options name it: `options.experimental_stats.aggregator = StatsAggregator()`."""

    def __init__(self) -> None:
        self._resource = ops.statistics.stats_aggregator_handle(name="StatsAggregatorHandle")

    def get_summary(self) -> Tensor:
        """A string tensor: a serialized Summary of what there is so far, for a FileWriter."""
        return ops.statistics.stats_aggregator_summary(self._resource, name="StatsAggregatorSummary")


def set_stats_aggregator(
    stats_aggregator: StatsAggregator, prefix: str = "", counter_prefix: str = ""
) -> Transformation:
    """The elements; the statistics of the datasets go to an aggregator, `prefix` before their names."""

    def apply(d: Dataset) -> Dataset:
        tag, counters = to_tensor(prefix, dtypes.string), to_tensor(counter_prefix, dtypes.string)
        set_aggregator = ops.statistics.set_stats_aggregator_dataset
        return d._like(
            set_aggregator(d._variant_tensor, stats_aggregator._resource, tag, counters, **d._flat_structure)
        )

    return apply


def bytes_produced_stats(tag: Any) -> Transformation:
    """The elements; how many bytes each has goes to the aggregator under `tag`."""

    def apply(d: Dataset) -> Dataset:
        name = to_tensor(tag, dtypes.string)
        return d._like(ops.statistics.bytes_produced_stats_dataset(d._variant_tensor, name, **d._flat_structure))

    return apply


def latency_stats(tag: Any) -> Transformation:
    """The elements; how many microseconds each takes goes to the aggregator under `tag`."""

    def apply(d: Dataset) -> Dataset:
        name = to_tensor(tag, dtypes.string)
        return d._like(ops.statistics.latency_stats_dataset(d._variant_tensor, name, **d._flat_structure))

    return apply
