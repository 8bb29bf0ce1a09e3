"""Elements in groups of one key: windows, reductions, buckets by length."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import nest, structure
from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.data.dataset_spec import DatasetSpec
from thalweg._src.lib.data.functions import ElementFunction, state_function
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.data import grouping as ops
from thalweg._src.ops.late import array, math

Transformation = Callable[[Dataset], Any]
_INT = TensorSpec([], dtypes.int64)


def group_by_window(
    key_func: Callable[..., Any],
    reduce_func: Callable[..., Any],
    window_size: Any = None,
    window_size_func: Callable[..., Any] | None = None,
) -> Transformation:
    """Elements with one key gathered to windows, each made a dataset by `reduce_func(key, window)`.

    A window is full at `window_size` elements, or at `window_size_func(key)`. Raises ValueError unless one of the two is given.
    """
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Must pass either window_size or window_size_func.")
    size = (lambda key: window_size) if window_size_func is None else window_size_func

    def apply(dataset: Dataset) -> Dataset:
        what = "tf.data.experimental.group_by_window()"
        spec = dataset.element_spec
        key = ElementFunction(lambda *x: to_tensor(key_func(*x), dtypes.int64), what, spec)
        _check_int(key, "`key_func` must return a single tf.int64 scalar tensor.")
        reduce = ElementFunction(reduce_func, what, (_INT, DatasetSpec(spec)))
        if not isinstance(reduce.spec, DatasetSpec):
            raise TypeError("`reduce_func` must return a `Dataset` object.")
        width = ElementFunction(lambda k: to_tensor(size(k), dtypes.int64), what, _INT)
        _check_int(width, "`window_size_func` must return a single tf.int64 scalar tensor.")
        out = reduce.spec._element_spec
        variant = ops.group_by_window_dataset(
            dataset._variant_tensor,
            key.captured,
            reduce.captured,
            width.captured,
            key_func=key.graph,
            reduce_func=reduce.graph,
            window_size_func=width.graph,
            **structure.attrs(out),
        )
        return dataset._made(variant, out)

    return apply


def _check_int(f: ElementFunction, message: str) -> None:
    if not (isinstance(f.spec, TensorSpec) and f.spec.is_compatible_with(_INT)):
        raise ValueError(message)


class Reducer:
    """How a group becomes one element: `init_func(key)`, then `reduce_func(state, element)` for each, then `finalize_func(state)`."""

    def __init__(self, init_func: Any, reduce_func: Any, finalize_func: Any):
        self._init_func, self._reduce_func, self._finalize_func = init_func, reduce_func, finalize_func

    init_func = property(lambda self: self._init_func)
    reduce_func = property(lambda self: self._reduce_func)
    finalize_func = property(lambda self: self._finalize_func)


def group_by_reducer(key_func: Callable[..., Any], reducer: Reducer) -> Transformation:
    """One element for each key: what `reducer` makes of its elements. Raises ValueError where a key is no int64 scalar."""

    def apply(dataset: Dataset) -> Dataset:
        what = "tf.data.experimental.group_by_reducer()"
        spec = dataset.element_spec
        key = ElementFunction(key_func, what, spec)
        if not (isinstance(key.spec, TensorSpec) and key.spec.is_compatible_with(_INT)):
            raise ValueError(
                "`key_func` must return a single tf.int64 tensor. "
                f"Got type={structure.types_of(key.spec)} and shape={structure.shapes_of(key.spec)}"
            )
        init = ElementFunction(reducer.init_func, what, _INT)
        step, state = state_function(
            lambda s: ElementFunction(reducer.reduce_func, what, (s, spec)), init.spec, lambda s: s
        )
        end = ElementFunction(reducer.finalize_func, what, state)
        variant = ops.experimental_group_by_reducer_dataset(
            dataset._variant_tensor,
            key.captured,
            init.captured,
            step.captured,
            end.captured,
            key_func=key.graph,
            init_func=init.graph,
            reduce_func=step.graph,
            finalize_func=end.graph,
            **structure.attrs(end.spec),
        )
        return dataset._made(variant, end.spec)

    return apply


def reduce_dataset(dataset: Dataset, reducer: Reducer) -> Any:
    """What `reducer` makes of the whole dataset."""
    from thalweg._src.lib.data.experimental.transformations import get_single_element

    return get_single_element(dataset.apply(group_by_reducer(lambda *_: np.int64(0), reducer)))


def bucket_by_sequence_length(
    element_length_func: Callable[..., Any],
    bucket_boundaries: Sequence[int],
    bucket_batch_sizes: Sequence[int],
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> Transformation:
    """Batches of elements of similar length: `bucket_boundaries` part the lengths, each bucket has a batch size of its own.

    Batches are padded to their longest element, with `pad_to_bucket_boundary` to one less than the bucket's end, with `no_padding` not at
    all. Raises ValueError unless there is one batch size more than boundaries.
    """
    with name_scope("bucket_by_seq_length"):
        if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
            raise ValueError("len(bucket_batch_sizes) must equal len(bucket_boundaries) + 1")
        sizes = constant(bucket_batch_sizes, dtypes.int64)
        limits = np.iinfo(np.int32)
        low = [limits.min, *bucket_boundaries]
        high = [*bucket_boundaries, limits.max]

        def bucket(*element: Any) -> Any:
            length = element_length_func(*element)
            inside = math.logical_and(math.less_equal(low, length), math.less(length, high))
            return math.reduce_min(array.where(inside))

        def size_of(number: Any) -> Any:
            return sizes[number]

        def batch(number: Any, group: Dataset) -> Dataset:
            size = size_of(number)
            if no_padding:
                return group.batch(size, drop_remainder=drop_remainder)
            filler = _boundary(number, bucket_boundaries, len(sizes_list)) if pad_to_bucket_boundary else None
            shapes = padded_shapes or group.output_shapes
            padded = [_filled(s, filler) for s in nest.flatten(shapes)]
            return group.padded_batch(
                size, nest.pack_sequence_as(shapes, padded), padding_values, drop_remainder=drop_remainder
            )

        sizes_list = list(bucket_batch_sizes)
        return lambda dataset: dataset.apply(group_by_window(bucket, batch, window_size_func=size_of))


def _boundary(number: Any, boundaries: Sequence[int], count: int) -> Any:
    from thalweg._src.ops.reports.checks import assert_less

    message = "When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries)."
    check = assert_less(number, constant(count - 1, dtypes.int64), message=message)
    with get_default_graph().control_dependencies([check]):
        ends = constant(list(boundaries), dtypes.int64)
        return ends[number] - 1


def _filled(shape: Any, filler: Any) -> Any:
    return [filler if d is None else d for d in TensorShape(shape).as_list()]
