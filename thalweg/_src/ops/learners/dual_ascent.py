"""Stochastic dual coordinate ascent for linear models: one pass over a batch, the shrinkage of weights, and names of examples.

All features of an example become one row of a sparse matrix over one vector of weights; the pass goes from example to example, since
each one starts from what the ones before it changed.
"""

import zlib
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import float32, int64, string
from thalweg._src.core.errors import invalid
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Enum, Many, Min, Outputs, Ref, op
from thalweg._src.formats.hashes import fingerprint128
from thalweg._src.ops.learners.dual_losses import LOSSES

LossType = Enum("logistic_loss", "squared_loss", "hinge_loss", "smooth_hinge_loss", "poisson_loss")


def _shrunk(weights: Any, shrinkage: float) -> Any:
    return np.sign(weights) * np.maximum(np.abs(weights) - shrinkage, 0.0)


def _sparse_block(examples: Any, features: Any, values: Any, ids: Any, count: int) -> tuple[Any, Any, Any]:
    """(examples, places in `ids`, values) of a sparse feature. Raises InvalidArgumentError for unknown and repeated features."""
    examples, features = examples.ravel(), features.ravel()
    inside = examples < count
    examples, features = examples[inside], features[inside]
    values = np.ones(len(examples)) if values is None else values.ravel()[inside].astype(np.float64)
    order = np.argsort(ids, kind="stable")
    known = ids[order]
    at = np.searchsorted(known, features, "right") - 1
    found = (at >= 0) & (known[np.maximum(at, 0)] == features) if len(known) else np.zeros(len(features), bool)
    if not found.all():
        raise invalid(f"Found sparse feature indices out of valid range: {features[~found][0]}")
    if len(np.unique(np.stack([examples, features]), axis=1).T) < len(examples):
        raise invalid("Duplicate index in sparse vector.")
    return examples, order[at], values


def _dense_block(features: Any, weights: Any) -> tuple[Any, Any, Any]:
    count, width = features.shape
    if width > weights.size:
        raise invalid(f"More dense features than we have parameters for: {width}")
    return np.repeat(np.arange(count), width), np.tile(np.arange(width), count), features.ravel().astype(np.float64)


def _rows(blocks: list[tuple[Any, Any, Any]], sizes: list[int], count: int) -> tuple[Any, Any, Any]:
    """(where each example's row starts, places in the one vector of weights, values) of all blocks side by side."""
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    examples = np.concatenate([e for e, _, _ in blocks])
    places = np.concatenate([p + s for (_, p, _), s in zip(blocks, starts, strict=True)])
    values = np.concatenate([v for _, _, v in blocks])
    order = np.argsort(examples, kind="stable")
    pointers = np.concatenate([[0], np.cumsum(np.bincount(examples, minlength=count))])
    return pointers, places[order], values[order]


def _by_chance(weights: Any, random: Any) -> Any:
    """As many examples as there are, drawn by weight; one that was taken k times is kept with probability 10^-k.

    After as many refusals as there are examples, those that were not taken follow, the heaviest first.
    """
    count, total = len(weights), weights.sum()
    taken, chosen, refused = np.zeros(count, np.int64), [], 0
    cumulated = np.cumsum(weights)
    while total > 0 and np.isfinite(total) and len(chosen) < count and refused < count:
        i = min(int(np.searchsorted(cumulated, random.random() * total, "right")), count - 1)
        if random.random() > 0.1 ** taken[i]:
            refused += 1
            continue
        taken[i] += 1
        chosen.append(i)
    rest = np.nonzero(taken == 0)[0]
    rest = rest[np.argsort(-weights[rest], kind="stable")]
    return [*chosen, *rest.tolist()][:count]


