"""k-means: the graph that chooses first centres and moves them, by Lloyd's algorithm on all rows or on batches of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.seeds import get_seed
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import placeholder_with_default
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import array, math
from thalweg._src.ops.learners.clustering import (
    kmc2_chain_initialization,
    kmeans_plus_plus_initialization,
    nearest_neighbors,
)
from thalweg._src.ops.nets import normalization
from thalweg._src.ops.nets.embedding import embedding_lookup
from thalweg._src.ops.numeric import segments
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.assigning import assign, assign_sub
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.ops.updates import updating

SQUARED_EUCLIDEAN_DISTANCE, COSINE_DISTANCE = "squared_euclidean", "cosine"
RANDOM_INIT, KMEANS_PLUS_PLUS_INIT, KMC2_INIT = "random", "kmeans_plus_plus", "kmc2"
CLUSTERS_VAR_NAME = "clusters"


def check_choices(initial_clusters: Any, distance_metric: str) -> None:
    """Raise ValueError for unknown names of first centres and of distances."""
    known = (RANDOM_INIT, KMEANS_PLUS_PLUS_INIT, KMC2_INIT)
    if isinstance(initial_clusters, str) and initial_clusters not in known:
        raise ValueError(f"Unsupported initialization algorithm '{initial_clusters}'")
    if distance_metric not in (SQUARED_EUCLIDEAN_DISTANCE, COSINE_DISTANCE):
        raise ValueError(f"Unsupported distance metric '{distance_metric}'")


class KMeans:
    """The graph that finds `num_clusters` centres of the rows of `inputs` (a tensor, or a list of them).

    `initial_clusters` is "random" (rows of the inputs), "kmeans_plus_plus", "kmc2", an array of centres, or a function (inputs, k)
    that gives up to k centres. With `use_mini_batch` each centre moves by the rows of a batch, less and less as it has seen more; what
    is used to tell clusters follows every `mini_batch_steps_per_iteration` steps. Else a centre becomes the mean of its rows.
    Raises ValueError for other distances and ways to start.
    """

    def __init__(
        self,
        inputs: Any,
        num_clusters: Any,
        initial_clusters: Any = RANDOM_INIT,
        distance_metric: str = SQUARED_EUCLIDEAN_DISTANCE,
        use_mini_batch: bool = False,
        mini_batch_steps_per_iteration: int = 1,
        random_seed: int | None = 0,
        kmeans_plus_plus_num_retries: int = 2,
        kmc2_chain_length: int = 200,
    ):
        check_choices(initial_clusters, distance_metric)
        self._inputs = [to_tensor(x) for x in inputs] if isinstance(inputs, list) else [to_tensor(inputs)]
        self._count, self._initial = num_clusters, initial_clusters
        self._cosine, self._mini_batch = distance_metric == COSINE_DISTANCE, use_mini_batch
        self._steps = int(mini_batch_steps_per_iteration)
        self._seed = get_seed(random_seed)[0]
        self._retries, self._chain = kmeans_plus_plus_num_retries, kmc2_chain_length

    @property
    def _keeps_unit_centers(self) -> bool:
        return self._cosine and (not self._mini_batch or self._steps > 1)

    def training_graph(self) -> tuple[Any, Any, Any, Any, Any, Any]:
        """(all distances, nearest clusters, distances to them), tuples with a tensor for each input; whether all centres are chosen,
        the op that chooses some, and the op of a training step.
        """
        first: Any = self._initial
        if isinstance(first, str) or callable(first):
            count = to_tensor(self._count)
        else:
            first = to_tensor(first)
            count = array.shape(first)[0]
        held = _Held(count, self._mini_batch, self._steps)
        init_op = _FirstCenters(self, held, count, first).op()
        inputs, centers = self._inputs, held.centers
        if self._cosine:
            inputs = [normalization.l2_normalize(x, 1) for x in inputs]
            if not self._keeps_unit_centers:
                centers = normalization.l2_normalize(centers, 1)
        found = [self._nearest(x, centers) for x in inputs]
        everything, scores, nearest = zip(*found, strict=True)
        if self._mini_batch:
            with get_default_graph().control_dependencies([self._follow(held)]):
                train_op = _moves(inputs, nearest, held)
        else:
            train_op = self._means(inputs, nearest, held, count)
        return everything, nearest, scores, held.ready, init_op, train_op

    def _nearest(self, x: Any, centers: Any) -> tuple[Any, Any, Any]:
        """All distances of the rows of `x`, the least of each, and where it is."""
        products = math.matmul(x, centers, transpose_b=True)
        if self._cosine:
            every = 1.0 - products
        else:
            squares = math.reduce_sum(math.square(x), 1, keepdims=True)
            every = squares - 2.0 * products + math.reduce_sum(math.square(centers), 1)
        if self._cosine and not self._keeps_unit_centers:
            centers = normalization.l2_normalize(centers, 1)
        indices, distances = nearest_neighbors(x, centers, 1)
        distances = distances * 0.5 if self._cosine else distances
        return every, array.squeeze(distances, [-1]), array.squeeze(indices, [-1])

    def _follow(self, held: _Held) -> Any:
        """Every so many steps the centres become those that moved."""
        if held.steps_left is None:
            return basic.no_op()
        left = held.steps_left

        def follow() -> Any:
            moved = normalization.l2_normalize(held.moving, 1) if self._cosine else held.moving
            with get_default_graph().control_dependencies([assign(held.centers, moved)]):
                with get_default_graph().control_dependencies([assign(held.seen, array.zeros_like(held.seen))]):
                    return assign(left, self._steps - 1)

        return control_flow.cond(math.less_equal(left, 0), follow, lambda: assign_sub(left, 1))

    def _means(self, inputs: list[Any], nearest: Any, held: _Held, count: Any) -> Any:
        sums = math.add_n([segments.unsorted_segment_sum(x, at, count) for x, at in zip(inputs, nearest, strict=True)])
        ones = [array.ones([array.shape(x)[0], 1]) for x in inputs]
        counts = math.add_n(
            [segments.unsorted_segment_sum(one, at, count) for one, at in zip(ones, nearest, strict=True)]
        )
        means = sums / (math.cast(counts, sums.dtype) + 1e-6)
        return assign(held.centers, normalization.l2_normalize(means, 1) if self._cosine else means)


class _Held:
    """The variables: centres, whether they are chosen, and for batches what each has seen and where it moved."""

    def __init__(self, count: Any, mini_batch: bool, steps: int):
        empty = placeholder_with_default([], shape=None)
        self.centers = Variable(empty, name=CLUSTERS_VAR_NAME, validate_shape=False)
        self.ready = Variable(False, dtype=dtypes.bool, name="initialized")
        self.moving, self.steps_left, self.seen = self.centers, None, None
        if mini_batch and steps > 1:
            self.moving = Variable(empty, name="clusters_updated", validate_shape=False)
            self.steps_left = Variable(steps, dtype=dtypes.int64, name="update_in_steps")
            self.seen = Variable(array.zeros([count], dtype=dtypes.int64))
        elif mini_batch:
            self.seen = Variable(array.ones([count], dtype=dtypes.int64))

    def put(self, centers: Any) -> Any:
        """The tensor of the centres after they were replaced by `centers`."""
        new = assign(self.centers, centers, validate_shape=False)
        return new if self.moving is self.centers else assign(self.moving, new, validate_shape=False)


def _moves(inputs: list[Any], nearest: Any, held: _Held) -> Any:
    """The op that moves each centre towards its rows by the share that they have of all it has seen."""
    updates = []
    for x, at in zip(inputs, nearest, strict=True):
        once, place = array.unique(array.reshape(at, [-1]))
        number = array.size(once)
        before, old = array.gather(held.seen, once), array.gather(held.moving, once)
        more = segments.unsorted_segment_sum(array.ones_like(place, dtype=dtypes.int64), place, number)
        column = array.expand_dims(math.cast(more, x.dtype), 1)
        way = segments.unsorted_segment_sum(x, place, number) - column * old
        way = way / array.expand_dims(math.cast(before + more, x.dtype), 1)
        with get_default_graph().control_dependencies([way]):
            updates += [updating.scatter_add(held.seen, once, more), updating.scatter_add(held.moving, once, way)]
    return basic.group(*updates)


class _FirstCenters:
    """The op that chooses first centres from a batch: all that are missing, or what the batch gives."""

    def __init__(self, model: KMeans, held: _Held, count: Any, initial: Any):
        self._model, self._held, self._count, self._initial = model, held, count, initial
        self._inputs = model._inputs
        self._chosen = array.shape(held.centers)[0]
        self._missing = count - self._chosen
        self._rows = math.add_n([array.shape(x)[0] for x in self._inputs])

    def op(self) -> Any:
        """The op; it raises InvalidArgumentError where centres are there, but not marked as ready."""
        done = lambda: checks.assert_equal(self._held.ready, True)
        return control_flow.cond(math.equal(self._missing, 0), done, self._choose)

    def _choose(self) -> Any:
        with get_default_graph().control_dependencies([checks.assert_positive(self._missing)]):
            by_chains = isinstance(self._initial, str) and self._initial == KMC2_INIT
            left = self._chains() if by_chains else self._added()
            return control_flow.cond(
                math.equal(left, 0), lambda: assign(self._held.ready, True).op, lambda: basic.no_op()
            )

    def _added(self) -> Any:
        """Adds centres; how many are still missing."""
        new = self._new()
        if self._model._cosine:
            new = normalization.l2_normalize(new, 1)
        every = control_flow.cond(
            math.equal(self._chosen, 0), lambda: new, lambda: array.concat([self._held.centers, new], 0)
        )
        return self._count - array.shape(self._held.put(every))[0]

    def _new(self) -> Any:
        if isinstance(self._initial, str):
            if self._initial == RANDOM_INIT:
                every: Callable[[], Any] = lambda: array.concat(self._inputs, 0)
                return control_flow.cond(math.less_equal(self._rows, self._missing), every, self._random)
            with get_default_graph().control_dependencies([checks.assert_greater_equal(self._rows, self._missing)]):
                return self._plus_plus()
        if callable(self._initial):
            return self._initial(self._inputs, self._missing)
        enough = checks.assert_equal(self._missing, array.shape(self._initial)[0])
        with get_default_graph().control_dependencies([enough]):
            return basic.identity(self._initial)

    def _random(self) -> Any:
        limit = math.cast(self._rows, dtypes.int64)
        size = array.reshape(self._missing, [-1])
        places = random_uniform(size, minval=0, maxval=limit, seed=self._model._seed, dtype=dtypes.int64)
        return embedding_lookup(self._inputs, places, partition_strategy="div")

    def _plus_plus(self) -> Any:
        x = normalization.l2_normalize(self._inputs[0], 1) if self._model._cosine else self._inputs[0]
        missing = math.cast(self._missing, dtypes.int64)
        return kmeans_plus_plus_initialization(x, missing, self._model._seed or 0, self._model._retries)

    def _chains(self) -> Any:
        """k-MC²: a Markov chain over each stretch of the batch adds one centre. How many are still missing."""
        x, length = self._inputs[0], self._model._chain
        stretches = math.cast(array.shape(x)[0] / length, dtypes.int32)
        number = math.maximum(math.minimum(self._missing, stretches), 1)

        def unit(row: Any) -> Any:
            row = array.reshape(row, [1, -1])
            return normalization.l2_normalize(row, 1) if self._model._cosine else row

        def chain(i: Any) -> Any:
            part = x[i * length : (i + 1) * length]
            _, distances = nearest_neighbors(part, self._held.centers, 1)
            at = kmc2_chain_initialization(array.squeeze(distances), self._model._seed or 0)
            return array.concat([self._held.centers, unit(part[at])], 0)

        def step(i: Any, _: Any) -> tuple[Any, Any]:
            new = control_flow.cond(math.equal(self._chosen, 0), lambda: unit(x[0]), lambda: chain(i))
            return i + 1, self._count - array.shape(self._held.put(new))[0]

        _, left = while_loop(lambda i, _: math.less(i, number), step, [0, 0])
        return left
