"""tf.contrib.factorization.KMeans: clusters of rows, by Lloyd's algorithm on all rows or on batches of them."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.ops import basic, normalization
from thalweg._src.ops.late import array, math
from thalweg._src.ops.random import random_shuffle
from thalweg._src.ops.variables import Variable

SQUARED_EUCLIDEAN_DISTANCE = "squared_euclidean"
COSINE_DISTANCE = "cosine"
RANDOM_INIT = "random"


class KMeans:
    """The graph that finds `num_clusters` centres of the rows of `inputs` (a tensor, or a list of them).

    `initial_clusters` is "random" (rows of the inputs) or an array of centres. With `use_mini_batch` each centre moves by the
    rows of a batch, less and less as it has seen more; else it becomes the mean of its rows. Raises ValueError for other
    distances and ways to start.
    """

    def __init__(
        self,
        inputs: Any,
        num_clusters: int,
        initial_clusters: Any = RANDOM_INIT,
        distance_metric: str = SQUARED_EUCLIDEAN_DISTANCE,
        use_mini_batch: bool = False,
        mini_batch_steps_per_iteration: int = 1,
        random_seed: int = 0,
        kmeans_plus_plus_num_retries: int = 2,
        kmc2_chain_length: int = 200,
    ):
        if distance_metric not in (SQUARED_EUCLIDEAN_DISTANCE, COSINE_DISTANCE):
            raise ValueError(f"Unsupported distance metric passed to Kmeans {distance_metric}")
        if isinstance(initial_clusters, str) and initial_clusters != RANDOM_INIT:
            raise ValueError(
                f"initial_clusters {initial_clusters!r} is not supported: give {RANDOM_INIT!r} or an array of centres."
            )
        rows = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        self._inputs = [to_tensor(x, dtypes.float32) for x in rows]
        self._cosine = distance_metric == COSINE_DISTANCE
        if self._cosine:
            self._inputs = [normalization.l2_normalize(x, 1) for x in self._inputs]
        self._count, self._initial, self._mini_batch = num_clusters, initial_clusters, use_mini_batch
        self._seed = random_seed

    def training_graph(self) -> tuple[Any, Any, Any, Any, Any, Any]:
        """(all distances, nearest clusters, distances to them), lists with a tensor for each input; whether the centres are
        initialized, the op that initializes them, and the op of a training step.
        """
        width = self._inputs[0].get_shape().as_list()[1]
        shape = [self._count, width]
        centers = Variable(array.zeros(shape), name="clusters", trainable=False)
        ready = Variable(False, name="initialized", trainable=False)
        seen = Variable(array.zeros([self._count]), name="counts", trainable=False)
        every = self._inputs[0] if len(self._inputs) == 1 else array.concat(self._inputs, 0)
        if isinstance(self._initial, str):
            first = random_shuffle(every, seed=self._seed)[: self._count]
        else:
            first = to_tensor(self._initial, dtypes.float32)
        first = array.reshape(normalization.l2_normalize(first, 1) if self._cosine else first, shape)
        with get_default_graph().control_dependencies(
            [centers.assign(first).op, seen.assign(array.zeros_like(seen)).op]
        ):
            init_op = ready.assign(True).op
        measured = normalization.l2_normalize(centers, 1) if self._cosine else centers
        found = [self._nearest(x, measured) for x in self._inputs]
        everything, nearest, scores = (list(part) for part in zip(*found, strict=True))
        member = array.one_hot(nearest[0] if len(nearest) == 1 else array.concat(nearest, 0), self._count)
        sums, counts = math.matmul(member, every, transpose_a=True), math.reduce_sum(member, 0)
        return everything, nearest, scores, ready, init_op, self._step(centers, seen, sums, counts)

    def _nearest(self, x: Any, centers: Any) -> tuple[Any, Any, Any]:
        products = math.matmul(x, centers, transpose_b=True)
        if self._cosine:
            distances = 1.0 - products
        else:
            squares = math.reduce_sum(math.square(x), 1, keepdims=True)
            distances = math.maximum(squares - 2.0 * products + math.reduce_sum(math.square(centers), 1), 0.0)
        return distances, math.argmin(distances, 1), math.reduce_min(distances, 1)

    def _step(self, centers: Any, seen: Any, sums: Any, counts: Any) -> Any:
        counts_column = array.expand_dims(counts, 1)
        if self._mini_batch:
            total = math.maximum(seen + counts, 1.0)
            moved = centers + (sums - counts_column * centers) / array.expand_dims(total, 1)
        else:
            kept = math.cast(math.equal(counts_column, 0.0), dtypes.float32)
            moved = sums / math.maximum(counts_column, 1.0) + kept * centers
        with get_default_graph().control_dependencies([moved, counts]):
            return basic.group(centers.assign(moved), seen.assign_add(counts))
