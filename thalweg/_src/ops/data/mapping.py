"""Datasets of what a function makes of each element: map, flat_map, interleave, scan."""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.dtypes import int64, variant
from thalweg._src.core.opdef import Func, Min, Mixed, Types
from thalweg._src.ops.data.pipeline import (
    CAPTURED,
    SHAPES,
    TYPES,
    UNKNOWN,
    Data,
    From,
    Run,
    component,
    data_of,
    dataset,
    made,
    positive,
)
from thalweg._src.ops.data.turns import Laid, Turns, called


class Map(From):
    """The results of a function on each element. With `keeps`, there are as many as elements."""

    def __init__(self, source: Data, function: Any, keeps: bool):
        super().__init__(source)
        self.function, self.keeps = function, keeps
        self.cardinality = source.cardinality

    def iterate(self, run: Run) -> Iterator[tuple]:
        return itertools.starmap(
            called(self.function.again(run.shared.kept), self.keeps), self.source.iterate(run.at())
        )

    def iterate_by(self, count: int, run: Run) -> Iterator[tuple]:
        return Turns(Laid(self.function.again(run.shared.kept), count, self.keeps), self.source.iterate(run.at()))


class FlatMap(From):
    """The elements of the datasets that a function makes of each element, one dataset after the other."""

    def __init__(self, source: Data, function: Any):
        super().__init__(source)
        self.function = function

    def iterate(self, run: Run) -> Iterator[tuple]:
        return Flattening(inner(self.function.again(run.shared.kept), self.source.iterate(run.at()), run))


def inner(function: Any, source: Iterator[tuple], run: Run) -> Iterator[Iterator[tuple]]:
    """Walks over the datasets that `function` makes of the elements of `source`."""
    return _Inner(function, source, run)


class _Inner:
    def __init__(self, function: Any, source: Iterator[tuple], run: Run):
        self.function, self.source, self.run, self.count = function, source, run, 0

    def __iter__(self) -> Iterator[Iterator[tuple]]:
        return self

    def __next__(self) -> Iterator[tuple]:
        element = next(self.source)
        self.count += 1
        return data_of(self.function(*element)[0]).iterate(self.run.at(self.count))


class Flattening:
    """The elements of walks, one walk after the other."""

    def __init__(self, walks: Iterator[Iterator[tuple]]):
        self.walks = walks
        self.current: Iterator[tuple] = iter(())

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        while True:
            for element in self.current:
                return element
            self.current = next(self.walks)


class Interleave(From):
    """As FlatMap, with `cycle` datasets open at once, from which `block` elements at a time are taken in turn."""

    def __init__(self, source: Data, function: Any, cycle: int, block: int):
        super().__init__(source)
        self.function, self.block = function, block
        self.cycle = (os.cpu_count() or 1) if cycle == -1 else cycle

    def iterate(self, run: Run) -> Iterator[tuple]:
        return Interleaving(
            inner(self.function.again(run.shared.kept), self.source.iterate(run.at()), run), self.cycle, self.block
        )


class Interleaving:
    """Elements of several walks in turn; a walk that ends makes room for the next one."""

    def __init__(self, walks: Iterator[Iterator[tuple]], cycle: int, block: int):
        self.walks: Iterator[Iterator[tuple]] | None = walks
        self.open: list[Iterator[tuple] | None] = [None] * cycle
        self.cycle, self.block = cycle, block
        self.at = self.taken = self.count = 0

    def __iter__(self) -> Iterator[tuple]:
        return self

    def _advance(self) -> None:
        self.taken = 0
        self.at = (self.at + 1) % self.cycle

    def __next__(self) -> tuple:
        while self.walks is not None or self.count:
            walk = self.open[self.at]
            if walk is not None:
                for element in walk:
                    self.taken += 1
                    if self.taken == self.block:
                        self._advance()
                    return element
                self.open[self.at] = None
                self.count -= 1
                self._advance()
            elif self.walks is not None:
                try:
                    self.open[self.at] = next(self.walks)
                    self.count += 1
                except StopIteration:
                    self.walks = None
            else:
                self._advance()
        raise StopIteration


class Scan(From):
    """The results of a function on a state and each element; it also makes the next state."""

    def __init__(self, source: Data, function: Any, state: list[Any], keeps: bool):
        super().__init__(source)
        self.function, self.state, self.keeps = function, state, keeps
        self.cardinality = source.cardinality if keeps else UNKNOWN

    def iterate(self, run: Run) -> Iterator[tuple]:
        return itertools.starmap(self._step(run), self.source.iterate(run.at()))

    def _step(self, run: Run) -> Callable[..., tuple]:
        call = called(self.function.again(run.shared.kept), self.keeps)
        state = tuple(self.state)
        n = len(state)

        def step(*element: Any) -> tuple:
            nonlocal state
            out = call(*state, *element)
            state = out[:n]
            return out[n:]

        return step


class IgnoreErrors(From):
    """The elements that could be made; errors are passed over."""

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Ignoring(self.source.iterate(run.at()))


class _Ignoring:
    def __init__(self, source: Iterator[tuple]):
        self.source = source

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        while True:
            try:
                return next(self.source)
            except errors.CancelledError:
                raise
            except errors.OpError:
                continue


@dataset("MapDataset", "ExperimentalMapDataset")
def map_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    *,
    f: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    use_inter_op_parallelism: bool = True,
    preserve_cardinality: bool = False,
    ctx,
) -> variant:
    """The results of `f` on each element."""
    data = Map(data_of(input_dataset), ctx.function(f, other_arguments), preserve_cardinality)
    return made(data, output_types, output_shapes)


@dataset("FlatMapDataset")
def flat_map_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    *,
    f: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """The elements of the datasets that `f` makes of each element."""
    return made(FlatMap(data_of(input_dataset), ctx.function(f, other_arguments)), output_types, output_shapes)


def cycle_of(cycle_length: Any, block_length: Any) -> tuple[int, int]:
    """The two numbers. Raises InvalidArgumentError where they are not positive (-1 leaves the first to us)."""
    return positive(cycle_length, "cycle_length", auto=True), positive(block_length, "block_length")


@dataset("InterleaveDataset")
def interleave_dataset(
    input_dataset: variant,
    other_arguments: Mixed("Targuments"),
    cycle_length: int64,
    block_length: int64,
    *,
    f: Func,
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """The elements of the datasets that `f` makes of each element, several of them in turn."""
    function = ctx.function(f, other_arguments)
    data = Interleave(data_of(input_dataset), function, *cycle_of(cycle_length, block_length))
    return made(data, output_types, output_shapes)


@dataset("ScanDataset", "ExperimentalScanDataset")
def scan_dataset(
    input_dataset: variant,
    initial_state: Mixed("Tstate", 1),
    other_arguments: Mixed("Targuments"),
    *,
    f: Func,
    Tstate: Min(Types, 1),
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    preserve_cardinality: bool = False,
    ctx,
) -> variant:
    """The results of `f` on a state and each element."""
    function = ctx.function(f, other_arguments)
    data = Scan(data_of(input_dataset), function, list(map(component, initial_state)), preserve_cardinality)
    return made(data, output_types, output_shapes)


@dataset("IgnoreErrorsDataset", "ExperimentalIgnoreErrorsDataset")
def ignore_errors_dataset(input_dataset: variant, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The elements that raise no error."""
    return made(IgnoreErrors(data_of(input_dataset)), output_types, output_shapes)
