"""Samplers of classes by their frequencies, one try after the other, as TensorFlow's kernels do it on the host."""

import numpy as np


class Words:
    """The words of a stream, one by one."""

    def __init__(self, stream):
        self._stream, self._block, self._words = stream, 0, iter(())

    def word(self):
        """The next 32 bits."""
        found = next(self._words, None)
        if found is None:
            with np.errstate(over="ignore"):
                blocks = self._stream.blocks(np.arange(self._block, self._block + 256, dtype=np.uint32))
            self._block += 256
            self._words = iter(np.stack(blocks, -1).ravel().tolist())
            found = next(self._words)
        return found

    def unit(self):
        """A float32 in [0, 1)."""
        bits = np.uint32((self.word() & 0x7FFFFF) | 0x3F800000)
        return float(bits.view(np.float32)) - 1.0

    def below(self, n):
        """An integer in [0, n), words that would favour low ones rejected."""
        if n & (n - 1) == 0:
            return self.word() & (n - 1)
        rest = 0xFFFFFFFF % n + 1
        while (found := self.word()) < rest:
            pass
        return found % n


class Table:
    """Classes by fixed frequencies: Walker's method of aliases, as in TensorFlow's DistributionSampler."""

    def __init__(self, counts, distortion, reserved, shards, shard):
        weights = [np.float32(0)] * sum(i % shards == shard for i in range(reserved))
        total, number = np.float32(0), len(weights)
        for count in counts:
            if number % shards == shard:
                w = np.float32(np.power(np.float32(count), np.float32(distortion)))
                total = np.float32(total + w)
                weights.append(w)
            number += 1
        self.weights, self.total = np.array(weights, np.float32), total
        self.size = len(weights)
        self._chance, self._other = _aliases(self.weights.astype(np.float64))

    def sample(self, words):
        r = words.unit()
        i = words.below(self.size)
        return i if r < self._chance[i] else self._other[i]

    def probability(self, classes):
        inside = (classes >= 0) & (classes < self.size)
        return np.where(inside, self.weights[np.clip(classes, 0, self.size - 1)] / self.total, np.float32(0))


def _aliases(weights):
    """(chance to keep a class, class that it stands for otherwise)."""
    n, total = len(weights), weights.sum()
    share = [float(np.float32(np.float32(w) * np.float32(n))) / total for w in weights]
    low = [i for i in range(n) if share[i] < 1.0]
    high = [i for i in range(n) if share[i] >= 1.0]
    other = list(range(n))
    while high and low:
        a, b = low.pop(), high.pop()
        other[a] = b
        share[b] -= 1.0 - share[a]
        (low if share[b] < 1.0 else high).append(b)
    for i in (*high, *low):  # all but rounding is one
        share[i], other[i] = 1.0, i
    return np.array(share, np.float32).tolist(), other


class Learned:
    """Classes by how often they were seen, plus one."""

    def __init__(self, size):
        self.size, self._counts, self._ends = size, np.ones(size, np.int64), None

    def sample(self, words):
        if self._ends is None:
            self._ends = np.cumsum(self._counts)
        return int(np.searchsorted(self._ends, words.below(int(self._ends[-1])), side="right"))

    def probability(self, classes):
        return self._counts[classes].astype(np.float32) / np.float32(self._counts.sum())

    def update(self, classes):
        np.add.at(self._counts, classes.ravel(), 1)
        self._ends = None


def draw(sampler, stream, true_classes, count, unique):
    """(samples, expected count of each true class, of each sample)."""
    words, picks, used, tries = Words(stream), [], set(), 0
    while len(picks) < count:
        tries += 1
        value = sampler.sample(words)
        if not unique or value not in used:
            used.add(value)
            picks.append(value)
    picks = np.array(picks, np.int64)
    expected = lambda classes: _expected(sampler.probability(classes), count, tries)
    return picks, expected(true_classes), expected(picks)


def _expected(p, count, tries):
    p = p.astype(np.float32)
    if tries == count:
        return p * np.float32(count)
    return -np.expm1(np.float32(tries) * np.log1p(-p))