def _pass(
    rows: tuple[Any, Any, Any],
    nominal: Any,
    example_weights: Any,
    example_labels: Any,
    state: Any,
    loss: Any,
    l1: float,
    l2: float,
    partitions: int,
    adaptive: bool,
) -> tuple[Any, Any]:
    """(new state of the examples, change of the weights) of one pass."""
    pointers, places, values = rows
    count, shrinkage = len(example_weights), l1 / l2
    labels, weights = loss.labels(example_labels.astype(np.float64)), example_weights.astype(np.float64)
    owner = np.repeat(np.arange(count), np.diff(pointers))
    squares = np.bincount(owner, values * values, count)
    before = np.bincount(owner, values * _shrunk(nominal[places], shrinkage), count)
    random = np.random.default_rng(zlib.crc32(state.tobytes()))  # equal states give equal orders
    if adaptive:
        lean = np.abs(state[:, 0] + loss.slope(before, labels))
        order = _by_chance(weights * np.sqrt(squares + l2 * loss.smoothness) * lean, random)
    else:
        order = random.permutation(count).tolist()
    new, change = np.array(state, np.float32), np.zeros_like(nominal)
    duals, scales = np.array(state[:, 0], np.float64), partitions * weights * squares / l2
    old = duals.copy()
    for i in order:
        here = slice(pointers[i], pointers[i + 1])
        at, x = places[here], values[here]
        wx = float(x @ _shrunk(nominal[at] + partitions * change[at], shrinkage))
        old[i] = duals[i]
        dual = loss.dual(float(labels[i]), float(duals[i]), wx, float(scales[i]))
        change[at] += x * ((dual - duals[i]) * weights[i] / l2)
        duals[i] = np.float32(dual)
    seen = np.unique(np.array(order, np.int64))
    new[seen, 0] = duals[seen]
    new[seen, 1] = (loss.primal(before, labels) * weights)[seen]
    new[seen, 2] = np.minimum(loss.conjugate(old, labels) * weights, np.finfo(np.float32).max)[seen]
    new[seen, 3] = weights[seen]
    return new, change


def _optimize(
    sparse_example_indices: Any,
    sparse_feature_indices: Any,
    sparse_feature_values: Any,
    dense_features: Any,
    example_weights: Any,
    example_labels: Any,
    sparse_indices: Any,
    sparse_weights: Any,
    dense_weights: Any,
    example_state_data: Any,
    loss_type: str,
    adaptive: bool,
    l1: float,
    l2: float,
    num_loss_partitions: int,
) -> tuple[Any, list[Any], list[Any]]:
    if not sparse_indices and not dense_features:
        raise invalid("Requires at least one feature to train.")
    count = example_weights.size
    if example_state_data.shape != (count, 4):
        raise invalid(f"Expected shape [{count},4] for example_state_data, got {shapes.text(example_state_data.shape)}")
    values = [*sparse_feature_values, *[None] * (len(sparse_indices) - len(sparse_feature_values))]
    parts = zip(sparse_example_indices, sparse_feature_indices, values, sparse_indices, strict=True)
    blocks = [_sparse_block(e, f, v, ids.ravel(), count) for e, f, v, ids in parts]
    blocks += [_dense_block(x, w) for x, w in zip(dense_features, dense_weights, strict=True)]
    every = [*sparse_weights, *dense_weights]
    nominal = np.concatenate([w.ravel() for w in every]).astype(np.float64)
    with np.errstate(all="ignore"):
        state, change = _pass(
            *(_rows(blocks, [w.size for w in every], count), nominal, example_weights.ravel(), example_labels.ravel()),
            *(example_state_data, LOSSES[loss_type], l1, l2, num_loss_partitions, adaptive),
        )
    ends = np.cumsum([w.size for w in every])[:-1]
    deltas = [d.reshape(w.shape).astype(np.float32) for d, w in zip(np.split(change, ends), every, strict=True)]
    return state, deltas[: len(sparse_weights)], deltas[len(sparse_weights) :]


def _optimizer_rule(op: Any) -> Any:
    sparse, dense, *_ = _counts(op)
    first = len(op.inputs) - 1 - sparse - dense
    return [(None, 4), *[t.dims for t in op.inputs[first : len(op.inputs) - 1]]]


def _counts(op: Any) -> tuple[int, int]:
    return op.attrs["num_sparse_features"], op.attrs["num_dense_features"]


@op("SdcaOptimizer", host=True, numpy_only=True)
def _sdca_optimizer(
    sparse_example_indices: Many(int64, "num_sparse_features"),
    sparse_feature_indices: Many(int64, "num_sparse_features"),
    sparse_feature_values: Many(float32, "num_sparse_features_with_values"),
    dense_features: Many(float32, "num_dense_features"),
    example_weights: float32,
    example_labels: float32,
    sparse_indices: Many(int64, "num_sparse_features"),
    sparse_weights: Many(float32, "num_sparse_features"),
    dense_weights: Many(float32, "num_dense_features"),
    example_state_data: float32,
    *,
    loss_type: LossType,
    l1: float,
    l2: float,
    num_loss_partitions: Min(int, 1),
    num_inner_iterations: Min(int, 1),
    adaptative: bool = False,
) -> Outputs(
    out_example_state_data=float32,
    out_delta_sparse_weights=Many(float32, "num_sparse_features"),
    out_delta_dense_weights=Many(float32, "num_dense_features"),
):
    """One pass over the examples of a batch: their new states [n, 4] (dual, primal loss, dual loss, weight) and what to add to weights.

    The order of examples is drawn by chance, seeded by their states; with `adaptative` those come oftener that are far from their best.
    Raises InvalidArgumentError for labels that don't suit the loss and for features without weights.
    """
    return _optimize(
        *(sparse_example_indices, sparse_feature_indices, sparse_feature_values, dense_features, example_weights),
        *(example_labels, sparse_indices, sparse_weights, dense_weights, example_state_data),
        *(loss_type, adaptative, l1, l2, num_loss_partitions),
    )


