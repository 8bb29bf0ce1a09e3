"""Statistics of datasets: how long elements take, how many bytes they have, how full buffers are, as summaries of an aggregator.

An iterator's walk has the `Statistics` that the dataset of its options sets; a dataset below adds to them under its own name, the one that
TensorFlow gives it: its type and its number among the nodes that the dataset is made of.
"""

import copy
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import resource, string, variant
from thalweg._src.core.opdef import op
from thalweg._src.formats import histogram, protos
from thalweg._src.ops.data.passing import Optimized, Same
from thalweg._src.ops.data.pipeline import SHAPES, TYPES, Data, Run, data_of, dataset, invalid, made, scalar
from thalweg._src.ops.data.pipeline import variant as variant_of


class Aggregator:
    """Histograms and scalars by their names."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._histograms: dict[str, histogram.Running] = {}
        self._scalars: dict[str, float] = {}

    def add(self, name: str, value: float) -> None:
        with self._lock:
            self._histograms.setdefault(name, histogram.Running()).add(value)

    def put(self, name: str, value: float) -> None:
        with self._lock:
            self._scalars[name] = value

    def summary(self) -> bytes:
        """A serialized Summary of everything so far."""
        out = protos.Summary()
        with self._lock:
            for name, values in self._histograms.items():
                out.value.add(tag=name).histo.CopyFrom(values.to_proto())
            for name, value in self._scalars.items():
                out.value.add(tag=name, simple_value=value)
        return out.SerializeToString()


class Statistics:
    """An aggregator as the datasets of one walk see it: with a prefix before names, and the datasets' own names."""

    def __init__(self, aggregator: Aggregator, prefix: str, names: dict[Data, str]):
        self.aggregator, self.names = aggregator, names
        self.prefix = f"{prefix}::" if prefix else ""

    def add(self, tag: str, value: float) -> None:
        """A value more for a histogram."""
        self.aggregator.add(self.prefix + tag, value)

    def add_of(self, data: Data, what: str, value: float) -> None:
        """A value more for a histogram of one dataset."""
        self.aggregator.add(f"{self.prefix}{self._name(data)}::{what}", value)

    def put_of(self, data: Data, what: str, value: float) -> None:
        """The value of a scalar of one dataset."""
        self.aggregator.put(f"{self.prefix}{self._name(data)}::{what}", value)

    def _name(self, data: Data) -> str:
        return self.names.get(data, type(data).__name__)


class Measured(Same):
    """The elements; `tag` gets a number for each, by `measure(element, seconds that it took)`."""

    def __init__(self, source: Data, tag: str):
        super().__init__(source)
        self.tag = tag

    def measure(self, element: tuple, seconds: float) -> float:
        raise NotImplementedError

    def iterate(self, run: Run) -> Iterator[tuple]:
        source, statistics = super().iterate(run), run.shared.statistics
        return source if statistics is None else _Measuring(self, source, statistics)


class _Measuring:
    def __init__(self, data: Measured, source: Iterator[tuple], statistics: Statistics):
        self.data, self.source, self.statistics = data, source, statistics

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        start = time.perf_counter()
        element = next(self.source)
        self.statistics.add(self.data.tag, self.data.measure(element, time.perf_counter() - start))
        return element


class Latency(Measured):
    """Microseconds for each element."""

    def measure(self, element: tuple, seconds: float) -> float:
        return seconds * 1e6


class Bytes(Measured):
    """Bytes of each element."""

    def measure(self, element: tuple, seconds: float) -> float:
        return float(sum(len(x) if isinstance(x, bytes) else getattr(x, "nbytes", 0) for x in element))


class Observed(Same):
    """The elements, the statistics of whose datasets go to an aggregator."""

    def __init__(self, source: Data, aggregator: Aggregator, prefix: str, names: dict[Data, str]):
        super().__init__(source)
        self.aggregator, self.prefix, self.names = aggregator, prefix, names

    def iterate(self, run: Run) -> Iterator[tuple]:
        run.shared.statistics = Statistics(self.aggregator, self.prefix, self.names)
        return super().iterate(run)


