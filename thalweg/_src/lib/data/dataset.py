"""tf.data.Dataset: a description of elements and how to get them, as a tensor of type variant in the graph."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dimension import Dimension
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import colocate_with, name_scope
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import nest, shards, structure
from thalweg._src.lib.data.dataset_spec import DatasetSpec
from thalweg._src.lib.data.eager_iterator import EagerIterator
from thalweg._src.lib.data.functions import ElementFunction, state_function
from thalweg._src.lib.data.iterator import Iterator
from thalweg._src.lib.data.one_shot import factory_of
from thalweg._src.lib.data.options import Options
from thalweg._src.lib.data.seeds import seed_tensors
from thalweg._src.lib.platform.logging import warning
from thalweg._src.ops import data as ops

AUTOTUNE = -1


class Dataset(structure.Structured):
    """Elements of one structure, and a plan how to get them. Methods give new datasets; an iterator walks one.

    >>> dataset = tf.data.Dataset.range(10).filter(lambda x: x % 2 > 0).batch(2)
    >>> first = dataset.make_one_shot_iterator().get_next()
    >>> run(first)
    array([1, 3])
    """

    def __init__(
        self,
        variant_tensor: Any = None,
        element_spec: Any = None,
        inputs: Any = (),
        options: Any = None,
        function: Any = None,
    ):
        self._variant = self._as_variant_tensor() if variant_tensor is None else variant_tensor
        self._spec, self._sources, self._own_options = element_spec, list(inputs), options
        self._made_in, self._own_function = get_default_graph(), function

    def _as_variant_tensor(self) -> Tensor:
        raise NotImplementedError("Dataset._as_variant_tensor")

    def _inputs(self) -> list["Dataset"]:
        return self._sources

    def _functions(self) -> list[Any]:
        """The functions of elements that this dataset calls."""
        return [f for f in (self._own_function,) if f is not None]

    @property
    def _variant_tensor(self) -> Tensor:
        return self._variant

    @property
    def _graph(self) -> Any:
        return self._made_in

    @property
    def element_spec(self) -> Any:
        """The structure of an element, each component as a TypeSpec."""
        if self._spec is None:  # a subclass says it in the old way
            return structure.from_legacy(self.output_types, self.output_shapes, self.output_classes)
        return self._spec

    @property
    def _type_spec(self) -> Any:
        return DatasetSpec(self.element_spec)

    @property
    def _flat_types(self) -> list[Any]:
        return structure.flat_types(self.element_spec)

    @property
    def _flat_shapes(self) -> list[Any]:
        return structure.flat_shapes(self.element_spec)

    @property
    def _flat_structure(self) -> dict[str, Any]:
        return structure.attrs(self.element_spec)

    def __repr__(self) -> str:
        shapes = str(nest.map_structure(str, self.output_shapes)).replace("'", "")
        types = str(nest.map_structure(repr, self.output_types)).replace("'", "")
        return f"<{type(self).__name__} shapes: {shapes}, types: {types}>"

    def __iter__(self) -> Any:
        if executing_eagerly():
            return EagerIterator(self)
        raise RuntimeError("__iter__() is only supported inside of tf.function or when eager execution is enabled.")

    def _like(self, variant: Tensor) -> "Dataset":
        """A dataset of elements of the same structure."""
        return Dataset(variant, self.element_spec, [self])

    def _made(self, variant: Tensor, spec: Any, inputs: Any = None, function: Any = None) -> "Dataset":
        return Dataset(variant, spec, [self] if inputs is None else inputs, function=function)

    # -- sources

    @staticmethod
    def from_tensors(tensors: Any) -> "Dataset":
        """One element."""
        element = structure.normalized(tensors)
        spec = structure.spec_of(element)
        flat = structure.to_tensors(spec, element)
        return Dataset(ops.sources.tensor_dataset(flat, output_shapes=structure.flat_shapes(spec)), spec)

    @staticmethod
    def from_tensor_slices(tensors: Any) -> "Dataset":
        """The slices of tensors along their first axes. Raises ValueError where their sizes differ."""
        element = structure.normalized(tensors)
        spec = structure.spec_of(element)
        flat = structure.to_batched_tensors(spec, element)
        rows = structure.unbatched(spec)
        first = Dimension(flat[0].dims[0] if flat[0].dims else None)
        for t in flat[1:]:
            first.assert_is_compatible_with(Dimension(t.dims[0] if t.dims else None))
        return Dataset(ops.sources.tensor_slice_dataset(flat, output_shapes=structure.flat_shapes(rows)), rows)

    @staticmethod
    def from_sparse_tensor_slices(sparse_tensor: Any) -> "Dataset":
        """The slices of a SparseTensor along its first axis, each as its indices, values and shape."""
        if not isinstance(sparse_tensor, SparseTensor):
            raise TypeError(f"`sparse_tensor` must be a `tf.SparseTensor` object. Was {sparse_tensor}.")
        s = sparse_tensor
        width = Dimension(s.indices.dims[1] if s.indices.dims else None) - 1
        rank = width.merge_with(Dimension(s.dense_shape.dims[0] if s.dense_shape.dims else None) - 1).value
        spec = (
            TensorSpec([None, rank], dtypes.int64),
            TensorSpec([None], s.dtype),
            TensorSpec([rank], dtypes.int64),
        )
        return Dataset(ops.sources.sparse_tensor_slice_dataset(s.indices, s.values, s.dense_shape), spec)

    @staticmethod
    def from_generator(generator: Any, output_types: Any, output_shapes: Any = None, args: Any = None) -> "Dataset":
        """What the iterators that `generator(*args)` makes yield. Each walk over the dataset calls it anew."""
        from thalweg._src.lib.data.generator import from_generator

        return from_generator(generator, output_types, output_shapes, args)

    @staticmethod
    def range(*args: Any) -> "Dataset":
        """`range(stop)`, `range(start, stop)` or `range(start, stop, step)`, as int64."""
        if len(args) not in (1, 2, 3):
            raise ValueError(f"Invalid arguments to RangeDataset: {args}")
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        bounds = [to_tensor(v, dtypes.int64, n) for v, n in ((start, "start"), (stop, "stop"), (step, "step"))]
        spec = TensorSpec([], dtypes.int64)
        return Dataset(ops.sources.range_dataset(*bounds, **structure.attrs(spec)), spec)

    @staticmethod
    def zip(datasets: Any) -> "Dataset":
        """The elements of a structure of datasets side by side. Raises TypeError for lists."""
        flat = nest.flatten(datasets)
        for d in flat:
            if not isinstance(d, Dataset):
                message = "The argument to `Dataset.zip()` must be a nested structure of `Dataset` objects."
                if isinstance(d, list):
                    message += " Nested structures do not support Python lists; please use a tuple instead."
                raise TypeError(message)
        spec = nest.pack_sequence_as(datasets, [d.element_spec for d in flat])
        variant = ops.combining.zip_dataset([d._variant_tensor for d in flat], **structure.attrs(spec))
        return Dataset(variant, spec, flat)

    @staticmethod
    def list_files(file_pattern: Any, shuffle: Any = None, seed: Any = None) -> "Dataset":
        """The names of the files that match a pattern or patterns, in random order unless `shuffle` is False."""
        from thalweg._src.lib.data.readers import list_files

        return list_files(file_pattern, shuffle, seed)

    # -- choosing and combining

    def concatenate(self, dataset: "Dataset") -> "Dataset":
        """The elements of this one, then those of `dataset`. Raises TypeError where types differ."""
        for what, a, b in (
            ("types", self.output_types, dataset.output_types),
            ("classes", self.output_classes, dataset.output_classes),
        ):
            if a != b:
                raise TypeError(f"Two datasets to concatenate have different {what} {a} and {b}")
        pairs = zip(nest.flatten(self.output_shapes), nest.flatten(dataset.output_shapes), strict=True)
        shapes = nest.pack_sequence_as(self.output_shapes, [a.most_specific_compatible_shape(b) for a, b in pairs])
        spec = structure.from_legacy(self.output_types, shapes, self.output_classes)
        variant = ops.combining.concatenate_dataset(
            self._variant_tensor, dataset._variant_tensor, **structure.attrs(spec)
        )
        return self._made(variant, spec, [self, dataset])

    def take(self, count: Any) -> "Dataset":
        """The first `count` elements; all where it is -1."""
        count = to_tensor(count, dtypes.int64, "count")
        return self._like(ops.choosing.take_dataset(self._variant_tensor, count, **self._flat_structure))

    def skip(self, count: Any) -> "Dataset":
        """All but the first `count` elements; none where it is -1."""
        count = to_tensor(count, dtypes.int64, "count")
        return self._like(ops.choosing.skip_dataset(self._variant_tensor, count, **self._flat_structure))

    def shard(self, num_shards: Any, index: Any) -> "Dataset":
        """Every `num_shards`-th element, from the one at `index` on. Raises NoSuchShard, an InvalidArgumentError and ValueError."""
        n, i = to_tensor(num_shards, dtypes.int64, "num_shards"), to_tensor(index, dtypes.int64, "index")
        shards.check(n, i)
        return self._like(ops.choosing.shard_dataset(self._variant_tensor, n, i, **self._flat_structure))

    def repeat(self, count: Any = None) -> "Dataset":
        """The elements `count` times, or for ever."""
        count = to_tensor(-1 if count is None else count, dtypes.int64, "count")
        return self._like(ops.choosing.repeat_dataset(self._variant_tensor, count, **self._flat_structure))

    def enumerate(self, start: Any = 0) -> "Dataset":
        """Each element with its number."""
        return Dataset.zip((Dataset.range(start, np.iinfo(np.int64).max), self))

    def shuffle(self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: Any = None) -> "Dataset":
        """The elements in random order: each is drawn from a buffer of the next `buffer_size`. Equal seeds give TensorFlow's order."""
        size = to_tensor(buffer_size, dtypes.int64, "buffer_size")
        seeds = seed_tensors(seed)
        again = True if reshuffle_each_iteration is None else reshuffle_each_iteration
        variant = ops.shuffling.shuffle_dataset(
            self._variant_tensor, size, *seeds, reshuffle_each_iteration=again, **self._flat_structure
        )
        return self._like(variant)

    def cache(self, filename: Any = "") -> "Dataset":
        """The elements, kept in memory or in a file by the first whole walk."""
        path = to_tensor(filename, dtypes.string, "filename")
        return self._like(ops.caching.cache_dataset(self._variant_tensor, path, **self._flat_structure))

    def prefetch(self, buffer_size: Any) -> "Dataset":
        """The elements, up to `buffer_size` of them made ahead on another thread."""
        size = to_tensor(-1 if buffer_size is None else buffer_size, dtypes.int64, "buffer_size")
        return self._like(ops.parallel.prefetch_dataset(self._variant_tensor, size, **self._flat_structure))

    # -- batches

    def batch(self, batch_size: Any, drop_remainder: Any = False) -> "Dataset":
        """Batches of `batch_size` elements of equal shapes; the last may be smaller unless it is dropped."""
        size = to_tensor(batch_size, dtypes.int64, "batch_size")
        drop = to_tensor(drop_remainder, dtypes.bool, "drop_remainder")
        spec = structure.batched(self.element_spec, full_size(size, drop))
        variant = ops.shaping.batch_dataset_v2(self._variant_tensor, size, drop, **structure.attrs(spec))
        return self._made(variant, spec)

    def padded_batch(
        self, batch_size: Any, padded_shapes: Any, padding_values: Any = None, drop_remainder: Any = False
    ) -> "Dataset":
        """Batches of elements that are filled up to common shapes; None in a shape is the largest size of the batch."""
        from thalweg._src.lib.data.padding import padded_batch

        return padded_batch(self, batch_size, padded_shapes, padding_values, drop_remainder)

    def unbatch(self) -> "Dataset":
        """The rows of the elements, one by one."""
        known = Dimension(None)
        for s in self._flat_shapes:
            if s.ndims == 0:
                raise ValueError("Cannot unbatch an input with scalar components.")
            try:
                known = known.merge_with(Dimension(s._dims[0] if s._dims else None))
            except ValueError:
                raise ValueError("Cannot unbatch an input whose components have different batch sizes.") from None
        rows = structure.unbatched(self.element_spec)

        def normalize(*parts: Any) -> Any:
            return tuple(structure.to_batched_tensors(self.element_spec, parts if len(parts) > 1 else parts[0]))

        def single(*parts: Any) -> Any:
            if isinstance(self.element_spec, tuple) and len(parts) == 1:
                return tuple(structure.to_batched_tensors(self.element_spec, parts))
            return normalize(*parts)

        flat = self.map(single)
        variant = ops.shaping.unbatch_dataset(flat._variant_tensor, **structure.attrs(rows))
        return self._made(variant, rows)

    def dense_to_sparse_batch(self, batch_size: Any, row_shape: Any) -> "Dataset":
        """`tf.contrib.data.dense_to_sparse_batch`, which was a method in TensorFlow 1.2 to 1.4."""
        from thalweg._src.lib.data.experimental.transformations import dense_to_sparse_batch

        return self.apply(dense_to_sparse_batch(batch_size, row_shape))

    def group_by_window(self, key_func: Callable, reduce_func: Callable, window_size: Any) -> "Dataset":
        """`tf.contrib.data.group_by_window`, which was a method in TensorFlow 1.2 to 1.4."""
        from thalweg._src.lib.data.experimental.grouping import group_by_window

        return self.apply(group_by_window(key_func, reduce_func, window_size))

    def ignore_errors(self) -> "Dataset":
        """`tf.contrib.data.ignore_errors`, which was a method in TensorFlow 1.2 to 1.4."""
        from thalweg._src.lib.data.experimental.transformations import ignore_errors

        return self.apply(ignore_errors())

    def window(self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: Any = False) -> "Dataset":
        """Datasets of `size` elements each, one dataset per component."""
        n = to_tensor(size, dtypes.int64, "size")
        by = to_tensor(size if shift is None else shift, dtypes.int64, "shift")
        step = to_tensor(stride, dtypes.int64, "stride")
        drop = to_tensor(drop_remainder, dtypes.bool, "drop_remainder")
        spec = nest.map_structure(DatasetSpec, self.element_spec)
        variant = ops.shaping.window_dataset(self._variant_tensor, n, by, step, drop, **structure.attrs(spec))
        return self._made(variant, spec)

    # -- functions of elements

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        *,
        num_threads: Any = None,
        output_buffer_size: Any = None,
    ) -> "Dataset":
        """`map_func` of each element; with `num_parallel_calls`, several at once, in order.

        In `tf.contrib.data` of TensorFlow 1.2 to 1.4 that was `num_threads`, and `output_buffer_size` a prefetch behind it.
        """
        if output_buffer_size is not None:
            return self.map(map_func, num_parallel_calls, num_threads=num_threads).prefetch(output_buffer_size)
        num_parallel_calls = num_threads if num_parallel_calls is None else num_parallel_calls
        f = ElementFunction(map_func, "Dataset.map()", self.element_spec)
        attrs = structure.attrs(f.spec)
        if num_parallel_calls is None:
            variant = ops.mapping.map_dataset(self._variant_tensor, f.captured, f=f.graph, **attrs)
        else:
            calls = to_tensor(num_parallel_calls, dtypes.int32, "num_parallel_calls")
            variant = ops.parallel.parallel_map_dataset(self._variant_tensor, f.captured, calls, f=f.graph, **attrs)
        return self._made(variant, f.spec, function=f)

    map_with_legacy_function = map

    def flat_map(self, map_func: Callable[..., Any]) -> "Dataset":
        """The elements of the datasets that `map_func` makes of each element, one dataset after the other."""
        f = dataset_function(map_func, "Dataset.flat_map()", self.element_spec)
        spec = f.spec._element_spec
        variant = ops.mapping.flat_map_dataset(self._variant_tensor, f.captured, f=f.graph, **structure.attrs(spec))
        return self._made(variant, spec, function=f)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = AUTOTUNE,
        block_length: Any = 1,
        num_parallel_calls: Any = None,
    ) -> "Dataset":
        """As `flat_map`, with `cycle_length` datasets open at once, from which `block_length` elements are taken in turn."""
        f = dataset_function(map_func, "Dataset.interleave()", self.element_spec)
        spec = f.spec._element_spec
        cycle = to_tensor(cycle_length, dtypes.int64, "cycle_length")
        block = to_tensor(block_length, dtypes.int64, "block_length")
        if num_parallel_calls is None:
            variant = ops.mapping.interleave_dataset(
                self._variant_tensor, f.captured, cycle, block, f=f.graph, **structure.attrs(spec)
            )
        else:
            calls = to_tensor(num_parallel_calls, dtypes.int64, "num_parallel_calls")
            variant = ops.parallel.parallel_interleave_dataset_v2(
                self._variant_tensor, f.captured, cycle, block, calls, f=f.graph, **structure.attrs(spec)
            )
        return self._made(variant, spec, function=f)

    def filter(self, predicate: Callable[..., Any]) -> "Dataset":
        """The elements for which `predicate` is true."""
        f = ElementFunction(predicate, "Dataset.filter()", self.element_spec)
        check_predicate(f)
        variant = ops.choosing.filter_dataset(
            self._variant_tensor, f.captured, predicate=f.graph, **self._flat_structure
        )
        return self._made(variant, self.element_spec, function=f)

    filter_with_legacy_function = filter

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
        """What is left of `initial_state` when `reduce_func(state, element)` has made it anew with each element."""
        with name_scope("initial_state"):
            state = structure.normalized(initial_state)
        f, spec = state_function(
            lambda s: ElementFunction(reduce_func, "reduce()", (s, self.element_spec)),
            structure.spec_of(state),
            lambda s: s,
        )
        tensors = ops.results.reduce_dataset(
            self._variant_tensor, structure.to_tensors(spec, state), f.captured, f=f.graph, **structure.attrs(spec)
        )
        return structure.from_tensors(spec, tensors)

    def apply(self, transformation_func: Callable[["Dataset"], Any]) -> Any:
        """`transformation_func(self)`. Raises TypeError where it gives no dataset."""
        dataset = transformation_func(self)
        if not isinstance(dataset, Dataset):
            raise TypeError(f"`transformation_func` must return a Dataset. Got {type(dataset).__name__}: {dataset}")
        return dataset

    # -- options and iterators

    def options(self) -> Options:
        """The options of this dataset and of those that it is made of."""
        out = Options()
        for source in self._inputs():
            out = out.merge(source.options())
        return out.merge(self._own_options) if self._own_options is not None else out

    def with_options(self, options: Options) -> "Dataset":
        """This dataset with `options`. Raises ValueError where one is set to something else already."""
        self.options().merge(options)
        return Dataset(self._variant_tensor, self.element_spec, [self], options)

    def _apply_options(self) -> "Dataset":
        return self.options().applied(self)

    def make_one_shot_iterator(self) -> Iterator:
        """An iterator that is ready at once and walks the dataset once. The dataset can't refer to variables or tables."""
        if executing_eagerly():
            return EagerIterator(self)  # type: ignore[return-value]
        _warn_of_graphs(self)
        factory = factory_of(self)
        resource = ops.iterators.one_shot_iterator(dataset_factory=factory, **self._flat_structure)
        return Iterator(resource, None, self.output_types, self.output_shapes, self.output_classes)

    _make_one_shot_iterator = make_one_shot_iterator

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """An iterator that walks the dataset from the start whenever its `initializer` is run."""
        if executing_eagerly():
            raise RuntimeError(
                "dataset.make_initializable_iterator is not supported when eager execution is enabled. Use `for element in dataset` "
                "instead."
            )
        _warn_of_graphs(self)
        dataset = self._apply_options()
        resource = ops.iterators.iterator_v2(container="", shared_name=shared_name or "", **self._flat_structure)
        with colocate_with(resource.op):
            initializer = ops.iterators.make_iterator(dataset._variant_tensor, resource)
        return Iterator(resource, initializer, self.output_types, self.output_shapes, self.output_classes)

    _make_initializable_iterator = make_initializable_iterator


