"""The beam search over label sequences of CTC, as TensorFlow's decoder does it: one tree of prefixes, the best of them kept."""

import heapq
import itertools
import math

import numpy as np

_NEVER = -math.inf


class _Entry:
    """A prefix: log p of it ending in a blank, in its label, and either way; of this step and of the one before."""

    __slots__ = ("blank", "children", "ending", "label", "old_blank", "old_total", "parent", "total")

    def __init__(self, parent, label):
        self.parent, self.label, self.children = parent, label, {}
        self.total = self.blank = self.ending = self.old_total = self.old_blank = _NEVER

    def reset(self):
        self.total = self.blank = self.ending = _NEVER

    def labels(self, merge_repeated):
        out, last, entry = [], -1, self
        while entry.parent is not None:
            if not merge_repeated or entry.label != last:
                out.append(entry.label)
            last, entry = entry.label, entry.parent
        return out[::-1]


def _add(a, b):
    if a == _NEVER:
        return b
    if b == _NEVER:
        return a
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def beam_search(logits, width, paths, merge_repeated):
    """(`paths` label sequences, their log p) for logits [time, classes], whose last class is blank.

    Raises ValueError where more paths are asked for than the beam holds.
    """
    if paths > width:
        raise ValueError("requested more paths than the beam width.")
    root = _Entry(None, -1)
    root.total = root.blank = 0.0
    leaves = [root]
    for row in logits.astype(np.float64):
        leaves = _step(leaves, row, width)
    if paths > len(leaves):
        raise ValueError("Less leaves in the beam search than requested.")
    best = sorted(leaves, key=lambda e: -e.total)[:paths]
    return [e.labels(merge_repeated) for e in best], [e.total for e in best]


def _step(leaves, row, width):
    """The leaves after one more step whose logits are `row`."""
    top = row.max()
    log_y = row - (top + math.log(np.exp(row - top).sum()))
    known = log_y.tolist()
    branches = sorted(leaves, key=lambda e: -e.total)
    for b in branches:
        b.old_total, b.old_blank = b.total, b.blank
    for b in branches:
        if b.parent is not None:
            if b.parent.total != _NEVER:
                before = b.parent.old_blank if b.label == b.parent.label else b.parent.old_total
                b.ending = _add(b.ending, before)
            b.ending += known[b.label]
        b.blank = b.old_total + known[-1]
        b.total = _add(b.blank, b.ending)
    numbers = itertools.count()
    heap = [(b.total, next(numbers), b) for b in branches]
    heapq.heapify(heap)
    bottom = lambda: heap[0][0] if len(heap) >= width else _NEVER
    for b in branches:
        if b.old_total == _NEVER or (len(heap) >= width and b.old_total <= bottom()):
            continue
        scores = log_y[:-1] + b.old_total
        if b.label >= 0:
            scores[b.label] = log_y[b.label] + b.old_blank
        # The bottom only rises: what does not pass it now never will.
        for label in np.flatnonzero(scores > bottom()).tolist():
            child = b.children.get(label)
            if child is None:
                child = b.children[label] = _Entry(b, label)
            if child.total != _NEVER:
                continue
            score = float(scores[label])
            if score <= bottom():
                continue
            child.blank, child.ending, child.total = _NEVER, score, score
            if len(heap) >= width:
                heapq.heappop(heap)[2].reset()
            heapq.heappush(heap, (score, next(numbers), child))
    return [e for _, _, e in heap]
