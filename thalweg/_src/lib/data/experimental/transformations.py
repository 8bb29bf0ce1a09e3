"""Transformations of one dataset: functions that `dataset.apply` takes."""

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import nest, structure
from thalweg._src.lib.data.dataset import AUTOTUNE, Dataset, check_predicate
from thalweg._src.lib.data.functions import ElementFunction, state_function
from thalweg._src.lib.data.seeds import seed_tensors
from thalweg._src.lib.data.specs import SparseTensorSpec
from thalweg._src.ops import data as ops

Transformation = Callable[[Dataset], Any]


def unbatch() -> Transformation:
    """The rows of the elements, one by one."""
    return lambda dataset: dataset.unbatch()


def enumerate_dataset(start: Any = 0) -> Transformation:
    """Each element with its number."""
    return lambda dataset: dataset.enumerate(start)


def ignore_errors() -> Transformation:
    """The elements that raise no error."""
    return lambda d: d._like(ops.mapping.ignore_errors_dataset(d._variant_tensor, **d._flat_structure))


def unique() -> Transformation:
    """Each element once."""
    return lambda d: d._like(ops.choosing.unique_dataset(d._variant_tensor, **d._flat_structure))


def take_while(predicate: Callable[..., Any]) -> Transformation:
    """The elements before the first for which `predicate` is not true."""

    def apply(dataset: Dataset) -> Dataset:
        f = ElementFunction(predicate, "tf.data.experimental.take_while()", dataset.element_spec)
        check_predicate(f)
        variant = ops.choosing.take_while_dataset(
            dataset._variant_tensor, f.captured, predicate=f.graph, **dataset._flat_structure
        )
        return dataset._like(variant)

    return apply


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Transformation:
    """Random order, `count` times or for ever: the next epoch fills the buffer while the last one leaves it."""

    def apply(dataset: Dataset) -> Dataset:
        size = to_tensor(buffer_size, dtypes.int64, "buffer_size")
        times = to_tensor(-1 if count is None else count, dtypes.int64, "count")
        variant = ops.shuffling.shuffle_and_repeat_dataset(
            dataset._variant_tensor, size, *seed_tensors(seed), times, **dataset._flat_structure
        )
        return dataset._like(variant)

    return apply


def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """The second of what `scan_func(state, element)` returns; the first is the next state.

    Raises TypeError where it returns no pair, or a state of another type.
    """

    def apply(dataset: Dataset) -> Dataset:
        state = structure.normalized(initial_state)
        what = "tf.data.experimental.scan()"

        def make(spec: Any) -> ElementFunction:
            return ElementFunction(scan_func, what, (spec, dataset.element_spec))

        def split(returned: Any) -> Any:
            if not (isinstance(returned, tuple) and len(returned) == 2):
                raise TypeError("The scan function must return a pair comprising the new state and the output value.")
            return returned[0]

        f, spec = state_function(make, structure.spec_of(state), split)
        out = f.spec[1]
        variant = ops.mapping.scan_dataset(
            dataset._variant_tensor,
            structure.to_tensors(spec, state),
            f.captured,
            f=f.graph,
            preserve_cardinality=True,
            **structure.attrs(out),
        )
        return dataset._made(variant, out)

    return apply


def Counter(start: Any = 0, step: Any = 1, dtype: Any = dtypes.int64) -> Dataset:
    """start, start + step, start + 2 step, ... for ever."""
    with name_scope("counter"):
        first, by = to_tensor(start, dtype, "start"), to_tensor(step, dtype, "step")
        return Dataset.from_tensors(0).repeat(None).apply(scan(first, lambda state, _: (state + by, state)))


