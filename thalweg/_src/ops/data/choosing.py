"""Datasets of some elements of another: take, skip, shard, filter, unique, repeat."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import float32, int64, variant
from thalweg._src.core.opdef import Func, Mixed
from thalweg._src.ops.data.pipeline import (
    CAPTURED,
    FOREVER,
    SHAPES,
    TYPES,
    Data,
    From,
    Run,
    Words,
    data_of,
    dataset,
    elements,
    invalid,
    made,
    numbers,
    scalar,
    taken,
)
from thalweg._src.ops.data.shuffling import Shuffle


class Take(From):
    """The first `count` elements; all of them where it is negative."""

    def __init__(self, source: Data, count: int):
        super().__init__(source)
        self.count = count
        n = source.cardinality
        self.cardinality = n if count < 0 else count if n == FOREVER or count == 0 else n if n < 0 else min(n, count)

    def iterate(self, run: Run) -> Iterator[tuple]:
        if self.count == 0:
            return iter(())
        source = self.source.iterate(run.at())
        return source if self.count < 0 else itertools.islice(source, self.count)


class Skip(From):
    """What is left behind the first `count` elements; nothing where it is negative."""

    def __init__(self, source: Data, count: int):
        super().__init__(source)
        self.count = count
        n = source.cardinality
        self.cardinality = 0 if count < 0 else n if n < 0 else max(0, n - count)

    def iterate(self, run: Run) -> Iterator[tuple]:
        if self.count < 0:
            return iter(())
        return itertools.islice(self.source.iterate(run.at()), self.count, None)


class Shard(From):
    """Every `shards`-th element, from the one at `index` on."""

    def __init__(self, source: Data, shards: int, index: int, full: bool):
        super().__init__(source)
        self.shards, self.index, self.full = shards, index, full
        n = source.cardinality
        self.cardinality = n if n < 0 else n // shards + (index < n % shards)

    def iterate(self, run: Run) -> Iterator[tuple]:
        source = self.source.iterate(run.at())
        if not self.full:
            return itertools.islice(source, self.index, None, self.shards)
        first = list(itertools.islice(source, self.shards))
        if len(first) < self.shards:
            raise invalid(
                f"There aren't enough elements in this dataset for each shard to have at least one element (# elems = "
                f"{len(first)}, # shards = {self.shards}). If you are using datasets with distribution strategy, consider "
                "setting the auto sharding policy to either DATA or OFF."
            )
        return itertools.islice(itertools.chain(first, source), self.index, None, self.shards)


class Repeat(From):
    """The elements `count` times, or for ever where it is negative."""

    def __init__(self, source: Data, count: int):
        super().__init__(source)
        self.count = count
        n = source.cardinality
        if count < 0:
            self.cardinality = 0 if n == 0 else FOREVER
        else:
            self.cardinality = 0 if count == 0 else n if n < 0 else n * count
        self.rows = source.rows

    def iterate(self, run: Run) -> Iterator[tuple]:
        return self._walk(elements, run)

    def numbers(self, run: Run) -> Iterator[int]:
        return self._walk(numbers, run)

    def _walk(self, begin: Callable[[Data, Run], Iterator[Any]], run: Run) -> Iterator[Any]:
        source = self.source
        if run.shared.fuses and isinstance(source, Shuffle) and source.reshuffle and self.count:
            joined = Shuffle(source.source, source.size, source.seed, source.seed2, max(self.count, -1))
            joined.drawn = source.drawn
            return begin(joined, run.at())
        return _Repeating(lambda: begin(source, run.at()), self.count)


class _Repeating:
    def __init__(self, begin: Callable[[], Iterator[Any]], count: int):
        self.begin, self.left = begin, count
        self.current: Any = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        for element in self.current or ():
            return element
        for element in self.take(1):
            return element
        raise StopIteration

    def take(self, count: int) -> list[Any]:
        """The next `count` elements, fewer at the end."""
        out: list[Any] = []
        while len(out) < count:
            fresh = self.current is None
            if fresh:
                if self.left == 0:
                    break
                self.current = self.begin()
            found = taken(self.current, count - len(out))
            out += found
            if len(out) < count:
                self.current = None
                self.left -= 1
                if fresh and not found and self.left < 0:
                    self.left = 0  # what is empty stays so
        return out


class Filter(From):
    """The elements for which `predicate` is true; with `stops`, those before the first for which it is not."""

    def __init__(self, source: Data, predicate: Any, stops: bool = False):
        super().__init__(source)
        self.predicate, self.stops = predicate, stops

    def iterate(self, run: Run) -> Iterator[tuple]:
        predicate = self.predicate.again(run.shared.kept)

        def holds(element: tuple) -> bool:
            out = predicate(*element)
            if len(out) != 1 or np.ndim(out[0]) != 0 or np.asarray(out[0]).dtype != bool:
                raise invalid("Filter predicate `f` must return a scalar bool.")
            return bool(out[0])

        source, statistics = self.source.iterate(run.at()), run.shared.statistics
        if self.stops:
            return itertools.takewhile(holds, source)
        return filter(holds if statistics is None else self._counted(holds, statistics), source)

    def _counted(self, holds: Any, statistics: Any) -> Any:
        counts = {True: 0, False: 0}

        def counted(element: tuple) -> bool:
            out = holds(element)
            counts[out] += 1
            statistics.put_of(self, "filtered_elements" if out else "dropped_elements", counts[out])
            return out

        return counted


class Unique(From):
    """Each element once, where it is first seen."""

    def iterate(self, run: Run) -> Iterator[tuple]:
        seen: set[Any] = set()

        def is_new(element: tuple) -> bool:
            value = element[0]
            key = (
                (value.shape, tuple(value.ravel().tolist())) if isinstance(value, np.ndarray) and value.ndim else value
            )
            key = key.item() if hasattr(key, "item") else key
            if key in seen:
                return False
            seen.add(key)
            return True

        return filter(is_new, self.source.iterate(run.at()))


class Sample(From):
    """Each element with the probability `rate`."""

    def __init__(self, source: Data, rate: float, seed: int, seed2: int):
        super().__init__(source)
        self.rate, self.drawn = rate, seed == 0 and seed2 == 0
        self.seed, self.seed2 = (secrets.randbits(63), secrets.randbits(63)) if self.drawn else (seed, seed2)

    def iterate(self, run: Run) -> Iterator[tuple]:
        words = Words(*run.seeds(self.seed, self.seed2, self.drawn))

        def draw(_: tuple) -> bool:
            bits = np.array([words.next() & 0x7FFFFF | 0x3F800000], np.uint32)
            return bool(bits.view(np.float32)[0] - np.float32(1) < self.rate)

        return filter(draw, self.source.iterate(run.at()))


def _last(element: tuple) -> bool:
    return bool(element[-1])


def _without_last(element: tuple) -> tuple:
    return element[:-1]


class LastTrue(From):
    """The elements whose last component is true, without that component."""

    def iterate(self, run: Run) -> Iterator[tuple]:
        return map(_without_last, filter(_last, self.source.iterate(run.at())))


@dataset("TakeDataset")
def take_dataset(input_dataset: variant, count: int64, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The first `count` elements."""
    return made(Take(data_of(input_dataset), scalar(count, "count")), output_types, output_shapes)


