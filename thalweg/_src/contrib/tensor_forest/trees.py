"""A tree that grows while examples come: the state behind tf.contrib.tensor_forest.

A leaf takes a random feature, and its value in an example, as a candidate to split by, until there are enough of them. Every later
example is counted on its side of each candidate. After `split_after` examples the best candidate becomes the split.
"""

from __future__ import annotations

import dataclasses
import threading

import numpy as np


@dataclasses.dataclass(frozen=True)
class Growth:
    """How a tree grows: classes (or numbers to predict), features, nodes, candidates of a leaf, examples until it splits."""

    outputs: int
    features: int
    max_nodes: int
    candidates: int
    split_after: float
    regression: bool = False
    strict: bool = False  # left where a value is less than the threshold, not also where it is equal
    seed: int = 0


def _impurity(counts: np.ndarray) -> np.ndarray:
    """Gini's impurity times the weight, of counts [classes, ...] each of which is one too many."""
    total, n = counts.sum(0), len(counts)
    return total * (1 - ((counts * counts).sum(0) + 2 * total + n) / (total + n) ** 2)


class GrowingTree:
    """The tree, and what its leaves have seen. Leaves with an open slot still grow.

    What is counted of an example is a vector: its class, by weight; or, for numbers y, the vectors y and y^2 and a one.
    """

    def __init__(self, growth: Growth):
        self.lock = threading.RLock()
        self.growth = growth
        self.random = np.random.default_rng(growth.seed or None)
        self.width = 2 * growth.outputs + 1 if growth.regression else growth.outputs
        self.restore(
            *(np.zeros(1, np.int32), np.zeros(1, np.float32), np.full(1, -1, np.int32)),
            np.zeros((1, growth.outputs), np.float32),
        )

    def restore(self, feature: np.ndarray, threshold: np.ndarray, left: np.ndarray, value: np.ndarray) -> None:
        """Take over a tree; all its leaves begin to count anew. The right child stands behind the left one; -1 is a leaf."""
        self.feature, self.threshold = np.array(feature, np.int32), np.array(threshold, np.float32)
        self.left, self.value = np.array(left, np.int32), np.array(value, np.float32)
        self.slot = np.full(len(self.left), -1, np.int64)
        self.used = 0
        self._allot(0, first=True)
        for leaf in np.flatnonzero(self.left < 0).tolist():
            self._open(leaf)

    def save(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The tree as `restore` takes it."""
        return self.feature, self.threshold, self.left, self.value

    # -- slots

    def _allot(self, count: int, *, first: bool = False) -> None:
        k, empty = self.growth.candidates, max(count, 16)
        fresh = {
            "candidate": np.zeros((empty, k), np.int32),
            "bound": np.zeros((empty, k), np.float32),
            "known": np.zeros(empty, np.int64),
            "below": np.zeros((empty, self.width, k), np.float32),
            "total": np.zeros((empty, self.width), np.float32),
            "weight": np.zeros(empty, np.float64),
        }
        for name, array in fresh.items():
            setattr(self, name, array if first else np.concatenate([getattr(self, name), array]))

    def _open(self, leaf: int) -> None:
        if self.used == len(self.known):
            self._allot(self.used)
        self._clear(self.used)
        self.slot[leaf] = self.used
        self.used += 1

    def _clear(self, slot: int) -> None:
        for name in ("known", "below", "total", "weight"):
            getattr(self, name)[slot] = 0

    # -- the way of examples

    def _goes_left(self, values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        return values < bounds if self.growth.strict else values <= bounds

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """The leaf of each row."""
        at, rows = np.zeros(len(x), np.int64), np.arange(len(x))
        while len(rows):
            here = at[rows]
            rows, here = rows[self.left[here] >= 0], here[self.left[here] >= 0]
            down = self._goes_left(x[rows, self.feature[here]], self.threshold[here])
            at[rows] = self.left[here] + ~down
        return at

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The shares of classes, or the numbers, in the leaf of each row: [rows, outputs]."""
        values = self.value[self.leaves(x)]
        if self.growth.regression:
            return values
        total = values.sum(1, keepdims=True)
        return values / np.where(total > 0, total, np.float32(1))

    # -- growth

    def train(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> None:
        """Count a batch, and split leaves that have seen enough. Raises ValueError for classes that are not there."""
        counted = self._vectors(y, weights)
        leaf = self.leaves(x)
        if not self.growth.regression:
            np.add.at(self.value, leaf, counted)
        slot = self.slot[leaf]
        fresh = self._take_candidates(x, slot)
        self._count(x[~fresh], slot[~fresh], counted[~fresh], weights[~fresh])
        for i in np.unique(leaf[~fresh]).tolist():
            if len(self.left) >= self.growth.max_nodes:
                break
            if self._has_seen_enough(int(self.slot[i])):
                self._split(i)

    def _vectors(self, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
        g = self.growth
        if g.regression:
            y = y.reshape(len(y), -1)
            return np.concatenate([y, y * y, np.ones((len(y), 1))], 1).astype(np.float32)
        label = y.reshape(len(y)).astype(np.int64)
        if len(label) and not 0 <= label.min() <= label.max() < g.outputs:
            raise ValueError(f"Labels must be in [0, {g.outputs}), got {label.min()} to {label.max()}.")
        return np.eye(g.outputs, dtype=np.float32)[label] * weights[:, None]

    def _take_candidates(self, x: np.ndarray, slot: np.ndarray) -> np.ndarray:
        """Use the first rows that come to a leaf without all its candidates as such; which rows those were."""
        order = np.argsort(slot, kind="stable")
        grouped = slot[order]
        begins = np.searchsorted(grouped, grouped)
        place = np.empty(len(slot), np.int64)
        place[order] = self.known[grouped] + np.arange(len(slot)) - begins
        fresh = place < self.growth.candidates
        rows = np.flatnonzero(fresh)
        feature = self.random.integers(0, self.growth.features, len(rows))
        self.candidate[slot[rows], place[rows]] = feature
        self.bound[slot[rows], place[rows]] = x[rows, feature]
        np.add.at(self.known, slot[rows], 1)
        return fresh

    def _count(self, x: np.ndarray, slot: np.ndarray, counted: np.ndarray, weights: np.ndarray) -> None:
        if not len(x):
            return
        order = np.argsort(slot, kind="stable")
        x, slot, counted, weights = x[order], slot[order], counted[order], weights[order]
        values = x[np.arange(len(x))[:, None], self.candidate[slot]]
        below = self._goes_left(values, self.bound[slot]).astype(np.float32)
        starts = np.flatnonzero(np.diff(slot, prepend=-1))
        for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(slot)], strict=True):
            at, part = slot[begin], slice(begin, end)
            self.below[at] += counted[part].T @ below[part]
            self.total[at] += counted[part].sum(0)
            self.weight[at] += end - begin if self.growth.regression else weights[part].sum()

    def _has_seen_enough(self, slot: int) -> bool:
        if self.weight[slot] < self.growth.split_after:
            return False
        return self.growth.regression or np.count_nonzero(self.total[slot]) > 1

    def _scores(self, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        if not self.growth.regression:
            return _impurity(below) + _impurity(above)
        n = self.growth.outputs
        spread = lambda s: (s[n : 2 * n] / s[-1] - (s[:n] / s[-1]) ** 2).sum(0)
        return spread(below) + spread(above)

    def _split(self, leaf: int) -> None:
        slot = int(self.slot[leaf])
        below = self.below[slot]
        above = self.total[slot][:, None] - below
        weigh = (lambda s: s[-1]) if self.growth.regression else (lambda s: s.sum(0))
        useful = (weigh(below) > 0) & (weigh(above) > 0)
        if not useful.any():
            self._clear(slot)
            return
        with np.errstate(all="ignore"):
            best = int(np.argmin(np.where(useful, self._scores(below, above), np.inf)))
        child, n = len(self.left), self.growth.outputs
        sides = np.stack([below[:, best], above[:, best]])
        values = sides[:, :n] / sides[:, -1:] if self.growth.regression else sides
        self.feature[leaf], self.threshold[leaf] = self.candidate[slot, best], self.bound[slot, best]
        self.left[leaf] = child
        self.feature, self.left = np.append(self.feature, [0, 0]), np.append(self.left, [-1, -1])
        self.feature, self.left = self.feature.astype(np.int32), self.left.astype(np.int32)
        self.threshold = np.append(self.threshold, np.zeros(2, np.float32))
        self.value = np.concatenate([self.value, values.astype(np.float32)])
        # The children take the slot of their parent, and one more.
        self.slot = np.append(self.slot, [slot, -1])
        self.slot[leaf] = -1
        self._clear(slot)
        self._open(child + 1)
