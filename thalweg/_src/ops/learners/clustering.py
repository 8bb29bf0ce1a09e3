"""Clusters of rows: the nearest centres of each point, and first centres that are far apart (k-means++, k-MC²)."""

import math
from typing import Any

import numpy as np

from thalweg._src.core import infer, shapes
from thalweg._src.core.dtypes import float32, int64
from thalweg._src.core.errors import invalid
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Outputs, Static, op
from thalweg._src.core.philox import Stream, initial_state
from thalweg._src.ops.nets.candidate_host import Words


def _halved_squares(x: Any) -> Any:
    return np.float32(0.5) * np.sum(x * x, axis=1)


def _words(seed: Any) -> Words:
    return Words(Stream(initial_state(int(seed), 0)))


def _number(words: Words, n: int) -> int:
    """An integer in [0, n), from 64 bits."""

    def wide() -> int:
        return words.word() | words.word() << 32

    if n & (n - 1) == 0:
        return wide() & (n - 1)
    rest = (2**64 - 1) % n + 1
    while (found := wide()) < rest:
        pass
    return found % n


@op("KmeansPlusPlusInitialization", host=True, numpy_only=True)
def kmeans_plus_plus_initialization(
    points: float32, num_to_sample: int64, seed: int64, num_retries_per_sample: int64
) -> float32:
    """`num_to_sample` of the rows of `points`, each drawn by its squared distance from those before it.

    Of `num_retries_per_sample` + 1 draws the one that leaves the least distance in all is taken; a negative number stands for
    2 + log(num_to_sample). Raises InvalidArgumentError for more rows than there are.
    """
    for value, name in ((num_to_sample, "num_to_sample"), (seed, "seed")):
        if value.ndim:
            raise invalid(f"Input {name} should be a scalar.")
    if points.ndim != 2:
        raise invalid("Input points should be a matrix.")
    count, wanted, retries = len(points), int(num_to_sample), int(num_retries_per_sample)
    if count == 0:
        raise invalid("Expected points.rows() > 0.")
    if wanted <= 0:
        raise invalid("Expected num_to_sample > 0.")
    if wanted > count:
        raise invalid(f"Expected num_to_sample <= points.rows(). {wanted} vs {count}.")
    retries = retries if retries >= 0 else 2 + int(math.log(wanted))
    halves, words = _halved_squares(points), _words(seed)
    nearest, chosen = np.full(count, np.inf, np.float32), []

    def draw(sums: Any) -> int:
        if not chosen:
            return _number(words, count)
        while True:
            i = int(np.searchsorted(sums, np.float32(words.unit()) * sums[-1], "right"))
            if i not in chosen:
                return min(i, count - 1)

    for _ in range(wanted):
        sums, best, least = np.cumsum(nearest, dtype=np.float32), 0, math.inf
        closer = nearest
        for _ in range(retries + 1):
            i = draw(sums)
            found = np.minimum(nearest, halves - points @ points[i] + halves[i])
            total = float(found.sum())
            if total < least:
                best, least, closer = i, total, found
        nearest = closer
        chosen.append(best)
    return points[chosen]


@kmeans_plus_plus_initialization.shape_rule
def _(op):
    return [None]


@op("KMC2ChainInitialization", host=True, numpy_only=True)
def kmc2_chain_initialization(distances: float32, seed: int64) -> int64:
    """Where a Markov chain over `distances` ends that goes on with the ratio of the next distance to its own."""
    if distances.ndim != 1:
        raise invalid("Input distances should be a vector.")
    if not distances.size:
        raise invalid("Expected distances_tensor.size() > 0.")
    words, at = _words(seed), 0
    for i in range(1, len(distances)):
        if distances[i] > np.float32(words.unit()) * distances[at]:
            at = i
    return np.int64(at)


@kmc2_chain_initialization.shape_rule
def _(op):
    return [()]


@op("NearestNeighbors")
def nearest_neighbors(points: float32, centers: float32, k: Static(int64)) -> Outputs(
    nearest_center_indices=int64, nearest_center_distances=float32
):
    """For each row of `points` the `k` nearest rows of `centers`, the nearest first, and their squared distances: [n, k] both.

    Raises InvalidArgumentError for other ranks and widths that differ.
    """
    for x, name in ((points, "points"), (centers, "centers")):
        if x.ndim != 2:
            raise invalid(f"Input {name} should be a matrix.")
    if points.shape[0] == 0:
        raise invalid("Expected points.rows() > 0.")
    if points.shape[1] != centers.shape[1]:
        raise invalid(f"Expected point_dimensions == center_dimensions: {points.shape[1]} vs {centers.shape[1]}.")
    halves = 0.5 * jnp.sum(centers * centers, 1) - jnp.matmul(points, centers.T, precision=lax.Precision.HIGHEST)
    least, indices = lax.top_k(-halves, min(int(k), centers.shape[0]))
    own = 0.5 * jnp.sum(points * points, 1, keepdims=True)
    return indices.astype(np.int64), 2.0 * (own - least)


@nearest_neighbors.shape_rule
def _(op):
    points, centers = (shapes.of_rank(t.dims, 2) for t in op.inputs[:2])
    k = infer.constant_value(op.inputs[2])
    width = None if k is None or centers[0] is None else min(int(k), centers[0])
    return [(points[0], width)] * 2


for _op in (kmeans_plus_plus_initialization, kmc2_chain_initialization, nearest_neighbors):
    _op.not_differentiable()
