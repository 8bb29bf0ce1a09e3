"""Boosted trees: ensembles of trees as resources, what they predict, and how they grow."""

from typing import Any

import numpy as np

from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import float32, int32, int64, resource, string
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Many, Min, Outputs, op
from thalweg._src.formats import protos
from thalweg._src.ops.learners.boosted_splits import weights_and_gains
from thalweg._src.ops.learners.tree_ensembles import Candidate, Ensemble
from thalweg._src.ops.stateful.handles import held

_QUICK: dict[str, Any] = {"host": True, "effect": "host", "stateful": True}
_PRE, _POST = 1, 2


# -- the resource


@op("BoostedTreesEnsembleResourceHandleOp", host=True, stateful=True, foldable=False)
def ensemble_handle(*, container: str = "", shared_name: str = "", ctx) -> Outputs(resource=resource):
    """An ensemble of trees."""
    return ctx.resource(("tree ensemble", container, shared_name or ctx.op.name), Ensemble)


@op("IsBoostedTreesEnsembleInitialized", **_QUICK)
def ensemble_initialized(tree_ensemble_handle: resource) -> Outputs(is_initialized=bool_):
    """Whether it was made."""
    return np.bool_(held(tree_ensemble_handle).initialized)


@op("BoostedTreesCreateEnsemble", **_QUICK)
def create_ensemble(tree_ensemble_handle: resource, stamp_token: int64, tree_ensemble_serialized: string):
    """Make it from a TreeEnsemble message, unless it is there."""
    ensemble = held(tree_ensemble_handle)
    if not ensemble.initialized:
        ensemble.load(_bytes(tree_ensemble_serialized), int(stamp_token))


@op("BoostedTreesDeserializeEnsemble", **_QUICK)
def deserialize_ensemble(tree_ensemble_handle: resource, stamp_token: int64, tree_ensemble_serialized: string):
    """Make it another one, of a TreeEnsemble message."""
    held(tree_ensemble_handle).check().load(_bytes(tree_ensemble_serialized), int(stamp_token))


@op("BoostedTreesSerializeEnsemble", **_QUICK)
def serialize_ensemble(tree_ensemble_handle: resource) -> Outputs(stamp_token=int64, tree_ensemble_serialized=string):
    """Its stamp, which changes with it, and its TreeEnsemble message."""
    ensemble = held(tree_ensemble_handle).check()
    with ensemble.lock:
        return np.int64(ensemble.stamp), ensemble.dump()


@op("BoostedTreesGetEnsembleStates", **_QUICK)
def ensemble_states(tree_ensemble_handle: resource) -> Outputs(
    stamp_token=int64,
    num_trees=int32,
    num_finalized_trees=int32,
    num_attempted_layers=int32,
    last_layer_nodes_range=int32,
):
    """Its stamp, how many trees there are and are final, layers tried, and the nodes of the last layer, [begin, end)."""
    ensemble = held(tree_ensemble_handle).check()
    with ensemble.lock:
        begin, end = ensemble.last_layer
        numbers = len(ensemble.trees), ensemble.finalized, ensemble.layers_attempted
        return np.int64(ensemble.stamp), *map(np.int32, numbers), np.array([begin, max(1, end)], np.int32)


def _bytes(serialized: Any) -> bytes:
    value = serialized.item() if isinstance(serialized, np.ndarray) else serialized
    return bytes(value)


# -- predictions


@op("BoostedTreesPredict", **_QUICK)
def predict(
    tree_ensemble_handle: resource,
    bucketized_features: Many(int32, "num_bucketized_features", 1),
    *,
    logits_dimension: int,
) -> Outputs(logits=float32):
    """The sum of what all trees say of each example: [examples, logits]."""
    ensemble, buckets = held(tree_ensemble_handle).check(), np.stack(bucketized_features)
    total = np.zeros((buckets.shape[1], logits_dimension), np.float32)
    with ensemble.lock:
        flat = ensemble.flat()
        for begin, weight in zip(flat.start.tolist(), flat.weight, strict=False):
            at = np.full(buckets.shape[1], begin)
            while not flat.leaf[at].all():
                at = np.where(flat.leaf[at], at, flat.below(at, buckets))
            total += weight * flat.value[at]
    return total


