"""Elements of several datasets: interleaved on threads, sampled, chosen; and resampled by class."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import nest, structure
from thalweg._src.lib.data.dataset import Dataset, dataset_function
from thalweg._src.lib.data.experimental.transformations import RandomDataset, scan
from thalweg._src.lib.data.functions import ElementFunction
from thalweg._src.ops import data as ops
from thalweg._src.ops.late import array, math

Transformation = Callable[[Dataset], Any]


def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: Any = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Transformation:
    """As `interleave`, each open dataset walked on a thread of its own. With `sloppy`, one that is not ready is passed over."""

    def apply(dataset: Dataset) -> Dataset:
        f = dataset_function(map_func, "tf.data.experimental.parallel_interleave()", dataset.element_spec)
        spec = f.spec._element_spec
        cycle = to_tensor(cycle_length, dtypes.int64, "cycle_length")
        block = to_tensor(block_length, dtypes.int64, "block_length")
        loose = to_tensor(sloppy, dtypes.bool, "sloppy")
        buffer = to_tensor(
            2 * block_length if buffer_output_elements is None else buffer_output_elements,
            dtypes.int64,
            "buffer_output_elements",
        )
        ahead = to_tensor(
            2 * cycle_length if prefetch_input_elements is None else prefetch_input_elements,
            dtypes.int64,
            "prefetch_input_elements",
        )
        variant = ops.parallel.parallel_interleave_dataset(
            dataset._variant_tensor, f.captured, cycle, block, loose, buffer, ahead, f=f.graph, **structure.attrs(spec)
        )
        return dataset._made(variant, spec)

    return apply


def sloppy_interleave(map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1) -> Transformation:
    """`parallel_interleave` in whatever order elements are ready."""
    return parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


def _chosen(selector: Dataset, datasets: Any) -> Dataset:
    first = datasets[0]
    shapes = first.output_shapes
    for d in datasets[1:]:
        if d.output_types != first.output_types or d.output_classes != first.output_classes:
            raise TypeError("All datasets must have the same type and class.")
        pairs = zip(nest.flatten(shapes), nest.flatten(d.output_shapes), strict=True)
        shapes = nest.pack_sequence_as(shapes, [a.most_specific_compatible_shape(b) for a, b in pairs])
    spec = structure.from_legacy(first.output_types, shapes, first.output_classes)
    variant = ops.combining.directed_interleave_dataset(
        selector._variant_tensor, [d._variant_tensor for d in datasets], **structure.attrs(spec)
    )
    return Dataset(variant, spec, [selector, *datasets])


def choose_from_datasets(datasets: Any, choice_dataset: Dataset) -> Dataset:
    """The next element of the dataset whose number `choice_dataset` gives. Raises TypeError unless those are int64 scalars."""
    if not structure.same(choice_dataset.element_spec, TensorSpec([], dtypes.int64)):
        raise TypeError("`choice_dataset` must be a dataset of scalar `tf.int64` tensors.")
    return _chosen(choice_dataset, datasets)


def sample_from_datasets(datasets: Any, weights: Any = None, seed: Any = None) -> Dataset:
    """The next element of a dataset drawn at random, with the probabilities `weights`: a vector, or a dataset of vectors.

    Raises TypeError for weights that are no floats, ValueError where there is not one for each dataset.
    """
    from thalweg._src.ops.chance.random_draws import stateless_multinomial_op

    datasets = list(datasets)

    def draw(logits: Any, pair: Any) -> Any:
        return array.squeeze(stateless_multinomial_op(logits, 1, pair), axis=[0, 1])

    if isinstance(weights, Dataset):
        pairs = Dataset.zip((weights.map(lambda *p: math.log(p, name="logits")), RandomDataset(seed).batch(2)))
        return _chosen(_mapped(pairs, draw), datasets)
    logits: Any
    if weights is None:
        logits = [[1.0] * len(datasets)]
    else:
        weights = to_tensor(weights, None, "weights")
        if weights.dtype not in (dtypes.float32, dtypes.float64):
            raise TypeError("`weights` must be convertible to a tensor of `tf.float32` or `tf.float64` elements.")
        if not weights.shape.is_compatible_with([len(datasets)]):
            raise ValueError("`weights` must be a vector of length `len(datasets)`.")
        logits = array.expand_dims(math.log(weights, name="logits"), 0)
    if len(datasets) == 1:
        return datasets[0]
    return _chosen(_mapped(RandomDataset(seed).batch(2), lambda pair: draw(logits, pair)), datasets)


def _mapped(dataset: Dataset, function: Callable[..., Any]) -> Dataset:
    """A map that is not spread over threads."""
    f = ElementFunction(function, "Dataset.map()", dataset.element_spec)
    variant = ops.mapping.map_dataset(
        dataset._variant_tensor, f.captured, f=f.graph, use_inter_op_parallelism=False, **structure.attrs(f.spec)
    )
    return dataset._made(variant, f.spec)


def rejection_resample(
    class_func: Callable[..., Any], target_dist: Any, initial_dist: Any = None, seed: Any = None
) -> Transformation:
    """Pairs (class, element) in which classes have the distribution `target_dist`; what there is too much of is dropped.

    `class_func` gives the class of an element, an int32 scalar. The distribution of the input is `initial_dist`, or estimated.
    """

    def apply(dataset: Dataset) -> Dataset:
        target = to_tensor(target_dist, None, "target_dist")
        classes = dataset.map(class_func)
        if initial_dist is None:
            initials = _estimated(target, classes)
            both = initials.map(lambda initial: _acceptance(initial, target))
            accepted, kept = both.map(lambda a, _: a), both.map(lambda _, p: p)
            static = None
        else:
            initial = to_tensor(initial_dist, None, "initial_dist")
            a, p = _acceptance(initial, target)
            initials, accepted, kept = (Dataset.from_tensors(t).repeat() for t in (initial, a, p))
            static = _static_share(initial, target)
        filtered = _filtered(dataset, accepted, classes, seed).prefetch(3)
        if static == 1:
            return Dataset.zip((classes, dataset))
        if static == 0:
            return filtered
        weights = kept.map(lambda prob: [(prob, 1.0 - prob)])
        return sample_from_datasets([Dataset.zip((classes, dataset)), filtered], weights=weights, seed=seed)

    return apply


def _static_share(initial: Any, target: Any) -> Any:
    a, b = infer.constant_value(initial), infer.constant_value(target)
    return None if a is None or b is None else np.min(b / a)


def _acceptance(initial: Any, target: Any) -> Any:
    """How often each class is accepted, and the share of elements that need not be drawn anew."""
    ratio = target / (initial + np.finfo(initial.dtype.as_numpy_dtype).tiny)
    least = math.reduce_min(ratio)
    return (ratio - least) / (math.reduce_max(ratio) - least), least


def _filtered(dataset: Dataset, accepted: Dataset, classes: Dataset, seed: Any) -> Dataset:
    from thalweg._src.ops.chance.random import random_uniform

    triples = Dataset.zip((classes, accepted, dataset)).map(lambda c, p, data: (c, array.gather(p, c), data))
    kept = triples.filter(lambda c, p, data: random_uniform([], seed=seed) < p)
    return kept.map(lambda c, p, data: (c, data))


def _estimated(target: Any, classes: Dataset, batch: int = 32, smoothing: int = 10) -> Dataset:
    """The distribution of classes so far, for each element."""
    from thalweg._src.ops.arrays.constants import fill

    count = (
        target.shape.as_list()[0] if target.dims is not None and target.dims[0] is not None else array.shape(target)[0]
    )
    seen = fill([count], np.int64(smoothing))

    def update(state: Any, c: Any) -> Any:
        width = state.shape.as_list()[0] if state.dims and state.dims[0] is not None else count
        new = math.add(state, math.reduce_sum(array.one_hot(c, width, dtype=dtypes.int64), 0))
        dist = math.cast(math.truediv(new, math.reduce_sum(new)), dtypes.float32)
        return new, array.tile(array.expand_dims(dist, 0), [batch, 1])

    return classes.batch(batch).apply(scan(seen, update)).unbatch()
