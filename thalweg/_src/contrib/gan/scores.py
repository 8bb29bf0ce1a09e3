"""How good generated images are, by what a classifier makes of them: Inception score, Fréchet and kernel distances."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.gan.classifier_graphs import INCEPTION_FINAL_POOL, INCEPTION_OUTPUT, run_inception
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.control.higher_order import map_fn
from thalweg._src.ops.nets.normalization import moments
from thalweg._src.ops.nets.softmax import log_softmax, softmax

Classifier = Callable[[Tensor], Tensor]


def _in_double(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A decorator: the matrices that `function` takes become float64, and its result what they were."""

    @functools.wraps(function)
    def wrapped(*matrices: Tensor) -> Tensor:
        for matrix in matrices:
            matrix.shape.assert_has_rank(2)
        return math.cast(function(*(math.cast(m, dtypes.float64) for m in matrices)), matrices[0].dtype)

    return wrapped


def _classified(images: Tensor, classifier_fn: Classifier, num_batches: int) -> Tensor:
    """`classifier_fn` of all images, batch by batch."""
    batches = array.stack(array.split(images, num_or_size_splits=num_batches))
    outputs = map_fn(
        fn=classifier_fn, elems=batches, parallel_iterations=1, back_prop=False, swap_memory=True, name="RunClassifier"
    )
    return array.concat(array.unstack(outputs), 0)


def kl_divergence(p: Tensor, p_logits: Tensor, q: Tensor) -> Tensor:
    """The divergence of each row of `p` from `q`. ValueError for integers and other ranks."""
    for tensor in (p, p_logits, q):
        if not tensor.dtype.is_floating:
            raise ValueError(f"Input {tensor.name} must be floating type.")
    p.shape.assert_has_rank(2)
    p_logits.shape.assert_has_rank(2)
    q.shape.assert_has_rank(1)
    return math.reduce_sum(p * (log_softmax(p_logits) - math.log(q)), axis=1)


@_in_double
def classifier_score_from_logits(logits: Tensor) -> Tensor:
    """exp of the mean divergence of each image's classes from those of all (arXiv 1606.03498)."""
    p = softmax(logits)
    return math.exp(math.reduce_mean(kl_divergence(p, logits, math.reduce_mean(p, axis=0))))


def classifier_score(images: Tensor, classifier_fn: Classifier, num_batches: int = 1) -> Tensor:
    """`classifier_score_from_logits` of what `classifier_fn` gives for `images`."""
    return classifier_score_from_logits(_classified(images, classifier_fn, num_batches))


def _square_root(matrix: Tensor, eps: float = 1e-10) -> Tensor:
    """The root of a symmetric matrix; singular values below `eps` stay as they are."""
    s, u, v = math.svd(matrix)
    roots = array.where(math.less(s, eps), s, math.sqrt(s))
    return math.matmul(math.matmul(u, array.diag(roots)), v, transpose_b=True)


def trace_sqrt_product(sigma: Tensor, sigma_v: Tensor) -> Tensor:
    """The trace of the root of the product of two covariances."""
    root = _square_root(sigma)
    return math.trace(_square_root(math.matmul(root, math.matmul(sigma_v, root))))


def _covariance(activations: Tensor, mean: Tensor) -> Tensor:
    centered = activations - mean
    count = math.cast(array.shape(activations)[0], activations.dtype)
    return math.matmul(centered, centered, transpose_a=True) / (count - 1)


@_in_double
def frechet_classifier_distance_from_activations(real_activations: Tensor, generated_activations: Tensor) -> Tensor:
    """The Fréchet distance of two normal distributions fitted to the rows (arXiv 1706.08500)."""
    m, m_w = math.reduce_mean(real_activations, 0), math.reduce_mean(generated_activations, 0)
    sigma, sigma_w = _covariance(real_activations, m), _covariance(generated_activations, m_w)
    trace = math.trace(sigma + sigma_w) - 2.0 * trace_sqrt_product(sigma, sigma_w)
    return trace + math.reduce_sum(math.squared_difference(m, m_w))


@_in_double
def mean_only_frechet_classifier_distance_from_activations(
    real_activations: Tensor, generated_activations: Tensor
) -> Tensor:
    """The squared distance of the means."""
    m, m_w = math.reduce_mean(real_activations, 0), math.reduce_mean(generated_activations, 0)
    return math.reduce_sum(math.squared_difference(m, m_w))


@_in_double
def diagonal_only_frechet_classifier_distance_from_activations(
    real_activations: Tensor, generated_activations: Tensor
) -> Tensor:
    """The Fréchet distance where covariances are taken for diagonal. ValueError where the columns differ."""
    m, var = moments(real_activations, axes=[0])
    m_w, var_w = moments(generated_activations, axes=[0])
    if var.get_shape() != m_w.get_shape():
        raise ValueError(f"shape: {var.get_shape()} must match expected shape: {m_w.get_shape()}")
    trace = math.reduce_sum(var + var_w - 2.0 * math.sqrt(math.multiply(var, var_w)))
    return trace + math.reduce_sum(math.squared_difference(m, m_w))