@op("BoostedTreesTrainingPredict", **_QUICK)
def training_predict(
    tree_ensemble_handle: resource,
    cached_tree_ids: int32,
    cached_node_ids: int32,
    bucketized_features: Many(int32, "num_bucketized_features", 1),
    *,
    logits_dimension: int,
) -> Outputs(partial_logits=float32, tree_ids=int32, node_ids=int32):
    """What predictions change by since each example was in the cached tree and node, and the node where it is now.

    A cached node of -1 stands for none.
    """
    ensemble, buckets = held(tree_ensemble_handle).check(), np.stack(bucketized_features)
    total = np.zeros((buckets.shape[1], logits_dimension), np.float32)
    with ensemble.lock:
        if not ensemble.trees:
            return total, cached_tree_ids, np.zeros(buckets.shape[1], np.int32)
        flat, latest = ensemble.flat(), len(ensemble.trees) - 1
        node, partial = np.array(cached_node_ids, np.int64), np.zeros_like(total)
        for i in np.flatnonzero(node >= 0).tolist():
            tree = ensemble.trees[cached_tree_ids[i]]
            if tree.finalized and tree.pruned:
                node[i], partial[i] = tree.pruned[node[i]]
        known = node >= 0
        at = flat.start[cached_tree_ids] + np.where(known, node, 0)
        partial[known] -= flat.value[at[known]]
        going = np.arange(buckets.shape[1])
        while len(going):
            here = at[going]
            leaves = flat.leaf[here]
            down = going[~leaves]
            at[down] = flat.below(here[~leaves], buckets[:, down])
            done, where = going[leaves], here[leaves]
            trees = flat.tree[where]
            total[done] += flat.weight[trees][:, None] * (partial[done] + flat.value[where])
            partial[done] = 0
            on = trees < latest
            at[done[on]] = flat.start[trees[on] + 1]
            going = np.concatenate([down, done[on]])
        nodes = (at - flat.start[latest]).astype(np.int32)
    return total, np.full(buckets.shape[1], latest, np.int32), nodes


@op("BoostedTreesExampleDebugOutputs", **_QUICK)
def example_debug_outputs(
    tree_ensemble_handle: resource,
    bucketized_features: Many(int32, "num_bucketized_features", 1),
    *,
    logits_dimension: int,
) -> Outputs(examples_debug_outputs_serialized=string):
    """A DebugOutput message for each example: the features on its way through the trees, and the logit at each step."""
    if logits_dimension != 1:
        raise invalid("Currently only one dimensional outputs are supported.")
    ensemble, buckets = held(tree_ensemble_handle).check(), np.stack(bucketized_features)
    out = np.empty(buckets.shape[1], object)
    with ensemble.lock:
        for i in range(len(out)):
            out[i] = _path(ensemble, buckets[:, i])
    return out


def _path(ensemble: Ensemble, buckets: np.ndarray) -> bytes:
    debug, past = protos.DebugOutput(), np.float32(0)
    logit = np.float32(0)
    for number, tree in enumerate(ensemble.trees):
        node, deep = tree.nodes[0], False
        if not number:
            logit = np.float32(tree.weight * (node.value or (0.0,))[0])
            debug.logits_path.append(logit)
        while node.split is not None:
            s, deep = node.split, True
            bucket = buckets[s.feature]
            left = bucket == s.threshold if s.equality else bucket <= s.threshold
            node = tree.nodes[s.left if left else s.right]
            logit = np.float32(tree.weight * (node.value or (0.0,))[0])
            debug.feature_ids.append(s.feature)
            debug.logits_path.append(logit + past)
        if deep or not number:
            past += logit
    return bytes(debug.SerializeToString())


# -- growth


@op("BoostedTreesCenterBias", **_QUICK)
def center_bias(
    tree_ensemble_handle: resource, mean_gradients: float32, mean_hessians: float32, l1: float32, l2: float32
) -> Outputs(continue_centering=bool_):
    """Move the first leaf by a Newton step; whether to go on with that."""
    step, _ = weights_and_gains(np.ravel(mean_gradients)[:1], np.ravel(mean_hessians)[:1], l1, l2)
    ensemble = held(tree_ensemble_handle).check()
    with ensemble.lock:
        return np.bool_(ensemble.center(float(step[0])))


