"""Datasets of several: zip, concatenate, and choosing the next of many by a dataset of numbers."""

import itertools
from collections.abc import Iterator

from thalweg._src.core.dtypes import variant
from thalweg._src.core.opdef import Many
from thalweg._src.ops.data.pipeline import (
    FOREVER,
    SHAPES,
    TYPES,
    UNKNOWN,
    Data,
    Run,
    data_of,
    dataset,
    invalid,
    made,
)


class Zip(Data):
    """Elements side by side, as long as all have some."""

    def __init__(self, sources: list[Data]):
        self.sources = sources
        finite = [s.cardinality for s in sources if s.cardinality != FOREVER]
        self.cardinality = FOREVER if not finite else UNKNOWN if UNKNOWN in finite else min(finite)

    def iterate(self, run: Run) -> Iterator[tuple]:
        walks = [s.iterate(run.at(i)) for i, s in enumerate(self.sources)]
        return map(_flat, zip(*walks, strict=False))


def _flat(elements: tuple) -> tuple:
    return tuple(itertools.chain.from_iterable(elements))


class Concatenate(Data):
    """The elements of one dataset, then those of another."""

    def __init__(self, first: Data, second: Data):
        self.sources = first, second
        a, b = first.cardinality, second.cardinality
        self.cardinality = FOREVER if FOREVER in (a, b) else UNKNOWN if UNKNOWN in (a, b) else a + b

    def iterate(self, run: Run) -> Iterator[tuple]:
        first, second = self.sources
        return itertools.chain(first.iterate(run.at(0)), _Later(second, run.at(1)))


class _Later:
    """A walk that begins when its first element is wanted."""

    def __init__(self, source: Data, run: Run):
        self.source, self.run = source, run

    def __iter__(self) -> Iterator[tuple]:
        return self.source.iterate(self.run)


class Choose(Data):
    """The next element of the dataset whose number a selector gives; those that have ended are passed over."""

    def __init__(self, selector: Data, sources: list[Data]):
        self.selector, self.sources = selector, sources

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Choosing(self, run)


class _Choosing:
    def __init__(self, data: Choose, run: Run):
        self.numbers = data.selector.iterate(run.at("selector"))
        self.walks: list[Iterator[tuple] | None] = [s.iterate(run.at(i)) for i, s in enumerate(data.sources)]

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        while any(w is not None for w in self.walks):
            at = int(next(self.numbers)[0])
            if not 0 <= at < len(self.walks):
                raise invalid(f"Selector index out of range: {at} >= {len(self.walks)}")
            walk = self.walks[at]
            if walk is None:
                continue
            try:
                return next(walk)
            except StopIteration:
                self.walks[at] = None
        raise StopIteration


@dataset("ZipDataset")
def zip_dataset(input_datasets: Many(variant, "N", 1), *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """Elements side by side."""
    return made(Zip([data_of(d) for d in input_datasets]), output_types, output_shapes)


@dataset("ConcatenateDataset")
def concatenate_dataset(
    input_dataset: variant, another_dataset: variant, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The elements of one dataset, then those of another."""
    first, second = data_of(input_dataset), data_of(another_dataset)
    if None not in (first.types, second.types) and first.types != second.types:
        raise invalid("input dataset and dataset to concatenate have different output_types")
    return made(Concatenate(first, second), output_types, output_shapes)


@dataset("DirectedInterleaveDataset", "ExperimentalDirectedInterleaveDataset")
def directed_interleave_dataset(
    selector_input_dataset: variant,
    data_input_datasets: Many(variant, "N", 1),
    *,
    output_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """The next element of the dataset whose number the selector gives."""
    sources = [data_of(d) for d in data_input_datasets]
    return made(Choose(data_of(selector_input_dataset), sources), output_types, output_shapes)
