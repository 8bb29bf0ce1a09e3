"""An ensemble of decision trees on bucketized features, as it grows layer by layer: the state behind the ops of boosted trees.

A node is a leaf with a value, or a split that sends an example left where its bucket is at most (or equal to) a threshold.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.errors import invalid
from thalweg._src.formats import protos

Value = tuple[float, ...]


@dataclass
class Split:
    """How a node divides its examples, and its children."""

    feature: int
    threshold: int
    left: int
    right: int
    dimension: int = 0
    default_right: bool = False
    equality: bool = False


@dataclass
class Node:
    """A leaf, or a split that may remember the value it had as a leaf."""

    value: Value | None
    split: Split | None = None
    gain: float = 0.0
    dense: bool = False  # whether the value was saved as a vector


@dataclass
class Tree:
    """Nodes, the root first; what post-pruning did: for each old node its new number and the change of its value."""

    nodes: list[Node]
    weight: float = 1.0
    layers: int = 0
    finalized: bool = False
    pruned: list[tuple[int, Value]] = field(default_factory=list)


@dataclass
class Candidate:
    """The best split of a node by one feature."""

    feature: int
    gain: float
    threshold: int
    left: float
    right: float
    dimension: int = 0
    kind: str = "INEQUALITY_DEFAULT_LEFT"


class Ensemble:
    """The trees, with the numbers of what has been tried. Every change takes `lock` and raises `stamp`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.initialized = False
        self.clear()

    def clear(self) -> None:
        self.stamp, self.trees = -1, []  # type: int, list[Tree]
        self.trees_attempted = self.layers_attempted = 0
        self.last_layer = (0, 0)
        self._flat: Flat | None = None

    def check(self) -> "Ensemble":
        """Itself. Raises FailedPreconditionError when it was not made yet."""
        if not self.initialized:
            raise errors.NotFoundError(None, None, "The tree ensemble does not exist: it was not initialized.")
        return self

    # -- growing

    def add_tree(self, value: float = 0.0) -> int:
        """Add a tree that is one leaf, and return its number."""
        self.trees.append(Tree([Node((value,))]))
        self._flat = None
        return len(self.trees) - 1

    def center(self, step: float) -> bool:
        """Move the value of the first leaf by `step`; whether it still moves by more than a hundredth."""
        self.stamp += 1
        if not self.trees:
            self.add_tree(step)
            return True
        root = self.trees[0].nodes[0]
        bias = root.value[0] if root.value else 0.0
        with np.errstate(all="ignore"):
            going_on = bool(abs(np.float32(step) / np.float32(bias)) > np.float32(0.01))
        root.value = (float(np.float32(bias) + np.float32(step)),)
        self._flat = None
        return going_on

    def grow(self, best: dict[int, Candidate], max_depth: int, *, pre_prune: bool, post_prune: bool) -> None:
        """Add a layer to the last tree: the splits of `best` by node. A tree of `max_depth` layers is final."""
        self.stamp += 1
        self._count_attempt()
        current = len(self.trees) - 1 if self.trees else self.add_tree()
        if not best:
            return
        tree = self.trees[current]
        first = len(tree.nodes)
        splits = [(i, c) for i, c in sorted(best.items()) if not (pre_prune and c.gain < 0)]
        if not splits:
            return
        for i, candidate in splits:
            _split(tree, i, candidate)
        tree.layers += 1
        self.last_layer = (first, len(tree.nodes))
        if tree.layers >= max_depth:
            self.last_layer = (0, 1)
            tree.finalized = True
            if post_prune:
                _prune(tree)
            self.add_tree()
        self._flat = None

    def _count_attempt(self) -> None:
        self.layers_attempted += 1
        n = len(self.trees)
        fresh = n > 0 and (n == 1 or self.trees[-2].finalized) and len(self.trees[-1].nodes) == 1
        if not n or fresh:
            self.trees_attempted += 1

    @property
    def finalized(self) -> int:
        """How many trees are final."""
        n = len(self.trees)
        return n if not n or self.trees[-1].finalized else n - 1

    def flat(self) -> "Flat":
        """All nodes as arrays."""
        with self.lock:
            if self._flat is None:
                self._flat = Flat(self.trees)
            return self._flat

    # -- bytes

    def load(self, serialized: bytes, stamp: int) -> None:
        """Take over the trees of a TreeEnsemble message. Raises InvalidArgumentError for other bytes."""
        message = protos.TreeEnsemble()
        try:
            message.ParseFromString(serialized)
        except Exception as error:
            raise invalid("Unable to parse tree ensemble proto.") from error
        with self.lock:
            self.clear()
            self.trees = [_tree_of(message, i) for i in range(len(message.trees))]
            growing = message.growing_metadata
            self.trees_attempted, self.layers_attempted = growing.num_trees_attempted, growing.num_layers_attempted
            self.last_layer = (growing.last_layer_node_start, growing.last_layer_node_end)
            self.stamp, self.initialized = stamp, True

    def dump(self) -> bytes:
        """The trees as a TreeEnsemble message."""
        message = protos.TreeEnsemble()
        with self.lock:
            for tree in self.trees:
                _add_tree(message, tree)
            if self.layers_attempted or self.last_layer != (0, 0):
                growing = message.growing_metadata
                growing.num_trees_attempted, growing.num_layers_attempted = self.trees_attempted, self.layers_attempted
                growing.last_layer_node_start, growing.last_layer_node_end = self.last_layer
        return bytes(message.SerializeToString())