@op("BoostedTreesUpdateEnsemble", **_QUICK)
def update_ensemble(
    tree_ensemble_handle: resource,
    feature_ids: int32,
    node_ids: Many(int32, "num_features"),
    gains: Many(float32, "num_features"),
    thresholds: Many(int32, "num_features"),
    left_node_contribs: Many(float32, "num_features"),
    right_node_contribs: Many(float32, "num_features"),
    max_depth: int32,
    learning_rate: float32,
    *,
    pruning_mode: Min(int, 0),
):
    """Grow a layer: each node takes the split that gains most, of those found for each feature."""
    columns = [
        [
            (n, g, t, 0, left[0], right[0], b"INEQUALITY_DEFAULT_LEFT")
            for n, g, t, left, right in zip(*each, strict=True)
        ]
        for each in zip(node_ids, gains, thresholds, left_node_contribs, right_node_contribs, strict=True)
    ]
    _grow(tree_ensemble_handle, feature_ids, columns, max_depth, learning_rate, pruning_mode)


@op("BoostedTreesUpdateEnsembleV2", **_QUICK)
def update_ensemble_by_dimension(
    tree_ensemble_handle: resource,
    feature_ids: int32,
    dimension_ids: Many(int32, "num_features"),
    node_ids: Many(int32, "num_features"),
    gains: Many(float32, "num_features"),
    thresholds: Many(int32, "num_features"),
    left_node_contribs: Many(float32, "num_features"),
    right_node_contribs: Many(float32, "num_features"),
    split_types: Many(string, "num_features"),
    max_depth: int32,
    learning_rate: float32,
    pruning_mode: int32,
):
    """Grow a layer, with splits that say their dimension and kind."""
    columns = [
        [(n, g, t, d, left[0], right[0], kind) for n, g, t, d, left, right, kind in zip(*each, strict=True)]
        for each in zip(
            *(node_ids, gains, thresholds, dimension_ids, left_node_contribs, right_node_contribs, split_types),
            strict=True,
        )
    ]
    _grow(tree_ensemble_handle, feature_ids, columns, max_depth, learning_rate, int(pruning_mode))


def _grow(handle: Any, features: Any, columns: Any, max_depth: Any, rate: Any, pruning: int) -> None:
    best: dict[int, Candidate] = {}
    rate = np.float32(rate)
    for feature, column in zip(features.tolist(), columns, strict=True):
        for node, gain, threshold, dimension, left, right, kind in column:
            held_best = best.get(int(node))
            if held_best is not None:
                difference = float(np.float32(gain) - np.float32(held_best.gain))
                equal = abs(difference) < 1e-15
                if (equal and feature >= held_best.feature) or (not equal and difference < 1e-15):
                    continue
            best[int(node)] = Candidate(
                *(feature, float(gain), int(threshold), float(rate * left), float(rate * right)),
                *(int(dimension), bytes(kind).decode()),
            )
    ensemble = held(handle).check()
    with ensemble.lock:
        ensemble.grow(best, int(max_depth), pre_prune=pruning == _PRE, post_prune=pruning == _POST)


# -- shapes


def _examples(node: Any, first: int) -> Any:
    """How many examples there are, of the features from input `first` on."""
    for t in node.inputs[first:]:
        if t.dims is not None and t.dims[0] is not None:
            return t.dims[0]
    return None


predict.shape_rule(lambda node: [(_examples(node, 1), node.attrs["logits_dimension"])])
example_debug_outputs.shape_rule(lambda node: [(_examples(node, 1),)])
ensemble_states.shape_rule(lambda node: [(), (), (), (), (2,)])
serialize_ensemble.shape_rule(lambda node: [(), ()])


@training_predict.shape_rule
def _(node: Any) -> list[Any]:
    n = _examples(node, 1)
    return [(n, node.attrs["logits_dimension"]), (n,), (n,)]


for _opdef in (ensemble_handle, ensemble_initialized, center_bias):
    _opdef.shape_rule(lambda node: [()])
for _opdef in (create_ensemble, deserialize_ensemble, update_ensemble, update_ensemble_by_dimension):
    _opdef.shape_rule(lambda node: [])
for _opdef in (
    *(ensemble_handle, ensemble_initialized, create_ensemble, deserialize_ensemble, serialize_ensemble),
    *(ensemble_states, predict, training_predict, example_debug_outputs, center_bias),
    *(update_ensemble, update_ensemble_by_dimension),
):
    _opdef.not_differentiable()