def frechet_classifier_distance(
    real_images: Tensor, generated_images: Tensor, classifier_fn: Classifier, num_batches: int = 1
) -> Tensor:
    """`frechet_classifier_distance_from_activations` of what `classifier_fn` gives for both."""
    return frechet_classifier_distance_from_activations(
        _classified(real_images, classifier_fn, num_batches), _classified(generated_images, classifier_fn, num_batches)
    )


def kernel_classifier_distance_and_std_from_activations(
    real_activations: Tensor, generated_activations: Tensor, max_block_size: int = 1024, dtype: Any = None
) -> tuple[Tensor, Tensor]:
    """The kernel distance (arXiv 1801.01401) and its standard error: the mean over blocks of the rows.

    The kernel is (x·y / columns + 1)³. With one block the error is NaN.
    """
    real_activations.shape.assert_has_rank(2)
    generated_activations.shape.assert_has_rank(2)
    real_activations.shape[1:].assert_is_compatible_with(generated_activations.shape[1:])
    dtype = real_activations.dtype if dtype is None else dtypes.as_dtype(dtype)
    real, generated = math.cast(real_activations, dtype), math.cast(generated_activations, dtype)
    counts = [array.shape(t)[0] for t in (real, generated)]
    blocks = math.cast(math.ceil(math.maximum(*counts) / max_block_size), dtypes.int32)
    starts = [_block_starts(count, blocks) for count in counts]
    width = math.cast(array.shape(real)[1], dtype)

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (math.matmul(x, y, transpose_b=True) / width + 1) ** 3

    def within(x: Tensor) -> Tensor:
        k, n = kernel(x, x), math.cast(array.shape(x)[0], dtype)
        return (math.reduce_sum(k) - math.trace(k)) / (n * (n - 1))

    def distance(i: Tensor) -> Tensor:
        r, g = real[starts[0][i] : starts[0][i + 1]], generated[starts[1][i] : starts[1][i + 1]]
        return -2 * math.reduce_mean(kernel(r, g)) + within(r) + within(g)

    each = map_fn(distance, math.range(blocks), dtype=dtype, back_prop=False)
    mean, count = math.reduce_mean(each), math.cast(blocks, dtype)
    variance = cond(
        math.less_equal(blocks, 1),
        lambda: constant(float("nan"), dtype=dtype),
        lambda: math.reduce_sum(math.square(each - mean)) / (count - 1),
    )
    return mean, math.sqrt(variance / count)


def _block_starts(count: Tensor, blocks: Tensor) -> Tensor:
    """Where each of `blocks` parts of `count` rows begins, and the end: the later parts have a row more."""
    size = count // blocks
    longer = count - size * blocks
    sizes = array.concat([array.fill([blocks - longer], size), array.fill([longer], size + 1)], 0)
    return array.concat([array.zeros([1], dtype=dtypes.int32), math.cumsum(sizes)], 0)


def kernel_classifier_distance_from_activations(
    real_activations: Tensor, generated_activations: Tensor, max_block_size: int = 1024, dtype: Any = None
) -> Tensor:
    """The distance alone of `kernel_classifier_distance_and_std_from_activations`."""
    return kernel_classifier_distance_and_std_from_activations(
        real_activations, generated_activations, max_block_size, dtype
    )[0]


def kernel_classifier_distance_and_std(
    real_images: Tensor,
    generated_images: Tensor,
    classifier_fn: Classifier,
    num_classifier_batches: int = 1,
    max_block_size: int = 1024,
    dtype: Any = None,
) -> tuple[Tensor, Tensor]:
    """`kernel_classifier_distance_and_std_from_activations` of what `classifier_fn` gives for both."""
    return kernel_classifier_distance_and_std_from_activations(
        _classified(real_images, classifier_fn, num_classifier_batches),
        _classified(generated_images, classifier_fn, num_classifier_batches),
        max_block_size,
        dtype,
    )


def kernel_classifier_distance(
    real_images: Tensor,
    generated_images: Tensor,
    classifier_fn: Classifier,
    num_classifier_batches: int = 1,
    max_block_size: int = 1024,
    dtype: Any = None,
) -> Tensor:
    """The distance alone of `kernel_classifier_distance_and_std`."""
    return kernel_classifier_distance_and_std(
        real_images, generated_images, classifier_fn, num_classifier_batches, max_block_size, dtype
    )[0]


_LOGITS = functools.partial(run_inception, output_tensor=INCEPTION_OUTPUT)
_POOL = functools.partial(run_inception, output_tensor=INCEPTION_FINAL_POOL)
inception_score = functools.partial(classifier_score, classifier_fn=_LOGITS)
frechet_inception_distance = functools.partial(frechet_classifier_distance, classifier_fn=_POOL)
kernel_inception_distance = functools.partial(kernel_classifier_distance, classifier_fn=_POOL)
kernel_inception_distance_and_std = functools.partial(kernel_classifier_distance_and_std, classifier_fn=_POOL)
