"""The operations of tf.contrib.tensor_forest: a tree as a resource, its training and its predictions."""

import numpy as np

from thalweg._src.contrib.tensor_forest.trees import GrowingTree, Growth
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import float32, int32, resource
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Outputs, op
from thalweg._src.ops.stateful.handles import held

_QUICK = {"host": True, "effect": "host", "stateful": True}


@op("_ForestTree", host=True, stateful=True, foldable=False)
def forest_tree(
    *,
    shared_name: str,
    outputs: int,
    features: int,
    max_nodes: int,
    candidates: int,
    split_after: float,
    regression: bool = False,
    strict: bool = False,
    seed: int = 0,
    ctx,
) -> Outputs(tree=resource):
    """A tree that is one leaf."""
    growth = Growth(outputs, features, max_nodes, candidates, split_after, regression, strict, seed)
    return ctx.resource(("forest tree", shared_name or ctx.op.name), lambda: GrowingTree(growth))


@op("_ForestTrain", **_QUICK)
def forest_train(tree: resource, data: float32, labels: float32, weights: float32):
    """Show a batch to the tree: rows, classes or numbers, and weights (none for ones)."""
    tree = held(tree)
    if data.ndim != 2 or data.shape[1] != tree.growth.features:
        raise invalid(f"Expected rows of {tree.growth.features} features, got an array of shape {list(data.shape)}.")
    if len(labels) != len(data):
        raise invalid(f"There are {len(data)} rows and {len(labels)} labels.")
    with tree.lock:
        try:
            tree.train(data, labels, weights if len(weights) else np.ones(len(data), np.float32))
        except ValueError as error:
            raise invalid(str(error)) from error


@op("_ForestPredict", **_QUICK)
def forest_predict(tree: resource, data: float32, *, outputs: int) -> Outputs(values=float32, leaves=int32):
    """What the tree says of each row, and the leaf it is in."""
    tree = held(tree)
    with tree.lock:
        return tree.predict(data).reshape(len(data), outputs), tree.leaves(data).astype(np.int32)


@op("_ForestFacts", **_QUICK)
def forest_facts(tree: resource, *, features: int) -> Outputs(size=int32, impurity=float32, usage=int32):
    """How many nodes there are, how mixed the leaves are on average, and how often nodes split by each feature."""
    tree = held(tree)
    with tree.lock:
        leaf = tree.left < 0
        counts = tree.value[leaf]
        share = counts / np.maximum(counts.sum(1, keepdims=True), np.float32(1e-30))
        weight = counts.sum(1)
        impurity = (weight * (1 - (share * share).sum(1))).sum() / max(float(weight.sum()), 1.0)
        usage = np.bincount(tree.feature[~leaf], minlength=features)
        return np.int32(len(leaf)), np.float32(impurity), usage.astype(np.int32)


@op("_ForestSave", **_QUICK)
def forest_save(tree: resource) -> Outputs(feature=int32, threshold=float32, left=int32, value=float32):
    """The nodes: the feature and threshold of each, its left child (-1 for a leaf; the right one stands behind), its values."""
    tree = held(tree)
    with tree.lock:
        return tuple(np.array(x) for x in tree.save())


@op("_ForestRestore", **_QUICK)
def forest_restore(tree: resource, feature: int32, threshold: float32, left: int32, value: float32):
    """Put saved nodes back."""
    tree = held(tree)
    with tree.lock:
        tree.restore(feature, threshold, left, value)


@op("_ForestReady", **_QUICK)
def forest_ready(tree: resource) -> Outputs(is_initialized=bool_):
    """Whether there is a tree: there is one as soon as it is asked for."""
    return np.bool_(held(tree) is not None)


forest_tree.shape_rule(lambda node: [()])
forest_train.shape_rule(lambda node: [])
forest_restore.shape_rule(lambda node: [])
forest_ready.shape_rule(lambda node: [()])
forest_facts.shape_rule(lambda node: [(), (), (node.attrs["features"],)])
forest_save.shape_rule(lambda node: [(None,), (None,), (None,), (None, None)])


@forest_predict.shape_rule
def _(node):
    dims = node.inputs[1].dims
    rows = dims[0] if dims else None
    return [(rows, node.attrs["outputs"]), (rows,)]


for _opdef in (forest_tree, forest_train, forest_predict, forest_facts, forest_save, forest_restore, forest_ready):
    _opdef.not_differentiable()
