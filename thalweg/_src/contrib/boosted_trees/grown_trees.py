"""Boosted trees of tf.contrib, which split float features by thresholds: a forest that grows a layer after so many examples.

The examples of an unfinished layer are kept; when there are enough, each node of the last layer finds its best split among the
quantiles of the features. TensorFlow's many operations of the kind are three here: what is learned is the same, not each number.
"""

import dataclasses
import io
import threading
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import float32, int64, resource, string
from thalweg._src.core.opdef import Min, Outputs, op
from thalweg._src.ops.stateful.handles import held

_AT_ONCE = 1 << 22  # how many numbers the sums of a node may have at the same time
_HOST: dict[str, Any] = {"host": True, "effect": "host", "stateful": True}


@dataclasses.dataclass(frozen=True)
class Growing:
    """How trees grow."""

    logits: int
    max_depth: int
    learning_rate: float
    l1: float
    l2: float
    tree_complexity: float
    min_node_weight: float
    post_prune: bool
    by_layer: bool  # predictions take part of the tree that is growing
    per_class: bool  # a tree is for one logit, in turns
    center_bias: bool
    num_quantiles: int


class _Tree:
    """Nodes in lists; `feature` is -1 at leaves."""

    def __init__(self, logits: int, which: int):
        self.which = which  # the logit it is for; -1 for all
        self.feature, self.threshold, self.left, self.right, self.gain = [-1], [0.0], [0], [0], [0.0]
        self.value = [np.zeros(logits, np.float32)]

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """The leaf of each row."""
        feature, threshold = np.array(self.feature), np.array(self.threshold, np.float32)
        left, right = np.array(self.left), np.array(self.right)
        at, rows = np.zeros(len(x), np.int64), np.arange(len(x))
        while (feature[at] >= 0).any():
            low = x[rows, np.maximum(feature[at], 0)] <= threshold[at]
            at = np.where(feature[at] < 0, at, np.where(low, left[at], right[at]))
        return at

    def split(self, i: int, feature: int, threshold: float, gain: float, values: Any) -> list[int]:
        """Make two leaves below leaf `i`."""
        n = len(self.feature)
        self.feature[i], self.threshold[i], self.gain[i] = feature, threshold, gain
        self.left[i], self.right[i] = n, n + 1
        for value in values:
            self.feature.append(-1)
            self.threshold.append(0.0)
            self.left.append(0)
            self.right.append(0)
            self.gain.append(0.0)
            self.value.append(value)
        return [n, n + 1]

    def prune(self) -> None:
        """Take back splits that cost more than they gain, from below."""
        for i in reversed(range(len(self.feature))):
            below = (self.left[i], self.right[i])
            if self.feature[i] >= 0 and self.gain[i] <= 0 and all(self.feature[j] < 0 for j in below):
                self.feature[i] = -1


