"""Losses over many classes that look at the true ones and a few sampled others: nce_loss, sampled_softmax_loss."""

import numpy as np

from thalweg._src.core.dtypes import as_dtype, float32, int32, int64
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import formerly
from thalweg._src.ops.arrays.constants import constant, ones_like, zeros_like
from thalweg._src.ops.basic import stop_gradient
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.candidate import compute_accidental_hits, log_uniform_candidate_sampler
from thalweg._src.ops.nets.embedding import embedding_lookup
from thalweg._src.ops.nets.softmax import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits_v2
from thalweg._src.ops.stateful.partitioned import PartitionedVariable


def _sum_rows(x):
    columns = array.shape(x)[1]
    ones = array.ones(array.stack([columns, 1]), x.dtype)
    return array.reshape(math.matmul(x, ones), [-1])


def _as(x, dtype):
    return x if x.dtype == dtype else math.cast(x, dtype)


def _unique_by_construction(sampled):
    return "unique" in sampled.op.attrs and sampled.op.attrs["unique"]


def _hits(labels, drawn, sampled, num_true, num_sampled, like):
    """What keeps sampled classes that are true ones out of a row: the lowest float there, zero elsewhere."""
    if _unique_by_construction(drawn):
        # All pairs compared. The number of hits, and with it the shape of a list of them, differs from step to step.
        pairs = math.equal(array.expand_dims(labels, 2), array.reshape(sampled, [1, 1, -1]))
        hit = math.reduce_any(pairs, 1)
        return math.cast(hit, like.dtype) * constant(float32.min, like.dtype)
    from thalweg._src.ops.sparse import sparse_to_dense

    rows, places, weights = compute_accidental_hits(labels, sampled, num_true=num_true)
    at = array.concat(
        [array.reshape(rows, [-1, 1]), array.reshape(math.cast(places, int32), [-1, 1])], 1, "sparse_indices"
    )
    shape = array.concat([array.shape(labels)[:1], array.expand_dims(num_sampled, 0)], 0)
    weights = _as(weights, like.dtype)
    return sparse_to_dense(at, shape, weights, default_value=0.0, validate_indices=False)


def sampled_logits(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true,
    sampled_values,
    remove_accidental_hits,
    partition_strategy,
    name,
    seed=None,
):
    """(logits, labels) [batch, num_true + num_sampled] of the true and the sampled classes."""
    weights = list(weights) if isinstance(weights, PartitionedVariable | list | tuple) else [weights]
    with name_scope(name, "compute_sampled_logits", [*weights, biases, inputs, labels]):
        labels = _as(labels, int64)
        flat = array.reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(
                true_classes=labels,
                num_true=num_true,
                num_sampled=num_sampled,
                unique=True,
                range_max=num_classes,
                seed=seed,
            )
        drawn = sampled_values[0]
        sampled, true_count, sampled_count = (stop_gradient(s) for s in sampled_values)
        sampled = math.cast(sampled, int64)
        ids = array.concat([flat, sampled], 0)
        count = lambda: array.shape(flat)
        all_w = _as(embedding_lookup(weights, ids, partition_strategy=partition_strategy), inputs.dtype)
        true_w = array.slice(all_w, [0, 0], array.stack([count()[0], -1]))
        sampled_w = array.slice(all_w, array.stack([count()[0], 0]), [-1, -1])
        sampled_logits = math.matmul(inputs, sampled_w, transpose_b=True)
        all_b = _as(embedding_lookup(biases, ids, partition_strategy=partition_strategy), inputs.dtype)
        true_b = array.slice(all_b, [0], count())
        sampled_b = array.slice(all_b, count(), [-1])
        width = array.shape(true_w)[1:2]
        shape = array.concat([[-1, num_true], width], 0)
        products = math.multiply(array.expand_dims(inputs, 1), array.reshape(true_w, shape))
        matrix = array.reshape(products, array.concat([[-1], width], 0))
        true_logits = array.reshape(_sum_rows(matrix), [-1, num_true])
        true_logits += array.reshape(true_b, [-1, num_true])
        sampled_logits += sampled_b
        if remove_accidental_hits:
            sampled_logits += _hits(labels, drawn, sampled, num_true, num_sampled, sampled_logits)
        true_logits -= math.log(true_count)
        sampled_logits -= math.log(sampled_count)
        logits = array.concat([true_logits, sampled_logits], 1)
        targets = array.concat([ones_like(true_logits) / num_true, zeros_like(sampled_logits)], 1)
        return logits, targets


def _inputs_first(args, kwargs):
    """Before 1.0 the inputs, which are no integers, stood before the labels."""
    if len(args) < 4:
        return False
    third = args[2] if hasattr(args[2], "dtype") else np.asarray(args[2])
    return as_dtype(third.dtype).is_floating


OLD_ORDER = (
    "weights biases inputs labels num_sampled num_classes num_true sampled_values remove_accidental_hits "
    "partition_strategy name"
)


@formerly(OLD_ORDER, when=_inputs_first)
def nce_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=False,
    partition_strategy="mod",
    name="nce_loss",
):
    """Noise-contrastive estimation: [batch] losses that tell the true classes from sampled ones.

    `weights` [num_classes, n] (or its parts), `biases` [num_classes], `labels` [batch, num_true], `inputs` [batch, n].
    The samples are log-uniform unless `sampled_values` gives what a sampler gave (Gutmann and Hyvarinen, 2010).
    """
    logits, targets = sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
    )
    losses = sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name="sampled_losses")
    return _sum_rows(losses)


@formerly(OLD_ORDER, when=_inputs_first)
def sampled_softmax_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=True,
    partition_strategy="mod",
    name="sampled_softmax_loss",
    seed=None,
):
    """[batch] cross-entropies of a softmax over the true and some sampled classes, as an estimate of the full one.

    Arguments as of `nce_loss`. For training; evaluate with the full softmax (Jean et al., 2014).
    """
    logits, targets = sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
        seed,
    )
    targets = stop_gradient(targets, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels=targets, logits=logits)
