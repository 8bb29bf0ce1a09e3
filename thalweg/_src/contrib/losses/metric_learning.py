"""Losses of embeddings: near where labels are equal, apart where they differ."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.ops import array, math
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.reports.printing import Print


def _distances(x: Any, squared: bool = False) -> Any:
    """The distances of the rows of `x`, 0 on the diagonal and where rounding would make squares negative."""
    own = math.reduce_sum(elementwise.square(x), axis=[1], keepdims=True)
    other = math.reduce_sum(elementwise.square(array.transpose(x)), axis=[0], keepdims=True)
    squares = math.maximum(math.add(own, other) - 2.0 * math.matmul(x, array.transpose(x)), 0.0)
    zero = math.less_equal(squares, 0.0)
    found = squares if squared else elementwise.sqrt(squares + math.cast(zero, dtypes.float32) * 1e-16)
    found = math.multiply(found, math.cast(math.logical_not(zero), dtypes.float32))
    return math.multiply(found, array.ones_like(found) - array.diag(array.ones([array.shape(x)[0]])))


def _column(labels: Any) -> Any:
    return array.reshape(labels, [array.shape(labels)[0], 1])


def _equal(labels: Any) -> Any:
    """Which pairs have the same label: [n, n]."""
    labels = _column(labels)
    return math.equal(labels, array.transpose(labels))


def contrastive_loss(labels: Any, embeddings_anchor: Any, embeddings_positive: Any, margin: float = 1.0) -> Any:
    """The mean of d^2 for pairs of label 1 and max(0, margin - d)^2 for label 0 (Hadsell et al. 2006)."""
    apart = elementwise.sqrt(math.reduce_sum(math.squared_difference(embeddings_anchor, embeddings_positive), 1))
    labels = math.cast(labels, apart.dtype)
    near = labels * elementwise.square(apart)
    far = (1.0 - labels) * elementwise.square(math.maximum(margin - apart, 0.0))
    return math.reduce_mean(near + far, name="contrastive_loss")


def _masked_maximum(data: Any, mask: Any) -> Any:
    least = math.reduce_min(data, 1, keepdims=True)
    return math.reduce_max(math.multiply(data - least, mask), 1, keepdims=True) + least


def _masked_minimum(data: Any, mask: Any) -> Any:
    most = math.reduce_max(data, 1, keepdims=True)
    return math.reduce_min(math.multiply(data - most, mask), 1, keepdims=True) + most


def triplet_semihard_loss(labels: Any, embeddings: Any, margin: float = 1.0) -> Any:
    """The triplet loss with, for each pair, the nearest negative that is farther than the positive (Schroff et al. 2015)."""
    same = _equal(labels)
    n = array.size(_column(labels))
    apart = _distances(embeddings, squared=True)
    differ = math.logical_not(same)
    tiled = array.tile(apart, [n, 1])
    farther = math.greater(tiled, array.reshape(array.transpose(apart), [-1, 1]))
    mask = math.cast(math.logical_and(array.tile(differ, [n, 1]), farther), dtypes.float32)
    found = array.transpose(array.reshape(math.greater(math.reduce_sum(mask, 1, keepdims=True), 0.0), [n, n]))
    outside = array.transpose(array.reshape(_masked_minimum(tiled, mask), [n, n]))
    inside = array.tile(_masked_maximum(apart, math.cast(differ, dtypes.float32)), [1, n])
    losses = math.add(margin, apart - array.where(found, outside, inside))
    positives = math.cast(same, dtypes.float32) - array.diag(array.ones([n]))
    total = math.reduce_sum(math.maximum(math.multiply(losses, positives), 0.0))
    return math.truediv(total, math.reduce_sum(positives), name="triplet_semihard_loss")


def _npairs(targets: Any, anchors: Any, positives: Any, reg_lambda: float, print_losses: bool) -> Any:
    sizes = [math.reduce_mean(math.reduce_sum(elementwise.square(e), 1)) for e in (anchors, positives)]
    size = math.multiply(0.25 * reg_lambda, sizes[0] + sizes[1], name="l2loss")
    similar = math.matmul(anchors, positives, transpose_a=False, transpose_b=True)
    targets = targets / math.reduce_sum(targets, 1, keepdims=True)
    entropy = math.reduce_mean(
        softmax.softmax_cross_entropy_with_logits(logits=similar, labels=targets), name="xentropy"
    )
    if print_losses:
        entropy = Print(entropy, ["cross entropy:", entropy, "l2loss:", size])
    return size + entropy


def npairs_loss(
    labels: Any,
    embeddings_anchor: Any,
    embeddings_positive: Any,
    reg_lambda: float = 0.002,
    print_losses: bool = False,
) -> Any:
    """The cross-entropy of similarities with all others of the batch (Sohn 2016), plus a penalty on lengths."""
    targets = math.cast(_equal(labels), dtypes.float32)
    return _npairs(targets, embeddings_anchor, embeddings_positive, reg_lambda, print_losses)


def npairs_loss_multilabel(
    sparse_labels: Any,
    embeddings_anchor: Any,
    embeddings_positive: Any,
    reg_lambda: float = 0.002,
    print_losses: bool = False,
) -> Any:
    """`npairs_loss` where each example has several labels: a list of SparseTensors. Raises TypeError for anything else."""
    from thalweg._src.core.sparse_tensor import SparseTensor
    from thalweg._src.ops.arrays.stacking import stack
    from thalweg._src.ops.sparse import sparse_minimum, sparse_reduce_sum

    if not all(isinstance(labels, SparseTensor) for labels in sparse_labels):
        raise TypeError(f"sparse_labels must be a list of SparseTensors, but got {sparse_labels}")
    shared = [
        [math.cast(sparse_reduce_sum(sparse_minimum(a, b)), dtypes.float32) for b in sparse_labels]
        for a in sparse_labels
    ]
    targets = stack([stack(row) for row in shared])
    return _npairs(targets, embeddings_anchor, embeddings_positive, reg_lambda, print_losses)


def lifted_struct_loss(labels: Any, embeddings: Any, margin: float = 1.0) -> Any:
    """The lifted structured loss: every positive pair against all negatives of both (Song et al. 2016)."""
    same = _equal(labels)
    n = array.size(_column(labels))
    apart = _distances(embeddings)
    differ = math.cast(math.logical_not(same), dtypes.float32)
    slack = margin - apart
    row_most = _masked_maximum(slack, differ)
    most = math.maximum(row_most, array.transpose(row_most))
    tiled, mask = array.tile(slack, [n, 1]), array.tile(differ, [n, 1])
    column = array.reshape(array.transpose(most), [-1, 1])
    left = math.reduce_sum(math.multiply(elementwise.exp(tiled - column), mask), 1, keepdims=True)
    left = array.reshape(left, [n, n])
    losses = most + elementwise.log(left + array.transpose(left)) + apart
    positives = math.cast(same, dtypes.float32) - array.diag(array.ones([n]))
    pairs = math.reduce_sum(positives) / 2.0
    total = math.reduce_sum(elementwise.square(math.maximum(math.multiply(losses, positives), 0.0)))
    return math.truediv(0.25 * total, pairs, name="liftedstruct_loss")