class Forest:
    """The trees of one session, and the examples since the last layer. `lock` guards them."""

    def __init__(self) -> None:
        self.lock, self.initialized = threading.Lock(), False
        self.clear()

    def clear(self) -> None:
        """No trees."""
        self.trees: list[_Tree] = []
        self.active: list[int] = []  # leaves of the tree that is growing, which may be split
        self.depth, self.finalized, self.centered = 0, 0, False
        self.bias: Any = 0.0
        self.pending: list[tuple[Any, Any, Any]] = []

    def predict(self, x: np.ndarray, how: Growing) -> np.ndarray:
        """[n, logits]."""
        total = np.zeros((len(x), how.logits), np.float32) + np.float32(self.bias)
        known = self.trees if how.by_layer else self.trees[: self.finalized]
        for tree in known:
            total += np.stack(tree.value)[tree.leaves(x)]
        return total

    def add(self, x: np.ndarray, g: np.ndarray, h: np.ndarray, how: Growing, examples: list[int]) -> None:
        """A batch with its gradients and Hessians; a layer grows when there are enough examples for it."""
        self.pending.append((x, g, h))
        enough = examples[min(self.depth, len(examples) - 1)]
        if sum(len(part[0]) for part in self.pending) < enough:
            return
        rows = [np.concatenate(parts) for parts in zip(*self.pending, strict=True)]
        self.pending = []
        if how.center_bias and not self.centered:
            gradient, hessian = rows[1].sum(0), rows[2].sum(0)
            step = np.where(hessian > 0, -gradient / np.where(hessian > 0, hessian, 1), 0).astype(np.float32)
            self.bias = self.bias + step
            self.centered = bool((np.abs(step) < 0.01 * np.maximum(np.abs(self.bias), 1)).all())
            return
        self._grow(*rows, how)

    def _grow(self, x: np.ndarray, g: np.ndarray, h: np.ndarray, how: Growing) -> None:
        if not self.active:
            which = len(self.trees) % how.logits if how.per_class else -1
            self.trees.append(_Tree(how.logits, which))
            self.active, self.depth = [0], 0
        tree = self.trees[-1]
        at, (cuts, buckets), new = tree.leaves(x), _buckets(x, how.num_quantiles), []
        if tree.which >= 0:
            only = np.arange(how.logits) == tree.which
            g, h = g * only, h * only
        for node in self.active:
            here = np.nonzero(at == node)[0]
            found = _best(buckets[here], g[here], h[here], how) if len(here) > 1 else None
            if found is None or (found[2] <= 0 and not how.post_prune):
                continue
            feature, bucket, gain, left, right = found
            base = tree.value[node] if how.by_layer else np.float32(0)
            values = [base + np.float32(how.learning_rate) * v for v in (left, right)]
            new += tree.split(node, feature, float(cuts[feature][bucket]), gain, values)
        self.depth += 1
        self.active = new if self.depth < how.max_depth else []
        if not self.active:
            if how.post_prune:
                tree.prune()
            self.finalized = len(self.trees)

    def dump(self) -> bytes:
        """The forest as the bytes of an .npz file."""
        arrays: dict[str, Any] = {"bias": np.float32(self.bias), "active": np.array(self.active, np.int64)}
        arrays["state"] = np.array([len(self.trees), self.depth, self.finalized, self.centered], np.int64)
        for i, tree in enumerate(self.trees):
            nodes = (tree.feature, tree.threshold, tree.left, tree.right, tree.gain)
            arrays[f"nodes_{i}"], arrays[f"values_{i}"] = np.array(nodes, np.float64), np.stack(tree.value)
            arrays[f"which_{i}"] = np.int64(tree.which)
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    def load(self, data: bytes) -> None:
        """What `dump` gave."""
        self.clear()
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            count, self.depth, self.finalized, centered = arrays["state"].tolist()
            self.centered, self.bias, self.active = bool(centered), arrays["bias"], arrays["active"].tolist()
            for i in range(count):
                tree = _Tree(1, int(arrays[f"which_{i}"]))
                feature, threshold, left, right, gain = arrays[f"nodes_{i}"]
                tree.threshold, tree.gain = threshold.tolist(), gain.tolist()
                tree.feature, tree.left, tree.right = (a.astype(np.int64).tolist() for a in (feature, left, right))
                tree.value = list(arrays[f"values_{i}"])
                self.trees.append(tree)


def _buckets(x: np.ndarray, number: int) -> tuple[list[np.ndarray], np.ndarray]:
    """(ascending quantiles of each feature, between which there are about equally many rows; the bucket of each number).

    A number is at most the quantile of its bucket.
    """
    quantiles = np.quantile(x, np.linspace(0, 1, number + 1)[1:-1], axis=0, method="lower")
    cuts = [np.unique(column) for column in quantiles.T]
    buckets = np.stack([np.searchsorted(c, column, "left") for c, column in zip(cuts, x.T, strict=True)], 1)
    return cuts, buckets.astype(np.int16)


def _score(g: np.ndarray, h: np.ndarray, how: Growing) -> np.ndarray:
    """What a leaf gains with gradients [..., logits] and Hessians of the same shape."""
    g = np.sign(g) * np.maximum(np.abs(g) - how.l1, 0) if how.l1 else g
    weight = h + how.l2
    return np.where(weight > 1e-12, g * g / np.maximum(weight, 1e-12), 0).sum(-1)


def _value(g: np.ndarray, h: np.ndarray, how: Growing) -> np.ndarray:
    g = np.sign(g) * np.maximum(np.abs(g) - how.l1, 0) if how.l1 else g
    weight = h + how.l2
    return np.where(weight > 1e-12, -g / np.maximum(weight, 1e-12), 0).astype(np.float32)