def _split(tree: Tree, i: int, found: Candidate) -> None:
    node, before = tree.nodes[i], np.float32((tree.nodes[i].value or (0.0,))[0])
    left = len(tree.nodes)
    for change in (found.left, found.right):
        tree.nodes.append(Node((float(before + np.float32(change)),)))
    node.gain = found.gain
    node.split = Split(
        *(found.feature, found.threshold, left, left + 1, found.dimension),
        *(found.kind == "INEQUALITY_DEFAULT_RIGHT", found.kind == "EQUALITY_DEFAULT_RIGHT"),
    )
    if i == 0 and before == 0:  # the first leaf of a tree says nothing
        node.value = None


def _prune(tree: Tree) -> None:
    """Take back, from the leaves up, splits that lose: those whose gain is negative and whose children are leaves."""
    change: dict[int, tuple[int, Value]] = {}  # deleted node -> (the node it became a part of, change of value)

    def visit(i: int) -> None:
        node, split = tree.nodes[i], tree.nodes[i].split
        if split is None:
            return
        visit(split.left)
        visit(split.right)
        children = [(j, tree.nodes[j]) for j in (split.left, split.right)]
        if node.gain < 0 and all(child.split is None for _, child in children):
            node.value = node.value or (0.0,)
            for j, child in children:
                change[j] = i, tuple(a - b for a, b in zip(node.value, child.value or (), strict=True))
            node.split, node.gain = None, 0.0

    visit(0)
    if not change:
        return
    kept = [i for i in range(len(tree.nodes)) if i not in change]
    number = {old: new for new, old in enumerate(kept)}
    for i in range(len(tree.nodes)):
        at, total = i, [0.0]
        while at in change:
            at, moved = change[at]
            total = [a + b for a, b in zip(total, moved, strict=True)]
        tree.pruned.append((number[at], tuple(total)))
    tree.nodes = [tree.nodes[i] for i in kept]
    for node in tree.nodes:
        if node.split is not None:
            node.split.left, node.split.right = number[node.split.left], number[node.split.right]


def _leaf_value(leaf: Any) -> tuple[Value, bool]:
    dense = leaf.HasField("vector")
    return (tuple(leaf.vector.value) if dense else (leaf.scalar,)), dense


