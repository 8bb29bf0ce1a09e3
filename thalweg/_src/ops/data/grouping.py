"""Datasets of groups of elements that have one key."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import variant
from thalweg._src.core.opdef import OPS, Func, Mixed
from thalweg._src.ops.data.pipeline import CAPTURED, SHAPES, TYPES, Data, From, Run, data_of, dataset, invalid, made
from thalweg._src.ops.data.pipeline import variant as variant_of
from thalweg._src.ops.data.sources import Elements


def _key(out: Any, what: str) -> np.ndarray:
    if len(out) != 1 or np.ndim(out[0]) != 0 or np.asarray(out[0]).dtype != np.int64:
        raise invalid(f"`{what}` must return a scalar int64.")
    return out[0]


class GroupByWindow(From):
    """Windows of elements with one key, each reduced to a dataset; a window is full at the size that its key has."""

    def __init__(self, source: Data, key: Any, reduce: Any, size: Any):
        super().__init__(source)
        self.key, self.reduce, self.size = key, reduce, size

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Grouping(self, run)


class _Grouping:
    def __init__(self, data: GroupByWindow, run: Run):
        self.data, self.run, self.count = data, run, 0
        self.key, self.reduce, self.size = (f.again(run.shared.kept) for f in (data.key, data.reduce, data.size))
        self.source: Iterator[tuple] | None = data.source.iterate(run.at())
        self.groups: dict[int, list[tuple]] = {}
        self.sizes: dict[int, int] = {}
        self.current: Iterator[tuple] = iter(())

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        while True:
            for element in self.current:
                return element
            if self.source is None:
                if not self.groups:
                    raise StopIteration
                self._begin(min(self.groups))
                continue
            try:
                element = next(self.source)
            except StopIteration:
                self.source = None
                continue
            key_array = _key(self.key(*element), "key_func")
            key = int(key_array)
            if key not in self.sizes:
                size = int(_key(self.size(key_array), "window_size_func"))
                if size <= 0:
                    raise invalid(f"Window size must be greater than zero, but got {size}.")
                self.sizes[key] = size
            group = self.groups.setdefault(key, [])
            group.append(element)
            if len(group) == self.sizes[key]:
                self._begin(key)

    def _begin(self, key: int) -> None:
        source = self.data.source
        group = Elements(self.groups.pop(key)).of(source.types, source.shapes)
        self.count += 1
        reduced = self.reduce(np.asarray(key, np.int64), variant_of(group))
        self.current = data_of(reduced[0]).iterate(self.run.at(self.count))


class GroupByReducer(From):
    """One element for each key: what its elements were reduced to."""

    def __init__(self, source: Data, key: Any, begin: Any, step: Any, end: Any):
        super().__init__(source)
        self.functions = key, begin, step, end

    def iterate(self, run: Run) -> Iterator[tuple]:
        key_of, begin, step, end = (f.again(run.shared.kept) for f in self.functions)

        def reduced() -> Iterator[tuple]:
            states: dict[int, tuple] = {}
            for element in self.source.iterate(run.at()):
                key_array = _key(key_of(*element), "key_func")
                key = int(key_array)
                state = states[key] if key in states else begin(key_array)
                states[key] = step(*state, *element)
            for key in sorted(states):
                yield end(*states[key])

        return reduced()


@dataset("GroupByWindowDataset", "ExperimentalGroupByWindowDataset")
def group_by_window_dataset(
    input_dataset: variant,
    key_func_other_arguments: Mixed("Tkey_func_other_arguments"),
    reduce_func_other_arguments: Mixed("Treduce_func_other_arguments"),
    window_size_func_other_arguments: Mixed("Twindow_size_func_other_arguments"),
    *,
    key_func: Func,
    reduce_func: Func,
    window_size_func: Func,
    Tkey_func_other_arguments: CAPTURED,
    Treduce_func_other_arguments: CAPTURED,
    Twindow_size_func_other_arguments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """Windows of elements with one key, reduced to datasets, one after the other."""
    data = GroupByWindow(
        data_of(input_dataset),
        ctx.function(key_func, key_func_other_arguments),
        ctx.function(reduce_func, reduce_func_other_arguments),
        ctx.function(window_size_func, window_size_func_other_arguments),
    )
    return made(data, output_types, output_shapes)


@dataset("GroupByReducerDataset", "ExperimentalGroupByReducerDataset", stateful=True)
def group_by_reducer_dataset(
    input_dataset: variant,
    key_func_other_arguments: Mixed("Tkey_func_other_arguments"),
    init_func_other_arguments: Mixed("Tinit_func_other_arguments"),
    reduce_func_other_arguments: Mixed("Treduce_func_other_arguments"),
    finalize_func_other_arguments: Mixed("Tfinalize_func_other_arguments"),
    *,
    key_func: Func,
    init_func: Func,
    reduce_func: Func,
    finalize_func: Func,
    Tkey_func_other_arguments: CAPTURED,
    Tinit_func_other_arguments: CAPTURED,
    Treduce_func_other_arguments: CAPTURED,
    Tfinalize_func_other_arguments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """What the elements of each key are reduced to."""
    data = GroupByReducer(
        data_of(input_dataset),
        ctx.function(key_func, key_func_other_arguments),
        ctx.function(init_func, init_func_other_arguments),
        ctx.function(reduce_func, reduce_func_other_arguments),
        ctx.function(finalize_func, finalize_func_other_arguments),
    )
    return made(data, output_types, output_shapes)


experimental_group_by_reducer_dataset = OPS["ExperimentalGroupByReducerDataset"]