def names_of(data: Data, node: Any) -> dict[Data, str]:
    """The names of `data`, which the operation `node` makes, and of the datasets that it is made of one after the other."""
    below: set[Any] = set()
    line = [node]
    while line:
        found = line.pop()
        if found not in below:
            below.add(found)
            line += [t.op for t in found.inputs]
    numbers = {o: i for i, o in enumerate(sorted(below, key=lambda o: o._id))}
    names: dict[Data, str] = {}
    current: Any = data
    while current is not None and node is not None:
        names[current] = f"{node.type}/_{numbers[node]}"
        node = next((t.op for t in node.inputs if t.dtype.base_dtype == variant), None)
        current = getattr(current, "source", None)
    return names


def timed(data: Data, names: dict[Data, str]) -> Data:
    """A copy of `data` and of what it is made of, in which each dataset's time is measured under its name."""
    made_of = copy.copy(data)
    source = getattr(data, "source", None)
    if source is not None:
        made_of.source = timed(source, names)  # type: ignore[attr-defined]
    name = names.get(data)
    if name is None or isinstance(data, Same):
        return made_of
    names[made_of] = name
    return Latency(made_of, f"record_latency::{name}")


def _is_timed(data: Any) -> bool:
    while data is not None:
        if isinstance(data, Optimized) and data.timed:
            return True
        data = getattr(data, "source", None)
    return False


def _declare_handle(name: str) -> Any:
    @op(name, host=True, stateful=True, foldable=False)
    def stats_aggregator_handle(*, container: str = "", shared_name: str = "", ctx) -> resource:
        """Keeps statistics of datasets."""
        return variant_of(ctx.own("stats aggregator", container, shared_name, lambda name: Aggregator()))

    stats_aggregator_handle.shape_rule(lambda node: [()])
    return stats_aggregator_handle.not_differentiable()


def _declare_summary(name: str) -> Any:
    @op(name, host=True, effect="host")
    def stats_aggregator_summary(iterator: resource) -> string:
        """A serialized Summary of the statistics so far."""
        return variant_of(_aggregator(iterator).summary())

    stats_aggregator_summary.shape_rule(lambda node: [()])
    return stats_aggregator_summary.not_differentiable()


stats_aggregator_handle = _declare_handle("StatsAggregatorHandle")
experimental_stats_aggregator_handle = _declare_handle("ExperimentalStatsAggregatorHandle")
stats_aggregator_summary = _declare_summary("StatsAggregatorSummary")
experimental_stats_aggregator_summary = _declare_summary("ExperimentalStatsAggregatorSummary")


def _aggregator(handle: Any) -> Aggregator:
    value = handle.item() if isinstance(handle, np.ndarray) and handle.ndim == 0 else handle
    if not isinstance(value, Aggregator):
        raise invalid("Input is not a stats aggregator.")
    return value


@dataset("SetStatsAggregatorDataset", "ExperimentalSetStatsAggregatorDataset", stateful=True)
def set_stats_aggregator_dataset(
    input_dataset: variant,
    stats_aggregator: resource,
    tag: string,
    counter_prefix: string,
    *,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """The dataset; its statistics go to an aggregator, with `tag` before their names."""
    source = data_of(input_dataset)
    names = names_of(source, ctx.op.inputs[0].op)
    if _is_timed(source):
        source = timed(source, names)
    prefix = scalar(tag, "tag").decode()
    return made(Observed(source, _aggregator(stats_aggregator), prefix, names), output_types, output_shapes)


@dataset("BytesProducedStatsDataset", "ExperimentalBytesProducedStatsDataset")
def bytes_produced_stats_dataset(
    input_dataset: variant, tag: string, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The dataset; the bytes of each element go to the aggregator of the iterator, where there is one."""
    return made(Bytes(data_of(input_dataset), scalar(tag, "tag").decode()), output_types, output_shapes)


@dataset("LatencyStatsDataset", "ExperimentalLatencyStatsDataset")
def latency_stats_dataset(
    input_dataset: variant, tag: string, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The dataset; the microseconds of each element go to the aggregator of the iterator, where there is one."""
    return made(Latency(data_of(input_dataset), scalar(tag, "tag").decode()), output_types, output_shapes)
