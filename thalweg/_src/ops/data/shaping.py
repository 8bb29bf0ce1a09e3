"""Datasets of batches, windows and single rows."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import int64, variant
from thalweg._src.core.opdef import Many, Mixed
from thalweg._src.ops.data.pipeline import (
    SHAPES,
    TYPES,
    Data,
    From,
    Run,
    array,
    data_of,
    dataset,
    invalid,
    made,
    positive,
    scalar,
    taken,
)
from thalweg._src.ops.data.sources import Elements
from thalweg._src.ops.data.stacking import padded, stacked, unstacked


class Batch(From):
    """Every `size` elements joined by `join` to one; the last may have fewer unless `full`."""

    def __init__(self, source: Data, size: int, full: bool, join: Callable[[Sequence[tuple]], tuple] = stacked):
        super().__init__(source)
        self.size, self.full, self.join = size, full, join
        n = source.cardinality
        self.cardinality = n if n < 0 else n // size + (not full and n % size > 0)
        self.fresh = True

    def iterate(self, run: Run) -> Iterator[tuple]:
        rows = self.source.rows
        if rows is not None and self.join is stacked:
            return _Batching(
                self, self.source.numbers(run.at()), lambda numbers: tuple([a.take(numbers, 0) for a in rows])
            )
        return _Batching(self, self.source.iterate_by(self.size, run.at()), self.join)


class _Batching:
    def __init__(self, data: Batch, source: Iterator[Any], join: Callable[[Sequence[Any]], tuple]):
        self.size, self.full, self.join = data.size, data.full, join
        self.source: Iterator[Any] | None = source

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        if self.source is None:
            raise StopIteration
        rows = taken(self.source, self.size)
        if len(rows) < self.size:
            self.source = None
            if not rows or self.full:
                raise StopIteration
        return self.join(rows)


class Unbatch(From):
    """The rows of the elements, one by one."""

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Unbatching(self.source.iterate(run.at()))


class _Unbatching:
    def __init__(self, source: Iterator[tuple]):
        self.source = source
        self.rows: Iterator[tuple] = iter(())

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        while True:
            for row in self.rows:
                return row
            self.rows = iter(unstacked(next(self.source)))


class Window(From):
    """Datasets of `size` elements that are `stride` apart, each beginning `shift` elements behind the last."""

    def __init__(self, source: Data, size: int, shift: int, stride: int, full: bool):
        super().__init__(source)
        self.size, self.shift, self.stride, self.full = size, shift, stride, full
        n, span = source.cardinality, (size - 1) * stride + 1
        self.cardinality = n if n < 0 else -(-n // shift) if not full else max(0, (n - span) // shift + 1)

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Windowing(self, self.source.iterate(run.at()))


class _Windowing:
    def __init__(self, data: Window, source: Iterator[tuple]):
        self.data, self.source = data, source
        self.span = (data.size - 1) * data.stride + 1
        self.buffer: list[Any] = []
        self.skip = 0
        self.ended = False

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        data = self.data
        while not self.ended and len(self.buffer) < self.span:
            element: Any
            try:
                element = next(self.source)
            except StopIteration:
                self.ended = True
                break
            except errors.OpError as error:  # raised when a window that holds it is walked
                element = error
            if self.skip:
                self.skip -= 1
            else:
                self.buffer.append(element)
        buffer = self.buffer
        if not buffer or (data.full and len(buffer) < self.span):
            raise StopIteration
        window = buffer[: self.span : data.stride]
        failed = next((e for e in window if isinstance(e, errors.OpError)), None)
        if data.shift >= len(buffer):
            self.skip = data.shift - len(buffer)
            self.buffer = []
        else:
            self.buffer = buffer[data.shift :]
        if failed is not None:
            raise failed
        return tuple([Elements([(x,) for x in column]).of([t], [s]) for column, t, s in self._columns(window)])

    def _columns(self, window: list[tuple]) -> Any:
        count = len(window[0])
        types = self.data.source.types or [None] * count
        shapes = self.data.source.shapes or [None] * count
        return zip(zip(*window, strict=True), types, shapes, strict=True)


class DenseToSparse(From):
    """Arrays of one rank as batches of sparse tensors of the shape [batch, *row_shape]."""

    def __init__(self, source: Data, size: int, dims: list[int]):
        super().__init__(source)
        self.size, self.dims = size, dims

    def iterate(self, run: Run) -> Iterator[tuple]:
        return _Batching(Batch(self.source, self.size, False), self.source.iterate(run.at()), self._join)

    def _join(self, rows: Sequence[tuple]) -> tuple:
        arrays = [array(r[0]) for r in rows]
        size = [0 if d == -1 else d for d in self.dims]
        for a in arrays:
            if a.ndim != len(size):
                raise invalid(
                    f"Input element had shape ({list(a.shape)}) that is incompatible with the row shape ({self.dims})."
                )
            for axis, n in enumerate(a.shape):
                if self.dims[axis] == -1:
                    size[axis] = max(size[axis], n)
                elif n > self.dims[axis]:
                    raise errors.DataLossError(
                        None,
                        None,
                        f"Input element had shape ({list(a.shape)}) that is larger than the row shape ({self.dims}).",
                    )
        places, values = [], []
        for i, a in enumerate(arrays):
            inner = np.indices(a.shape).reshape(a.ndim, -1).T
            places.append(np.concatenate([np.full((a.size, 1), i), inner], axis=1))
            values.append(a.reshape(-1))
        out = np.empty(3, object)
        out[0] = np.concatenate(places).astype(np.int64)
        out[1] = np.concatenate(values)
        out[2] = np.array([len(arrays), *size], np.int64)
        return (out,)


@dataset("BatchDataset")
def batch_dataset(input_dataset: variant, batch_size: int64, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """Batches of elements; the last may be smaller."""
    return made(Batch(data_of(input_dataset), positive(batch_size, "Batch size"), False), output_types, output_shapes)


@dataset("BatchDatasetV2")
def batch_dataset_v2(
    input_dataset: variant,
    batch_size: int64,
    drop_remainder: bool_,
    *,
    parallel_copy: bool = False,
    output_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """Batches of elements; the last may be smaller unless it is dropped."""
    full = scalar(drop_remainder, "drop_remainder")
    return made(Batch(data_of(input_dataset), positive(batch_size, "Batch size"), full), output_types, output_shapes)


def _padded(source: Any, batch_size: Any, padded_shapes: Any, padding_values: Any, full: bool) -> Batch:
    for s in padded_shapes:
        if np.ndim(s) != 1:
            raise invalid("All padded shapes must be vectors")
    dims = [[int(d) for d in s] for s in padded_shapes]
    if any(d < -1 for s in dims for d in s):
        raise invalid(f"Dimensions of padded shapes must be >= -1, but they are {dims}")
    for v in padding_values:
        if np.ndim(v) != 0:
            raise invalid("All padding values must be scalars")
    return Batch(
        data_of(source), positive(batch_size, "Batch size"), full, lambda rows: padded(rows, dims, padding_values)
    )


@dataset("PaddedBatchDataset")
def padded_batch_dataset(
    input_dataset: variant,
    batch_size: int64,
    padded_shapes: Many(int64, "N", 1),
    padding_values: Mixed("Toutput_types", 1),
    *,
    Toutput_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """Batches of elements, filled up to one shape."""
    data = _padded(input_dataset, batch_size, padded_shapes, padding_values, False)
    return made(data, Toutput_types, output_shapes)


@dataset("PaddedBatchDatasetV2")
def padded_batch_dataset_v2(
    input_dataset: variant,
    batch_size: int64,
    padded_shapes: Many(int64, "N", 1),
    padding_values: Mixed("Toutput_types", 1),
    drop_remainder: bool_,
    *,
    parallel_copy: bool = False,
    Toutput_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """Batches of elements, filled up to one shape; a smaller last one may be dropped."""
    full = scalar(drop_remainder, "drop_remainder")
    data = _padded(input_dataset, batch_size, padded_shapes, padding_values, full)
    return made(data, Toutput_types, output_shapes)


@dataset("UnbatchDataset", "ExperimentalUnbatchDataset")
def unbatch_dataset(input_dataset: variant, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The rows of the elements."""
    return made(Unbatch(data_of(input_dataset)), output_types, output_shapes)