def map_and_batch(
    map_func: Callable[..., Any],
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: Any = False,
    num_parallel_calls: Any = None,
) -> Transformation:
    """Batches of `map_func` of each element, several made at once. Raises ValueError where both numbers are given."""
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError("The `num_parallel_batches` and `num_parallel_calls` arguments are mutually exclusive.")
    if num_parallel_calls is None:
        num_parallel_calls = batch_size if num_parallel_batches is None else batch_size * num_parallel_batches

    def apply(dataset: Dataset) -> Dataset:
        from thalweg._src.lib.data.dataset import full_size

        f = ElementFunction(map_func, "tf.data.experimental.map_and_batch()", dataset.element_spec)
        size = to_tensor(batch_size, dtypes.int64, "batch_size")
        calls = to_tensor(num_parallel_calls, dtypes.int64, "num_parallel_calls")
        drop = to_tensor(drop_remainder, dtypes.bool, "drop_remainder")
        spec = structure.batched(f.spec, full_size(size, drop))
        variant = ops.parallel.map_and_batch_dataset(
            dataset._variant_tensor,
            f.captured,
            size,
            calls,
            drop,
            f=f.graph,
            preserve_cardinality=True,
            **structure.attrs(spec),
        )
        return dataset._made(variant, spec)

    return apply


def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """Batches of `batch_size` elements, no smaller one at the end."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def padded_batch_and_drop_remainder(batch_size: Any, padded_shapes: Any, padding_values: Any = None) -> Transformation:
    """Padded batches of `batch_size` elements, no smaller one at the end."""
    return lambda dataset: dataset.padded_batch(batch_size, padded_shapes, padding_values, drop_remainder=True)


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Arrays of different sizes as batches of SparseTensors of the shape [batch, *row_shape]; -1 and None fit all."""

    def apply(dataset: Dataset) -> Dataset:
        kind = dataset.output_types
        if not isinstance(kind, dtypes.DType):
            raise TypeError(
                f"DenseToSparseDataset requires an input whose elements have a single component, whereas the input has {kind!r}."
            )
        dims = (
            row_shape
            if isinstance(row_shape, Tensor)
            else [-1 if d is None else d for d in as_shape(row_shape).as_list()]
        )
        known = None if isinstance(row_shape, Tensor) else as_shape(row_shape)
        spec = SparseTensorSpec(TensorShape([None]).concatenate(known), kind)
        variant = ops.shaping.dense_to_sparse_batch_dataset(
            dataset._variant_tensor, batch_size, to_tensor(dims, dtypes.int64), **structure.attrs(spec)
        )
        return dataset._made(variant, spec)

    return apply


def sliding_window_batch(
    window_size: Any, stride: Any = None, window_shift: Any = None, window_stride: Any = 1
) -> Transformation:
    """Batches of `window_size` elements that overlap, each beginning `window_shift` elements behind the last."""
    if stride is not None and window_shift is not None:
        raise ValueError("Cannot specify both `stride` and `window_shift`")
    shift = window_shift if window_shift is not None else 1 if stride is None else stride

    def apply(dataset: Dataset) -> Dataset:
        spec = structure.batched(dataset.element_spec, None)
        variant = ops.shaping.sliding_window_dataset(
            dataset._variant_tensor,
            to_tensor(window_size, dtypes.int64, "window_stride"),
            to_tensor(shift, dtypes.int64, "window_shift"),
            to_tensor(window_stride, dtypes.int64, "window_stride"),
            **structure.attrs(spec),
        )
        return dataset._made(variant, spec)

    return apply


def assert_element_shape(expected_shapes: Any) -> Transformation:
    """The elements, whose static shapes are now as expected. Raises ValueError where they can't be; a run checks the rest."""

    def merged(shape: Any, expected: Any) -> Any:
        return None if expected is None else as_shape(expected).merge_with(shape)

    def apply(dataset: Dataset) -> Dataset:
        shapes = nest.map_structure_up_to(dataset.output_shapes, merged, dataset.output_shapes, expected_shapes)
        flat = [
            own if s is None else s
            for own, s in zip(nest.flatten(dataset.output_shapes), nest.flatten(shapes), strict=True)
        ]
        out = dataset.map(_checker(flat))
        spec = structure.from_legacy(
            dataset.output_types, nest.pack_sequence_as(dataset.output_shapes, flat), dataset.output_classes
        )
        return Dataset(out._variant_tensor, spec, [dataset])

    return apply


def _checker(flat: list[Any]) -> Callable[..., Any]:
    from thalweg._src.ops.arrays.shaping import ensure_shape

    def check(*element: Any) -> Any:
        whole = element if len(element) > 1 else element[0]
        tensors = [
            ensure_shape(t, shape=s) if isinstance(t, Tensor) else t
            for t, s in zip(nest.flatten(whole), flat, strict=True)
        ]
        return nest.pack_sequence_as(whole, tensors)

    return check