@dataset("SkipDataset")
def skip_dataset(input_dataset: variant, count: int64, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """All but the first `count` elements."""
    return made(Skip(data_of(input_dataset), scalar(count, "count")), output_types, output_shapes)


@dataset("ShardDataset")
def shard_dataset(
    input_dataset: variant,
    num_shards: int64,
    index: int64,
    *,
    require_non_empty: bool = False,
    output_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """Every `num_shards`-th element, from the one at `index` on."""
    n, i = scalar(num_shards, "num_shards"), scalar(index, "index")
    if n <= 0:
        raise invalid(f"Number of shards must be greater than zero (currently num_shards = {n}).")
    if not 0 <= i < n:
        raise invalid(f"Index must be between 0 and {n - 1} (currently index = {i}).")
    return made(Shard(data_of(input_dataset), n, i, require_non_empty), output_types, output_shapes)


@dataset("RepeatDataset")
def repeat_dataset(input_dataset: variant, count: int64, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The elements `count` times."""
    return made(Repeat(data_of(input_dataset), scalar(count, "count")), output_types, output_shapes)


@dataset("FilterDataset")
def filter_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    *,
    predicate: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """The elements for which `predicate` is true."""
    return made(Filter(data_of(input_dataset), ctx.function(predicate, other_arguments)), output_types, output_shapes)


@dataset("TakeWhileDataset", "ExperimentalTakeWhileDataset")
def take_while_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    *,
    predicate: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """The elements before the first for which `predicate` is not true."""
    function = ctx.function(predicate, other_arguments)
    return made(Filter(data_of(input_dataset), function, True), output_types, output_shapes)


@dataset("FilterByLastComponentDataset")
def filter_by_last_component_dataset(input_dataset: variant, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The elements whose last component is true, without it."""
    return made(LastTrue(data_of(input_dataset)), output_types, output_shapes)


@dataset("UniqueDataset", "ExperimentalUniqueDataset")
def unique_dataset(input_dataset: variant, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """Each element once."""
    if len(output_types) != 1:
        raise invalid("Unique dataset only supports inputs with a single component.")
    if output_types[0].name not in ("int32", "int64", "string"):
        raise invalid(
            f"`tf.data.Dataset.unique` only supports inputs with a single `tf.int32`, `tf.int64`, or `tf.string` component, "
            f"not {output_types[0].name}."
        )
    return made(Unique(data_of(input_dataset)), output_types, output_shapes)


@dataset("SamplingDataset")
def sampling_dataset(
    input_dataset: variant, rate: float32, seed: int64, seed2: int64, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """Each element with the probability `rate`."""
    sample = Sample(data_of(input_dataset), scalar(rate, "rate"), scalar(seed, "seed"), scalar(seed2, "seed2"))
    return made(sample, output_types, output_shapes)
