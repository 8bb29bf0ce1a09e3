"""Datasets of what is there: tensors, slices of tensors, ranges, random numbers, generators."""

import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import int64, variant
from thalweg._src.core.opdef import Func, Mixed, op, type_attr
from thalweg._src.ops.data.pipeline import (
    CAPTURED,
    FOREVER,
    SHAPES,
    TYPES,
    Data,
    Run,
    Words,
    component,
    dataset,
    invalid,
    made,
    scalar,
    shape_text,
)


class One(Data):
    """One element."""

    cardinality = 1

    def __init__(self, element: tuple):
        self.element = element

    def iterate(self, run: Run) -> Iterator[tuple]:
        return iter([self.element])


class Slices(Data):
    """The slices of arrays along their first axes."""

    def __init__(self, arrays: list[Any]):
        self.arrays = arrays
        self.cardinality = len(arrays[0])
        if all(type(a) is np.ndarray and a.dtype != object for a in arrays):
            self.rows = arrays

    def iterate(self, run: Run) -> Iterator[tuple]:
        return zip(*self.arrays, strict=False)

    def numbers(self, run: Run) -> Iterator[int]:
        return iter(range(self.cardinality))


class Elements(Data):
    """Elements that are known."""

    def __init__(self, elements: list[tuple]):
        self.elements = elements
        self.cardinality = len(elements)

    def iterate(self, run: Run) -> Iterator[tuple]:
        return iter(self.elements)


class Range(Data):
    """Integers from `start` to before `stop`."""

    def __init__(self, start: int, stop: int, step: int):
        self.range = range(start, stop, step)
        n = (stop - start + step + (-1 if step > 0 else 1)) // step  # len() ends at 2^63 - 1
        self.cardinality = max(n, 0)

    def iterate(self, run: Run) -> Iterator[tuple]:
        return zip(map(np.int64, self.range), strict=False)


class RandomWords(Data):
    """Random integers of 32 bits, for ever."""

    cardinality = FOREVER

    def __init__(self, seed: int, seed2: int):
        self.drawn = seed == 0 and seed2 == 0
        self.seed, self.seed2 = (secrets.randbits(63), secrets.randbits(63)) if self.drawn else (seed, seed2)

    def iterate(self, run: Run) -> Iterator[tuple]:
        words = Words(*run.seeds(self.seed, self.seed2, self.drawn))
        return iter(lambda: (np.int64(words.next()),), None)


class SparseSlices(Data):
    """The slices of a sparse tensor along its first axis: indices, values and shape of each."""

    def __init__(self, indices: Any, values: Any, dims: Any):
        self.indices, self.values, self.dims = indices, values, dims
        self.cardinality = int(dims[0])

    def iterate(self, run: Run) -> Iterator[tuple]:
        rows = self.indices[:, 0]
        ends = np.searchsorted(rows, np.arange(self.cardinality + 1))
        for start, end in zip(ends[:-1], ends[1:], strict=True):
            yield self.indices[start:end, 1:], self.values[start:end], self.dims[1:]


class Generated(Data):
    """What `next_func` gives of the state that `init_func` made, until it is out of range."""

    def __init__(self, init_func: Any, init_args: list[Any], next_func: Any, finalize_func: Any):
        self.functions = init_func, next_func, finalize_func
        self.init_args = init_args

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Generating(*self.functions, self.init_args)


class _Generating:
    def __init__(self, begin: Any, step: Any, end: Any, args: list[Any]):
        self.begin, self.step, self.end, self.args = begin, step, end, args
        self.state: Any = None
        self.finished = False

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        if self.finished:
            raise StopIteration
        if self.state is None:
            self.state = self.begin(*self.args)
        try:
            return tuple(map(component, self.step(*self.state)))
        except errors.OutOfRangeError:
            self.close()
            raise StopIteration from None

    def close(self) -> None:
        if not self.finished:
            self.finished = True
            self.end(*self.state)

    def __del__(self) -> None:
        if self.state is not None and not self.finished:
            try:
                self.close()
            except Exception:  # the session may be gone
                return