@op("SdcaOptimizerV2", host=True, numpy_only=True)
def sdca_optimizer_v2(
    sparse_example_indices: Many(int64, "num_sparse_features"),
    sparse_feature_indices: Many(int64, "num_sparse_features"),
    sparse_feature_values: Many(float32, "num_sparse_features_with_values"),
    dense_features: Many(float32, "num_dense_features"),
    example_weights: float32,
    example_labels: float32,
    sparse_indices: Many(int64, "num_sparse_features"),
    sparse_weights: Many(float32, "num_sparse_features"),
    dense_weights: Many(float32, "num_dense_features"),
    example_state_data: float32,
    *,
    loss_type: LossType,
    l1: float,
    l2: float,
    num_loss_partitions: Min(int, 1),
    num_inner_iterations: Min(int, 1),
    adaptive: bool = False,
) -> Outputs(
    out_example_state_data=float32,
    out_delta_sparse_weights=Many(float32, "num_sparse_features"),
    out_delta_dense_weights=Many(float32, "num_dense_features"),
):
    """As `SdcaOptimizer`."""
    return _optimize(
        *(sparse_example_indices, sparse_feature_indices, sparse_feature_values, dense_features, example_weights),
        *(example_labels, sparse_indices, sparse_weights, dense_weights, example_state_data),
        *(loss_type, adaptive, l1, l2, num_loss_partitions),
    )


for _op in (_sdca_optimizer, sdca_optimizer_v2):
    _op.shape_rule(_optimizer_rule)
    _op.not_differentiable()


def sdca_optimizer(
    sparse_example_indices: Any,
    sparse_feature_indices: Any,
    sparse_feature_values: Any,
    dense_features: Any,
    example_weights: Any,
    example_labels: Any,
    sparse_indices: Any,
    sparse_weights: Any,
    dense_weights: Any,
    example_state_data: Any,
    loss_type: str,
    l1: float,
    l2: float,
    num_loss_partitions: int,
    num_inner_iterations: int,
    adaptative: bool = True,
    name: str | None = None,
) -> Any:
    """The op `SdcaOptimizer`; examples that are far from their best come oftener, unless told otherwise."""
    return _sdca_optimizer(
        *(sparse_example_indices, sparse_feature_indices, sparse_feature_values, dense_features, example_weights),
        *(example_labels, sparse_indices, sparse_weights, dense_weights, example_state_data),
        loss_type=loss_type,
        l1=l1,
        l2=l2,
        num_loss_partitions=num_loss_partitions,
        num_inner_iterations=num_inner_iterations,
        adaptative=adaptative,
        name=name,
    )


@op("SdcaShrinkL1", effect="write", stateful=False)
def sdca_shrink_l1(weights: Many(Ref(float32), "num_features"), *, l1: float, l2: float):
    """Every weight nearer to zero by l1 / l2, and no further than to zero."""
    return [jnp.sign(w) * jnp.maximum(jnp.abs(w) - np.float32(l1 / l2), 0) for w in weights]


@op("SdcaFprint", host=True, numpy_only=True)
def sdca_fprint(input: string) -> int64:
    """[n] names of examples as [n, 2] numbers: FarmHash's 128 bits. Raises InvalidArgumentError for other shapes."""
    if input.ndim != 1:
        raise invalid(f"Input must be a vector, got shape {shapes.text(input.shape)}")
    words = [fingerprint128(name) for name in input]
    # 0 and 1 are kept free: tables mark empty places with them.
    safe = [(low if low >= 2 else (low - 2) % 2**64, high) for low, high in words]
    return np.array(safe, np.uint64).reshape(len(safe), 2).astype(np.int64)


@sdca_fprint.shape_rule
def _(op):
    return [(*shapes.of_rank(op.inputs[0].dims, 1), 2)]


sdca_fprint.not_differentiable()
sdca_shrink_l1.not_differentiable()