@dataset("WindowDataset")
def window_dataset(
    input_dataset: variant,
    size: int64,
    shift: int64,
    stride: int64,
    drop_remainder: bool_,
    *,
    output_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """Elements that are datasets: windows over the elements of another."""
    n, by, step = positive(size, "Window size"), positive(shift, "Window shift"), positive(stride, "Window stride")
    full = scalar(drop_remainder, "drop_remainder")
    return made(Window(data_of(input_dataset), n, by, step, full), output_types, output_shapes)


@dataset("SlidingWindowDataset", "ExperimentalSlidingWindowDataset")
def sliding_window_dataset(
    input_dataset: variant,
    window_size: int64,
    window_shift: int64,
    window_stride: int64,
    *,
    output_types: TYPES,
    output_shapes: SHAPES,
) -> variant:
    """Batches that overlap: windows over the elements of another, joined."""
    n, by = positive(window_size, "Window size"), positive(window_shift, "Window shift")
    step = positive(window_stride, "window_stride")
    return made(Joined(Window(data_of(input_dataset), n, by, step, True)), output_types, output_shapes)


class Joined(From):
    """Windows as batches."""

    def iterate(self, run: Run) -> Iterator[tuple]:
        def join(windows: tuple) -> tuple:
            return stacked(list(zip(*[[e[0] for e in w.elements] for w in windows], strict=True)))

        return map(join, self.source.iterate(run.at()))


@dataset("DenseToSparseBatchDataset", "ExperimentalDenseToSparseBatchDataset")
def dense_to_sparse_batch_dataset(
    input_dataset: variant, batch_size: int64, row_shape: int64, *, output_types: TYPES, output_shapes: SHAPES
) -> variant:
    """Arrays of different sizes as batches of sparse tensors."""
    dims = [int(d) for d in row_shape]
    if any(d < -1 for d in dims):
        raise invalid(f"Dimension {min(dims)} must be >= -1")
    return made(
        DenseToSparse(data_of(input_dataset), positive(batch_size, "Batch size"), dims), output_types, output_shapes
    )