def _tree_of(message: Any, i: int) -> Tree:
    facts = message.tree_metadata[i] if i < len(message.tree_metadata) else protos.TreeMetadata()
    tree = Tree([], message.tree_weights[i], facts.num_layers_grown, facts.is_finalized)
    tree.pruned = [(m.new_node_id, tuple(m.logit_change)) for m in facts.post_pruned_nodes_meta]
    for node in message.trees[i].nodes:
        kind, gain = node.WhichOneof("node"), node.metadata.gain
        if kind == "leaf":
            value, dense = _leaf_value(node.leaf)
            tree.nodes.append(Node(value, None, gain, dense))
            continue
        if kind not in ("bucketized_split", "categorical_split"):
            raise invalid(f"Node type {kind} is not supported.")
        s, equal = getattr(node, kind), kind == "categorical_split"
        threshold = s.value if equal else s.threshold
        right = not equal and s.default_direction == protos.DEFAULT_RIGHT
        split = Split(s.feature_id, threshold, s.left_id, s.right_id, s.dimension_id, right, equal)
        original = node.metadata.HasField("original_leaf")
        value, dense = _leaf_value(node.metadata.original_leaf) if original else (None, False)
        tree.nodes.append(Node(value, split, gain, dense))
    return tree


def _add_tree(message: Any, tree: Tree) -> None:
    into = message.trees.add()
    message.tree_weights.append(tree.weight)
    facts = message.tree_metadata.add(num_layers_grown=tree.layers, is_finalized=tree.finalized)
    for number, change in tree.pruned:
        facts.post_pruned_nodes_meta.add(new_node_id=number, logit_change=change)
    for node in tree.nodes:
        out = into.nodes.add()
        if node.split is not None:
            s = node.split
            where = {"feature_id": s.feature, "left_id": s.left, "right_id": s.right, "dimension_id": s.dimension}
            if s.equality:
                out.categorical_split.MergeFrom(protos.CategoricalSplit(value=s.threshold, **where))
            else:
                direction = protos.DEFAULT_RIGHT if s.default_right else protos.DEFAULT_LEFT
                split = protos.BucketizedSplit(threshold=s.threshold, default_direction=direction, **where)
                out.bucketized_split.MergeFrom(split)
            out.metadata.gain = node.gain
            if node.value is None:
                continue
        elif node.gain:
            out.metadata.gain = node.gain
        leaf = out.leaf if node.split is None else out.metadata.original_leaf
        if node.dense:
            leaf.vector.value.extend(node.value or ())
        else:
            leaf.scalar = (node.value or (0.0,))[0]
            leaf.SetInParent()


class Flat:
    """The nodes of all trees, one after the other, as arrays; `start` is where each tree begins."""

    def __init__(self, trees: list[Tree]):
        sizes = [len(tree.nodes) for tree in trees]
        self.start = np.cumsum([0, *sizes])
        self.tree = np.repeat(np.arange(len(trees)), sizes)
        self.weight = np.array([tree.weight for tree in trees], np.float32)
        nodes = [(node, begin) for tree, begin in zip(trees, self.start.tolist(), strict=False) for node in tree.nodes]
        self.leaf = np.array([node.split is None for node, _ in nodes])
        width = max((len(node.value or ()) for node, _ in nodes), default=1)
        zero = (0.0,) * width
        self.value = np.array([node.value or zero for node, _ in nodes], np.float32).reshape(len(nodes), width)
        splits = [(node.split or Split(0, 0, 0, 0), begin) for node, begin in nodes]
        self.feature = np.array([s.feature for s, _ in splits], np.int64)
        self.threshold = np.array([s.threshold for s, _ in splits], np.int64)
        self.left = np.array([s.left + begin for s, begin in splits], np.int64)
        self.right = np.array([s.right + begin for s, begin in splits], np.int64)
        self.equality = np.array([s.equality for s, _ in splits], bool)

    def below(self, at: np.ndarray, buckets: np.ndarray) -> np.ndarray:
        """The child of each node of `at` to which its example goes; `buckets`: [features, examples]."""
        bucket = buckets[self.feature[at], np.arange(len(at))]
        left = np.where(self.equality[at], bucket == self.threshold[at], bucket <= self.threshold[at])
        return np.where(left, self.left[at], self.right[at])
