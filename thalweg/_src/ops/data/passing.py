"""Datasets that give the elements of another as they are: hints about how to run it, which we don't need."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import int64, string, variant
from thalweg._src.ops.data.choosing import Shard
from thalweg._src.ops.data.pipeline import SHAPES, TYPES, Data, From, Run, data_of, dataset, invalid, made, scalar


class Same(From):
    """The elements of another dataset."""

    def __init__(self, source: Data):
        super().__init__(source)
        self.cardinality, self.fresh = source.cardinality, source.fresh

    def iterate(self, run: Run) -> Iterator[tuple]:
        return self.source.iterate(run.at())


class Optimized(Same):
    """The elements; with `joins`, those of a repeated shuffle come in the order of ShuffleAndRepeatDataset; with `sloppy`, what is made
    in parallel comes in any order; with `timed`, an aggregator gets the time of every dataset.
    """

    def __init__(self, source: Data, joins: bool, sloppy: bool, timed: bool):
        super().__init__(source)
        self.joins, self.sloppy, self.timed = joins, sloppy, timed

    def iterate(self, run: Run) -> Iterator[tuple]:
        run.shared.fuses = run.shared.fuses or self.joins
        run.shared.sloppy = run.shared.sloppy or self.sloppy
        return super().iterate(run)


class Sleep(Same):
    """The elements, each after a pause."""

    def __init__(self, source: Data, microseconds: int):
        super().__init__(source)
        self.seconds = microseconds * 1e-6

    def iterate(self, run: Run) -> Iterator[tuple]:
        def pause(element: tuple) -> tuple:
            time.sleep(self.seconds)
            return element

        return map(pause, super().iterate(run))


def _same(handle: Any, types: Any, shapes: Any) -> Any:
    return made(Same(data_of(handle)), types, shapes)


@dataset("ModelDataset")
def model_dataset(
    input_dataset: variant, *, algorithm: int = 0, cpu_budget: int = 0, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The dataset; a hint to tune the number of threads."""
    return _same(input_dataset, output_types, output_shapes)


@dataset("OptimizeDataset")
def optimize_dataset(
    input_dataset: variant,
    optimizations: string,
    *,
    output_types: TYPES,
    output_shapes: SHAPES,
    optimization_configs: list[str] = (),
) -> variant:
    """The dataset; a hint which rewrites to apply to it. Two show in the order of elements: see `Optimized`."""
    names = set(np.ravel(optimizations))
    wanted = [name in names for name in (b"shuffle_and_repeat_fusion", b"make_sloppy", b"latency_all_edges")]
    data = Optimized(data_of(input_dataset), *wanted)
    return made(data, output_types, output_shapes)


@dataset("MaxIntraOpParallelismDataset", "ExperimentalMaxIntraOpParallelismDataset")
def max_intra_op_parallelism_dataset(
    input_dataset: variant, max_intra_op_parallelism: int64, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The dataset; a hint how many threads one of its operations may use."""
    if scalar(max_intra_op_parallelism, "max_intra_op_parallelism") < 0:
        raise invalid("`max_intra_op_parallelism` must be >= 0")
    return _same(input_dataset, output_types, output_shapes)


@dataset("PrivateThreadPoolDataset", "ExperimentalPrivateThreadPoolDataset")
def private_thread_pool_dataset(
    input_dataset: variant, num_threads: int64, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The dataset; a hint how many threads it may have of its own."""
    if scalar(num_threads, "num_threads") < 1:
        raise invalid("`num_threads` must be >= 1")
    return _same(input_dataset, output_types, output_shapes)


@dataset("NonSerializableDataset", "ExperimentalNonSerializableDataset")
def non_serializable_dataset(input_dataset: variant, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The dataset; a hint that its state is not saved."""
    return _same(input_dataset, output_types, output_shapes)


@dataset("AssertNextDataset", "ExperimentalAssertNextDataset")
def assert_next_dataset(
    input_dataset: variant, transformations: string, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The dataset; TensorFlow's own tests ask with it how a dataset was rewritten. Ours never is."""
    return _same(input_dataset, output_types, output_shapes)


@dataset("SleepDataset", "ExperimentalSleepDataset")
def sleep_dataset(
    input_dataset: variant, sleep_microseconds: int64, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The elements, each after a pause."""
    data = Sleep(data_of(input_dataset), scalar(sleep_microseconds, "sleep_microseconds"))
    return made(data, output_types, output_shapes)


@dataset("AutoShardDataset", "ExperimentalAutoShardDataset")
def auto_shard_dataset(
    input_dataset: variant, num_workers: int64, index: int64, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The part of the elements that one of several workers reads."""
    n, i = scalar(num_workers, "num_workers"), scalar(index, "index")
    if n < 1:
        raise invalid(f"number of workers must be >= 1, currently {n}")
    if not 0 <= i < n:
        raise invalid(f"index must be >= 0 and < {n}, currently {i}")
    return made(Shard(data_of(input_dataset), n, i, False), output_types, output_shapes)
