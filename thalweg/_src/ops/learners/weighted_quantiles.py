"""Quantiles of weighted numbers that come one batch after the other, in little memory: summaries that are merged and thinned out.

A summary is a sorted list of values, each with its weight and the least and the greatest rank that it may have. The ranks
stay right within `epsilon` of the whole weight. Arithmetic is float32's, as TensorFlow's is.
"""

import math

import numpy as np

_COLUMNS = VALUE, WEIGHT, LOW, HIGH = range(4)
_EMPTY = np.zeros((0, len(_COLUMNS)), np.float32)


def summary_of(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The exact summary of `values`: rows of (value, weight, least rank, greatest rank)."""
    if not len(values):
        return _EMPTY
    order = np.argsort(values, kind="stable")
    distinct, starts = np.unique(values[order], return_index=True)
    heavy = np.add.reduceat(weights[order], starts).astype(np.float32)
    ends = np.cumsum(heavy, dtype=np.float32)
    begins = np.concatenate([np.zeros(1, np.float32), ends[:-1]])
    return np.stack([distinct, heavy, begins, ends], 1)


def _beside(rows: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows with the ranks they have among those of `other` too, and which of them `other` has as well."""
    place = np.searchsorted(other[:, VALUE], rows[:, VALUE])
    inside = place < len(other)
    here = other[np.minimum(place, len(other) - 1)]
    both = inside & (here[:, VALUE] == rows[:, VALUE])
    before = other[np.maximum(place - 1, 0)]
    low = np.where(place > 0, before[:, LOW] + before[:, WEIGHT], np.float32(0))
    high = np.where(inside, here[:, HIGH] - here[:, WEIGHT], other[-1, HIGH])
    out = rows.copy()
    out[:, WEIGHT] += np.where(both, here[:, WEIGHT], np.float32(0))
    out[:, LOW] += np.where(both, here[:, LOW], low)
    out[:, HIGH] += np.where(both, here[:, HIGH], high)
    return out, both


def merged(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The summary of what both summarize; its error is not greater than theirs."""
    if not len(a) or not len(b):
        return a if len(a) else b
    mine, _ = _beside(a, b)
    theirs, both = _beside(b, a)
    rows = np.concatenate([mine, theirs[~both]])
    return rows[np.argsort(rows[:, VALUE], kind="stable")]


def thinned(rows: np.ndarray, size: int, least_error: float) -> np.ndarray:
    """About `size` of the rows, the first and the last among them; the error grows by 1/size or `least_error`."""
    size = max(size, 2)
    if len(rows) <= size:
        return rows
    gap = float(rows[-1, HIGH]) * max(1.0 / size, least_error)
    begins = (rows[:, HIGH] - rows[:, WEIGHT]).tolist()
    ends = (rows[:, LOW] + rows[:, WEIGHT]).tolist()
    step, room = len(rows), 0
    kept, at = [0], 0
    while at + 1 < len(rows):
        following = at + 1
        while following < len(rows) and room < step and np.float32(begins[following] - ends[at]) <= gap:
            room += size
            following += 1
        at = max(at + 1, following - 1)
        kept.append(at)
        room -= step
    return rows[kept]


def error_of(rows: np.ndarray) -> float:
    """The greatest error of a rank, as a part of the whole weight."""
    if len(rows) < 2:
        return 0.0
    inner = rows[1:, HIGH] - rows[1:, LOW] - rows[1:, WEIGHT]
    between = (rows[1:, HIGH] - rows[1:, WEIGHT]) - (rows[:-1, LOW] + rows[:-1, WEIGHT])
    return max(float(inner.max()), float(between.max()), 0.0) / float(rows[-1, HIGH])


def boundaries(rows: np.ndarray, number: int) -> np.ndarray:
    """About `number` values that divide what is summarized into parts of like weight."""
    if not len(rows):
        return np.zeros(0, np.float32)
    error = float(np.float32(error_of(rows) + 1.0 / number))
    return thinned(rows, number, error)[:, VALUE]


def quantiles(rows: np.ndarray, number: int) -> np.ndarray:
    """The least value, the greatest one, and `number` - 1 quantiles between them; the same value may come more than once."""
    if not len(rows):
        return np.zeros(0, np.float32)
    number, out, at = max(number, 2), [], 0
    for i in range(number + 1):
        twice = 2 * (np.float32(i) * rows[-1, HIGH] / np.float32(number))
        following = at + 1
        while following < len(rows) and twice >= rows[following, LOW] + rows[following, HIGH]:
            following += 1
        at = following - 1
        last = following == len(rows)
        nearer = last or twice < rows[at, LOW] + rows[at, WEIGHT] + rows[following, HIGH] - rows[following, WEIGHT]
        out.append(rows[at if nearer else following, VALUE])
    return np.array(out, np.float32)


class QuantileStream:
    """A summary of all that is pushed, of at most `most` values, with ranks right within `epsilon`."""

    def __init__(self, epsilon: float, most: int):
        self.epsilon, self.block = epsilon, _block_size(epsilon, most)
        self.buffered = min(self.block * 2, most)
        self.levels: list[np.ndarray] = []
        self.final: np.ndarray | None = None

    def push(self, values: np.ndarray, weights: np.ndarray) -> None:
        """Add numbers. Those whose weight is not above zero do not count."""
        counts = weights > 0
        values, weights = values[counts], weights[counts]
        for begin in range(0, len(values), self.buffered):
            part = slice(begin, begin + self.buffered)
            self.push_summary(summary_of(values[part], weights[part]))

    def push_summary(self, rows: np.ndarray) -> None:
        """Add what `rows` summarize."""
        rows, level = thinned(rows, self.block, self.epsilon), 0
        while len(rows):
            if level == len(self.levels):
                self.levels.append(_EMPTY)
            held = self.levels[level]
            rows = merged(rows, held)
            if not len(held) or len(rows) <= self.block + 1:
                self.levels[level] = rows
                return
            rows = thinned(rows, self.block, self.epsilon)
            self.levels[level] = _EMPTY
            level += 1

    def finalize(self) -> np.ndarray:
        """The summary of everything; nothing can be pushed any more."""
        if self.final is None:
            self.final = _EMPTY
            for rows in self.levels:
                self.final = merged(self.final, rows)
        return self.final


def _block_size(epsilon: float, most: int) -> int:
    """The least size of a block with which levels of blocks, each twice the one below, hold `most` entries."""
    if epsilon <= np.finfo(np.float64).eps:
        return max(most, 2)
    level, block = 1, 2
    while (1 << level) * block < most:
        block = math.ceil(level / epsilon) + 1
        level += 1
    return max(block, 2)
