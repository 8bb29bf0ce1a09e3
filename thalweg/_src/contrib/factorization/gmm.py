"""tf.contrib.factorization: mixtures of normal distributions, by expectation and maximization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import ModelFnOps
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.checkpoints import load_variable
from thalweg._src.lib.estimators.kmeans import ChooseFirst
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.diagonals import matrix_diag, matrix_diag_part
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import array, math
from thalweg._src.ops.linear import linalg
from thalweg._src.ops.linear.linear_systems import matrix_triangular_solve
from thalweg._src.ops.nets.embedding import embedding_lookup
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful.assigning import assign, assign_add
from thalweg._src.ops.stateful.variables import Variable

FULL_COVARIANCE, DIAG_COVARIANCE = "full", "diag"
_LEAST_VARIANCE = 1e-3


def _covariance(x: Any) -> Any:
    """[width, width] of rows."""
    x = x - math.reduce_mean(x, 0, keepdims=True)
    return math.matmul(x, x, transpose_a=True) / math.cast(array.shape(x)[0] - 1, dtypes.float32)


class GmmAlgorithm:
    """The graph of a mixture of `num_classes` normal distributions over the rows of the matrices in the list `data`.

    `params` says what is learned: any of "w" (weights), "m" (means), "c" (covariances). Raises ValueError for other types of covariance.
    """

    CLUSTERS_WEIGHT = "alphas"
    CLUSTERS_VARIABLE = "clusters"
    CLUSTERS_COVS_VARIABLE = "clusters_covs"

    def __init__(
        self,
        data: list[Any],
        num_classes: int,
        initial_means: Any = None,
        params: str = "wmc",
        covariance_type: str = FULL_COVARIANCE,
        random_seed: int = 0,
    ):
        if covariance_type not in (DIAG_COVARIANCE, FULL_COVARIANCE):
            raise ValueError(f"Invalid covariance type: {covariance_type}")
        self._data = [to_tensor(x, dtypes.float32) for x in data]
        self._full, self._count, self._params = covariance_type == FULL_COVARIANCE, num_classes, params
        self._seed = random_seed
        self._width = array.shape(self._data[0])[1]
        empty = array.constant([], dtype=dtypes.float32)
        self._means = Variable(empty, name=self.CLUSTERS_VARIABLE, validate_shape=False)
        self._covs = Variable(empty, name=self.CLUSTERS_COVS_VARIABLE, validate_shape=False)
        even = np.full(num_classes, 1.0 / num_classes, np.float32)
        self._alpha = Variable(even, name=self.CLUSTERS_WEIGHT, validate_shape=False)
        self._ready = Variable(False, dtype=dtypes.bool, name="initialized")
        self._init_op = self._first(initial_means)
        self._chances = [self._log_chances(x) for x in self._data]
        self._evidence = [math.reduce_logsumexp(c, axis=1, keepdims=True) for c in self._chances]
        self._shares = [math.exp(c - e) for c, e in zip(self._chances, self._evidence, strict=True)]
        self._train_op = self._maximized()

    def _first(self, initial_means: Any) -> Any:
        """The op that sets means and covariances, unless they are set."""
        if initial_means is None:
            rows = math.add_n([array.shape(x)[0] for x in self._data])
            with get_default_graph().control_dependencies([checks.assert_less_equal(self._count, rows)]):
                limit = math.cast(rows, dtypes.int64)
                places = random_uniform([self._count], 0, limit, seed=self._seed, dtype=dtypes.int64)
            initial_means = embedding_lookup(self._data, places, partition_strategy="div")
        means = array.expand_dims(initial_means, 1)
        cov = _covariance(self._data[0]) + self._least()
        if not self._full:
            cov = matrix_diag_part(cov)
        covs = array.tile(array.expand_dims(cov, 0), [self._count] + [1] * (2 if self._full else 1))

        def put() -> Any:
            both = [assign(self._means, means, validate_shape=False), assign(self._covs, covs, validate_shape=False)]
            with get_default_graph().control_dependencies(both):
                return assign(self._ready, True).op

        return control_flow.cond(basic.identity(self._ready), basic.no_op, put)

    def _least(self) -> Any:
        return matrix_diag(array.ones([self._width])) * _LEAST_VARIANCE

    def _log_chances(self, x: Any) -> Any:
        """[rows, classes]: the logarithm of the density of each class at each row, and of its weight."""
        away = array.expand_dims(x, 0) - self._means  # [classes, rows, width]
        if self._full:
            root = linalg.cholesky(self._covs + self._least())
            logs = 2.0 * math.reduce_sum(math.log(matrix_diag_part(root)), 1)
            scaled = matrix_triangular_solve(root, array.transpose(away, [0, 2, 1]), lower=True)
            squares = math.reduce_sum(math.square(scaled), 1)
        else:
            variances = self._covs + _LEAST_VARIANCE
            logs = math.reduce_sum(math.log(variances), 1)
            squares = math.reduce_sum(math.square(away) / array.expand_dims(variances, 1), 2)
        constant = math.cast(self._width, dtypes.float32) * np.float32(np.log(2 * np.pi))
        return -0.5 * (array.transpose(squares) + constant + logs) + math.log(self._alpha)

    def _maximized(self) -> Any:
        """The op of one step, from the shares of rows that classes have."""
        pairs = list(zip(self._data, self._shares, strict=True))
        counts = math.add_n([math.reduce_sum(w, 0) for w in self._shares])
        sums = math.add_n([math.matmul(w, x, transpose_a=True) for x, w in pairs])
        squares = math.add_n(
            [
                math.matmul(array.transpose(array.expand_dims(x, 0) * array.expand_dims(array.transpose(w), 2), [0, 2, 1]),
                            array.tile(array.expand_dims(x, 0), [self._count, 1, 1]))
                for x, w in pairs
            ]
        )  # fmt: skip
        epsilon = np.float32(np.finfo(np.float64).eps)
        column = array.reshape(counts, [self._count, 1, 1])
        means = array.expand_dims(sums, 1) / (column + epsilon)
        weights = counts / (math.reduce_sum(counts) + epsilon)
        used = means if "m" in self._params else basic.identity(self._means)
        covs = squares / (column + epsilon) - math.matmul(used, used, transpose_a=True) + self._least()
        new = {"w": (self._alpha, weights), "m": (self._means, means)}
        new["c"] = (self._covs, covs if self._full else matrix_diag_part(covs))
        with get_default_graph().control_dependencies([weights, means, new["c"][1]]):
            steps = [assign(v, x, validate_shape=False) for key, (v, x) in new.items() if key in self._params]
            return basic.group(*steps)

    def init_ops(self) -> Any:
        """The op that chooses first means and covariances."""
        return basic.group(self._init_op)

    def training_ops(self) -> Any:
        """The op of one step."""
        return self._train_op

    def is_initialized(self) -> Any:
        """Whether there are means, a variable."""
        return self._ready

    def alphas(self) -> Any:
        """The weights of the classes."""
        return self._alpha

    def clusters(self) -> Any:
        """The means, [classes, 1, width]."""
        return self._means

    def covariances(self) -> Any:
        """[classes, width, width], or [classes, width] where they are diagonal."""
        return self._covs

    def assignments(self) -> list[Any]:
        """For each matrix of the data the class of each row."""
        return [math.argmax(w, 1) for w in self._shares]

    def scores(self) -> Any:
        """The logarithm of the likelihood of each row."""
        found = [e + math.log(w) for e, w in zip(self._evidence, self._shares, strict=True)]
        return array.squeeze(math.reduce_logsumexp(found, axis=2, keepdims=True), axis=[0])

    def log_likelihood_op(self) -> Any:
        """What is said of all rows together."""
        return math.reduce_logsumexp([math.reduce_logsumexp(e) for e in self._evidence])


def gmm(
    inp: Any,
    initial_clusters: Any,
    num_clusters: int,
    random_seed: int,
    covariance_type: str = FULL_COVARIANCE,
    params: str = "wmc",
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """(loss, scores, [assignments], training op, init op, whether it is initialized) of a mixture.

    `initial_clusters` is "random" or the means.
    """
    by_chance = isinstance(initial_clusters, str) and initial_clusters == "random"
    means = None if by_chance else to_tensor(initial_clusters, dtypes.float32)
    tool = GmmAlgorithm(
        inp if isinstance(inp, list) else [inp], num_clusters, means, params, covariance_type, random_seed
    )
    return (
        *(tool.log_likelihood_op(), tool.scores(), [tool.assignments()], tool.training_ops(), tool.init_ops()),
        tool.is_initialized(),
    )


class GMM(Estimator):
    """A mixture of normal distributions, as an estimator of tf.contrib.learn."""

    SCORES = "scores"
    LOG_LIKELIHOOD = "loss"
    ASSIGNMENTS = "assignments"

    def __init__(
        self,
        num_clusters: int,
        model_dir: Any = None,
        random_seed: int = 0,
        params: str = "wmc",
        initial_clusters: Any = "random",
        covariance_type: str = FULL_COVARIANCE,
        config: Any = None,
    ):
        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> ModelFnOps:
            assert labels is None, labels
            if isinstance(features, dict):
                features = array.concat([features[k] for k in sorted(features)], 1)
            loss, scores, assignments, train_op, init_op, ready = gmm(
                features, initial_clusters, num_clusters, random_seed, covariance_type, params
            )
            with get_default_graph().control_dependencies([train_op, assign_add(get_global_step(), 1)]):
                step = basic.identity(loss)
            total = Variable(0.0, trainable=False, collections=[GraphKeys.LOCAL_VARIABLES])
            return ModelFnOps(
                mode,
                predictions={self.ASSIGNMENTS: assignments[0][0]},
                eval_metric_ops={self.SCORES: scores, self.LOG_LIKELIHOOD: (total, total.assign_add(loss))},
                loss=loss,
                train_op=step,
                training_hooks=[ChooseFirst(init_op, ready, config.is_chief)],
            )

        super().__init__(model_fn, model_dir, config)

    def predict_assignments(self, input_fn: Any = None, batch_size: Any = None, outputs: Any = None) -> Iterator[Any]:
        """The class of each row, one by one."""
        for result in self.predict(input_fn=input_fn, batch_size=batch_size, outputs=outputs):
            yield result[self.ASSIGNMENTS]

    def score(self, input_fn: Any = None, batch_size: Any = None, steps: Any = None) -> Any:
        """The logarithm of the likelihood of all rows."""
        results = self.evaluate(input_fn=input_fn, batch_size=batch_size, steps=steps)
        return np.log(np.sum(np.exp(results[self.SCORES])))

    def weights(self) -> Any:
        """The weights of the classes."""
        return load_variable(self.model_dir, GmmAlgorithm.CLUSTERS_WEIGHT)

    def clusters(self) -> Any:
        """The means, [classes, width]."""
        return np.squeeze(load_variable(self.model_dir, GmmAlgorithm.CLUSTERS_VARIABLE), 1)

    def covariances(self) -> Any:
        """The covariances."""
        return load_variable(self.model_dir, GmmAlgorithm.CLUSTERS_COVS_VARIABLE)
