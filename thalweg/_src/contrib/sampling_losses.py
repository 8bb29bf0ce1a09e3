"""tf.contrib.nn: sampled softmax losses with harder samples or with sparse labels; gradients forward through a graph."""

from collections.abc import Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import zeros, zeros_like
from thalweg._src.ops.arrays.topk import top_k
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.candidate import learned_unigram_candidate_sampler
from thalweg._src.ops.nets.embedding import embedding_lookup
from thalweg._src.ops.nets.sampled_losses import sampled_logits, sampled_softmax_loss
from thalweg._src.ops.nets.softmax import sparse_softmax_cross_entropy_with_logits
from thalweg._src.ops.reports.checks import Assert


def rank_sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_resampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Any,
    resampling_temperature: float,
    remove_accidental_hits: bool,
    partition_strategy: str,
    name: str | None = None,
) -> Tensor:
    """Sampled softmax loss over those `num_resampled` of `num_sampled` drawn classes that the batch takes for likeliest.

    Raises ValueError for numbers that do not fit each other or an unknown `partition_strategy`.
    """
    if num_sampled > num_classes:
        raise ValueError(f"num_sampled ({num_sampled}) cannot be greater than num_classes ({num_classes})")
    if num_sampled <= num_resampled:
        raise ValueError(f"num_resampled ({num_resampled}) must be less than num_sampled ({num_sampled})")
    if partition_strategy not in ("div", "mod"):
        raise ValueError(f"unsupported partition_strategy ({partition_strategy})")
    with name_scope(name, "rank_sampled_softmax_loss", [biases, labels, inputs]) as name:
        if not sampled_values:
            sampled_values = learned_unigram_candidate_sampler(
                true_classes=labels, num_true=num_true, num_sampled=num_sampled, unique=True, range_max=num_classes
            )
        sampled, true_count, sampled_count = (basic.stop_gradient(s) for s in sampled_values)
        sampled = math.cast(sampled, dtypes.int64)
        rows = embedding_lookup(weights, sampled, partition_strategy=partition_strategy)
        scores = math.matmul(rows, inputs / resampling_temperature, transpose_b=True)
        scores = math.reduce_logsumexp(scores, axis=1)
        offsets = array.reshape(embedding_lookup(biases, sampled, partition_strategy=partition_strategy), [-1])
        chosen = top_k(scores + offsets / resampling_temperature, k=num_resampled, sorted=False)[1]
        return sampled_softmax_loss(
            weights=weights,
            biases=biases,
            labels=labels,
            inputs=inputs,
            num_sampled=num_resampled,
            num_classes=num_classes,
            num_true=num_true,
            sampled_values=(array.gather(sampled, chosen), true_count, array.gather(sampled_count, chosen)),
            remove_accidental_hits=remove_accidental_hits,
            partition_strategy=partition_strategy,
            name=name,
        )


def sampled_sparse_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str | None = "sampled_sparse_softmax_loss",
) -> Tensor:
    """[batch]: sampled softmax loss of one true class for each row of `labels` [batch, 1], which stands first."""
    logits, _ = sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        1,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
    )
    first = array.squeeze(zeros(array.stack([array.shape(logits)[0], 1]), dtypes.int64))
    return sparse_softmax_cross_entropy_with_logits(labels=first, logits=logits)


def fwd_gradients(ys: Sequence[Any], xs: Sequence[Any], grad_xs: Any = None, assert_unused: bool = False) -> list[Any]:
    """How `ys` move when `xs` move by `grad_xs`: the gradient of the gradient by what it is linear in.

    With `assert_unused` a run fails that would compute the backward gradient itself, which should be cut away.
    """
    weights = [zeros_like(y) + float("nan") for y in ys]
    backward = [g if g is None else to_tensor(g) for g in gradients(ys, xs, grad_ys=weights)]
    if assert_unused:
        graph = get_default_graph()
        with graph.control_dependencies([g for g in backward if g is not None]):
            used = Assert(False, [1], name="fwd_gradients")
        with graph.control_dependencies([used]):
            backward = [g if g is None else basic.identity(g) for g in backward]
    backward = [zeros_like(x) if g is None else g for x, g in zip(xs, backward, strict=True)]
    for x, g in zip(xs, backward, strict=True):
        g.set_shape(x.get_shape())
    return gradients(backward, weights, grad_ys=grad_xs)