@dataset("TensorDataset", stateful=True)
def tensor_dataset(components: Mixed("Toutput_types", 1), *, Toutput_types: TYPES, output_shapes: SHAPES) -> variant:
    """One element: these tensors."""
    return made(One(tuple(map(component, components))), Toutput_types, output_shapes)


@dataset("TensorSliceDataset", stateful=True)
def tensor_slice_dataset(
    components: Mixed("Toutput_types", 1), *, Toutput_types: TYPES, output_shapes: SHAPES
) -> variant:
    """The slices of tensors along their first axes, which have one size."""
    for c in components:
        if np.ndim(c) == 0:
            raise invalid("All components must be at least 1-dimensional")
        if len(c) != len(components[0]):
            raise invalid(
                f"All components must have the same size in the 0th dimension: {shape_text(components[0])} and {shape_text(c)}"
            )
    return made(Slices(list(components)), Toutput_types, output_shapes)


@dataset("SparseTensorSliceDataset", stateful=True)
def sparse_tensor_slice_dataset(indices: int64, values: type_attr("Tvalues"), dense_shape: int64) -> variant:
    """The slices of a sparse tensor along its first axis."""
    if indices.ndim != 2:
        raise invalid(f"Input indices should be a matrix but received shape {shape_text(indices)}")
    if values.ndim != 1:
        raise invalid(f"Input values should be a vector but received shape {shape_text(values)}")
    if dense_shape.ndim != 1:
        raise invalid(f"Input shape should be a vector but received shape {shape_text(dense_shape)}")
    rows = indices[:, 0]
    if rows.size and (np.diff(rows) < 0).any():
        raise errors.UnimplementedError(
            None,
            None,
            "The SparseTensor must be ordered in the batch dimension; handling arbitrarily ordered input is not supported.",
        )
    if rows.size and (rows[0] < 0 or rows[-1] >= dense_shape[0]):
        raise invalid(f"Batch dimension of an index is out of the {dense_shape[0]} that there are")
    return made(SparseSlices(indices, values, dense_shape))


@dataset("RangeDataset", stateful=True)
def range_dataset(start: int64, stop: int64, step: int64, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """Integers from `start` to before `stop`."""
    by = scalar(step, "step")
    if by == 0:
        raise invalid("step must be a non-zero integer.")
    return made(Range(scalar(start, "start"), scalar(stop, "stop"), by), output_types, output_shapes)


@dataset("RandomDataset", "ExperimentalRandomDataset", stateful=True)
def random_dataset(seed: int64, seed2: int64, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """Random integers of 32 bits, for ever."""
    return made(RandomWords(scalar(seed, "seed"), scalar(seed2, "seed2")), output_types, output_shapes)


@dataset("GeneratorDataset", stateful=True)
def generator_dataset(
    init_func_other_args: Mixed("Tinit_func_args"),
    next_func_other_args: Mixed("Tnext_func_args"),
    finalize_func_other_args: Mixed("Tfinalize_func_args"),
    *,
    init_func: Func,
    next_func: Func,
    finalize_func: Func,
    Tinit_func_args: CAPTURED,
    Tnext_func_args: CAPTURED,
    Tfinalize_func_args: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    ctx,
) -> variant:
    """What a function gives of a state that another one made, until it is out of range."""
    return made(
        Generated(
            ctx.function(init_func, init_func_other_args),
            [],
            ctx.function(next_func, next_func_other_args),
            ctx.function(finalize_func, finalize_func_other_args),
        ),
        output_types,
        output_shapes,
    )


@op("WrapDatasetVariant", host=True, foldable=False)
def wrap_dataset_variant(input_handle: variant) -> variant:
    """A dataset as a variant that may be copied between devices; here it is the same."""
    return input_handle


@op("UnwrapDatasetVariant", host=True, foldable=False)
def unwrap_dataset_variant(input_handle: variant) -> variant:
    """What `wrap_dataset_variant` was given."""
    return input_handle


for _o in (wrap_dataset_variant, unwrap_dataset_variant):
    _o.shape_rule(lambda node: [()])
    _o.not_differentiable()