def _sums_to_the_left(buckets: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each place to split [places, features]: sums of what is left of it, the last bucket there, whether rows are on both sides.

    Many rows are counted by bucket; few are sorted.
    """
    count, features = buckets.shape
    width = int(buckets.max()) + 1
    if count <= 2 * width:
        order = np.argsort(buckets, axis=0, kind="stable")
        rows = np.take_along_axis(buckets, order, 0)
        return np.cumsum(both[order], axis=0)[:-1], rows[:-1], rows[:-1] < rows[1:]
    places, size = (buckets + np.arange(features) * width).ravel(), features * width
    sums = np.stack([np.bincount(places, np.repeat(column, features), size) for column in both.T], 1)
    left = np.cumsum(sums.reshape(features, width, -1), axis=1)[:, :-1].transpose(1, 0, 2)
    seen = np.bincount(places, minlength=size).reshape(features, width).T
    past = np.cumsum(seen, axis=0)[:-1]
    last = np.broadcast_to(np.arange(width - 1)[:, None], past.shape)
    return left, last, (seen[:-1] > 0) & (past < count)


def _best(buckets: np.ndarray, g: np.ndarray, h: np.ndarray, how: Growing) -> Any:
    """(feature, last bucket of the left leaf, gain, its value, the value of the right leaf) of the best split; None without one."""
    whole = float(_score(g.sum(0, dtype=np.float64), h.sum(0, dtype=np.float64), how))
    both = np.concatenate([g, h], 1).astype(np.float64)
    total, k, best = both.sum(0), g.shape[1], None
    features = np.nonzero(buckets.min(0) < buckets.max(0))[0]
    for part in np.array_split(features, max(1, features.size * both.size // _AT_ONCE)):
        if not part.size:
            continue
        left, last, possible = _sums_to_the_left(buckets[:, part], both)
        right = total - left
        gain = _score(left[..., :k], left[..., k:], how) + _score(right[..., :k], right[..., k:], how)
        heavy = np.minimum(left[..., k:].sum(-1), right[..., k:].sum(-1)) >= how.min_node_weight
        gain = np.where(possible & heavy, gain - whole - how.tree_complexity, -np.inf)
        i, f = np.unravel_index(gain.argmax(), gain.shape)
        if np.isfinite(gain[i, f]) and (best is None or gain[i, f] > best[2]):
            sides = [_value(side[i, f, :k], side[i, f, k:], how) for side in (left, right)]
            best = (int(part[f]), int(last[i, f]), float(gain[i, f]), *sides)
    return best


# -- operations


@op("_GrownTreesHandle", default_name="GrownTreesHandle", host=True, stateful=True, foldable=False)
def forest_handle(*, shared_name: str = "", ctx) -> Outputs(resource=resource):
    """A forest."""
    return ctx.resource(("grown trees", shared_name or ctx.op.name), Forest)


@op("_GrownTreesInitialized", default_name="GrownTreesInitialized", **_HOST)
def forest_initialized(handle: resource) -> Outputs(is_initialized=bool_):
    """Whether it was made."""
    return np.bool_(held(handle).initialized)


@op("_GrownTreesCreate", default_name="GrownTreesCreate", **_HOST)
def create_forest(handle: resource):
    """Make it, without trees, unless it is there."""
    held(handle).initialized = True


@op("_GrownTreesPredict", default_name="GrownTreesPredict", **_HOST)
def predict_by_forest(handle: resource, features: float32, *, how: list[float]) -> Outputs(
    logits=float32, finalized=int64
):
    """[n, logits] of rows [n, features], and how many trees are whole."""
    forest = held(handle)
    with forest.lock:
        return forest.predict(features, growing_of(how)), np.int64(forest.finalized)


@op("_GrownTreesTrain", default_name="GrownTreesTrain", **_HOST)
def train_forest(
    handle: resource,
    features: float32,
    gradients: float32,
    hessians: float32,
    *,
    how: list[float],
    examples_per_layer: Min(list[int], 1),
):
    """Add a batch; grow a layer where there are enough examples."""
    forest = held(handle)
    with forest.lock:
        forest.add(features, gradients, hessians, growing_of(how), examples_per_layer)


@op("_GrownTreesDump", default_name="GrownTreesDump", **_HOST)
def dump_forest(handle: resource) -> Outputs(serialized=string):
    """The forest as bytes."""
    forest = held(handle)
    with forest.lock:
        return np.array(forest.dump(), object)


@op("_GrownTreesLoad", default_name="GrownTreesLoad", **_HOST)
def load_forest(handle: resource, serialized: string):
    """Make it the one of the bytes."""
    forest = held(handle)
    with forest.lock:
        forest.load(serialized.item() if isinstance(serialized, np.ndarray) else serialized)
        forest.initialized = True


def numbers_of(how: Growing) -> list[float]:
    """`how` as an attr."""
    return [float(v) for v in dataclasses.astuple(how)]


def growing_of(numbers: list[float]) -> Growing:
    """What `numbers_of` gave."""
    kinds = {"int": int, "bool": bool, "float": float}
    return Growing(*[kinds[f.type.__name__](v) for f, v in zip(dataclasses.fields(Growing), numbers, strict=True)])


predict_by_forest.shape_rule(lambda op: [(None, int(op.attrs["how"][0])), ()])
for _op in (dump_forest, forest_initialized):
    _op.shape_rule(lambda op: [()])
for _op in (predict_by_forest, train_forest, dump_forest, load_forest, create_forest, forest_initialized):
    _op.not_differentiable()