def _warn_of_graphs(dataset: Dataset) -> None:
    """Warn where a dataset, or what it is made of, stands in another graph than the iterator that is made now."""
    here, seen, stack = get_default_graph(), set(), [dataset]
    while stack:
        d = stack.pop()
        if id(d) in seen:
            continue
        seen.add(id(d))
        if d._graph is not here:
            warning(
                f"The graph ({here}) of the iterator is different from the graph ({d._graph}) the dataset: {d._variant_tensor} was "
                "created in. If you are using the Estimator API, make sure that no part of the dataset returned by the `input_fn` "
                "function is defined outside the `input_fn` function. Please ensure that all datasets in the pipeline are created in "
                "the same graph as the iterator."
            )
        stack += d._inputs()


def full_size(size: Tensor, drop: Tensor) -> int | None:
    """The size of every batch, where it is known and none is smaller."""
    known = infer.constant_value(drop)
    if known is None or not known:
        return None
    value = infer.constant_value(size)
    return None if value is None else int(value)


def dataset_function(func: Callable[..., Any], what: str, spec: Any) -> ElementFunction:
    """A function that makes a dataset of an element. Raises TypeError where it does not."""
    f = ElementFunction(func, what, spec)
    if not isinstance(f.spec, DatasetSpec):
        raise TypeError(f"`map_func` must return a `Dataset` object. Got {type(f.spec)}")
    return f


def check_predicate(f: ElementFunction) -> None:
    """Raises ValueError unless the function gives one bool."""
    if not (isinstance(f.spec, TensorSpec) and f.spec.is_compatible_with(TensorSpec([], dtypes.bool))):
        raise ValueError(f"`predicate` return type must be convertible to a scalar boolean tensor. Was {f.spec}.")