def prefetch_to_device(device: Any, buffer_size: Any = None) -> Transformation:
    """The elements, copied to `device` by a thread, `buffer_size` of them ahead (2 by default): the last step of a pipeline."""
    copied = copy_to_device(device)
    return lambda dataset: copied(dataset).prefetch(AUTOTUNE if buffer_size is None else buffer_size)


def copy_to_device(target_device: Any, source_device: Any = "/cpu:0") -> Transformation:
    """The elements, copied to `target_device` when they are asked for."""

    def apply(d: Dataset) -> Dataset:
        with get_default_graph().device(target_device):
            return d._like(
                ops.devices.on_device_dataset(d._variant_tensor, **d._flat_structure, name="OnDeviceDataset")
            )

    return apply


def cardinality(dataset: Dataset) -> Tensor:
    """The number of elements, INFINITE_CARDINALITY, or UNKNOWN_CARDINALITY."""
    return ops.results.dataset_cardinality(dataset._variant_tensor)


def get_single_element(dataset: Dataset) -> Any:
    """The element of a dataset that has one. A run raises InvalidArgumentError for others."""
    if not isinstance(dataset, Dataset):
        raise TypeError("`dataset` must be a `tf.data.Dataset` object.")
    tensors = ops.results.dataset_to_single_element(dataset._variant_tensor, **dataset._flat_structure)
    return structure.from_tensors(dataset.element_spec, tensors)


def get_structure(dataset_or_iterator: Any) -> Any:
    """The structure of the elements. Raises TypeError for what is neither a dataset nor an iterator."""
    try:
        return dataset_or_iterator.element_spec
    except AttributeError:
        raise TypeError(
            f"`dataset_or_iterator` must be a Dataset or Iterator object, but got {type(dataset_or_iterator)}."
        ) from None


def get_output_types(dataset_or_iterator: Any) -> Any:
    """The dtypes of the components of the elements."""
    return structure.types_of(get_structure(dataset_or_iterator))


def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """The static shapes of the components of the elements."""
    return structure.shapes_of(get_structure(dataset_or_iterator))


def get_output_classes(dataset_or_iterator: Any) -> Any:
    """The Python types of the components of the elements."""
    return structure.classes_of(get_structure(dataset_or_iterator))


def make_one_shot_iterator(dataset: Dataset) -> Any:
    """An iterator that is ready at once and walks the dataset once."""
    return dataset.make_one_shot_iterator()


def make_initializable_iterator(dataset: Dataset, shared_name: str | None = None) -> Any:
    """An iterator that walks the dataset from the start whenever its initializer is run."""
    return dataset.make_initializable_iterator(shared_name)


def from_variant(variant: Tensor, structure: Any) -> Dataset:
    """The dataset that a tensor holds."""
    return Dataset(variant, structure)


def to_variant(dataset: Dataset) -> Tensor:
    """A dataset as a tensor."""
    return dataset._variant_tensor


class RandomDataset(Dataset):
    """Random integers of 32 bits, for ever."""

    def __init__(self, seed: Any = None):
        spec = TensorSpec([], dtypes.int64)
        super().__init__(ops.sources.random_dataset(*seed_tensors(seed), **structure.attrs(spec)), spec)


class TFRecordWriter:
    """Writes a dataset of strings to a TFRecord file."""

    def __init__(self, filename: Any, compression_type: Any = None):
        self._filename = to_tensor(filename, dtypes.string, "filename")
        self._compression_type = to_tensor(compression_type or "", dtypes.string, "compression_type")

    def write(self, dataset: Dataset) -> Any:
        """The operation that writes `dataset`. Raises TypeError where its elements are no scalar strings."""
        if not isinstance(dataset, Dataset):
            raise TypeError("`dataset` must be a `tf.data.Dataset` object.")
        if dataset.output_types != dtypes.string or not dataset.output_shapes.is_compatible_with(TensorShape([])):
            raise TypeError(
                "`dataset` must produce scalar `DT_STRING` tensors whereas it produces shape "
                f"{dataset.output_shapes} and types {dataset.output_types}"
            )
        return ops.results.dataset_to_tf_record(dataset._variant_tensor, self._filename, self._compression_type)
