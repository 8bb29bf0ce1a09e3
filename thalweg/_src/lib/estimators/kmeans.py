"""`tf.estimator.experimental.KMeans`: clusters of the rows of features."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib import clustering
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.export_outputs import PredictOutput
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.feature_columns.layers import input_layer
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.metrics.means import mean
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.assigning import assign_add


class UntilStill(SessionRunHook):
    """Stops when the loss changes by less than `tolerance` of itself."""

    def __init__(self, loss: Any, tolerance: float):
        self._loss, self._tolerance = loss, tolerance
        self._before: Any = None

    def before_run(self, run_context: Any) -> Any:
        return SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        loss = run_values.results
        if self._before and abs(loss - self._before) / (1 + abs(self._before)) < self._tolerance:
            run_context.request_stop()
        self._before = loss


class ChooseFirst(SessionRunHook):
    """Chooses first centres, a batch at a time; workers wait until the chief has."""

    def __init__(self, init_op: Any, ready: Any, is_chief: bool):
        self._init_op, self._ready, self._is_chief = init_op, ready, is_chief

    def after_create_session(self, session: Any, coord: Any) -> None:
        while not session.run(self._ready):
            if self._is_chief:
                session.run(self._init_op)
            else:
                log.info("Waiting for the first centers.")
                time.sleep(1)


def _rows(features: Any, feature_columns: Any) -> Any:
    """One matrix: of columns, of a dict's tensors side by side by name, or as it is."""
    if not isinstance(features, dict):
        return features
    if feature_columns:
        return input_layer(features, feature_columns)
    return array.concat([features[key] for key in sorted(features)], axis=1)


class Training(NamedTuple):
    """What an estimator of clusters trains with."""

    distances: Any  # of each row to all centres
    nearest: Any  # the number of the nearest centre of each row
    loss: Any
    step: Any  # the loss, after a step
    hooks: list[Any]


def training(
    graph: clustering.KMeans, tolerance: float | None, is_chief: bool, loss_name: str | None = None
) -> Training:
    """The training graph of clusters with the global step counted, and the hooks that choose first centres and end it."""
    every, nearest, losses, ready, init_op, train_op = graph.training_graph()
    loss = math.reduce_sum(losses, name=loss_name)
    summary.scalar("loss/raw", loss)
    with get_default_graph().control_dependencies([train_op, assign_add(get_global_step(), 1)]):
        step = basic.identity(loss)
    hooks: list[Any] = [ChooseFirst(init_op, ready, is_chief)]
    if tolerance is not None:
        hooks.append(UntilStill(loss, tolerance))
    return Training(every[0], nearest[0], loss, step, hooks)


class KMeansClustering(Estimator):
    """Clusters, as an estimator: `train`, then `cluster_centers`, `predict_cluster_index`, `score`, `transform`.

    The arguments are those of the graph (`lib/clustering.KMeans`). `relative_tolerance` ends training where the loss changes by less;
    `feature_columns` make a matrix of a dict of features. Raises ValueError for unknown distances and ways to start.

    >>> rows = np.float32([[0, 0], [0, 1], [9, 9], [9, 8]])
    >>> inputs = lambda: tf.train.limit_epochs(tf.constant(rows), num_epochs=1)
    >>> model = tf.estimator.experimental.KMeans(2, initial_clusters=rows[[0, 2]], use_mini_batch=False)
    >>> list(model.train(inputs).predict_cluster_index(inputs))
    [0, 0, 1, 1]
    """

    SQUARED_EUCLIDEAN_DISTANCE = clustering.SQUARED_EUCLIDEAN_DISTANCE
    COSINE_DISTANCE = clustering.COSINE_DISTANCE
    RANDOM_INIT = clustering.RANDOM_INIT
    KMEANS_PLUS_PLUS_INIT = clustering.KMEANS_PLUS_PLUS_INIT
    SCORE = "score"
    CLUSTER_INDEX = "cluster_index"
    ALL_DISTANCES = "all_distances"
    CLUSTER_CENTERS_VAR_NAME = clustering.CLUSTERS_VAR_NAME

    def __init__(
        self,
        num_clusters: int,
        model_dir: Any = None,
        initial_clusters: Any = clustering.RANDOM_INIT,
        distance_metric: str = clustering.SQUARED_EUCLIDEAN_DISTANCE,
        seed: int | None = None,
        use_mini_batch: bool = True,
        mini_batch_steps_per_iteration: int = 1,
        kmeans_plus_plus_num_retries: int = 2,
        relative_tolerance: float | None = None,
        config: Any = None,
        feature_columns: Any = None,
    ):
        clustering.check_choices(initial_clusters, distance_metric)
        self._distance_metric = distance_metric

        def model_fn(features: Any, mode: str, config: Any) -> EstimatorSpec:
            graph = clustering.KMeans(
                *(_rows(features, feature_columns), num_clusters, initial_clusters, distance_metric, use_mini_batch),
                *(mini_batch_steps_per_iteration, seed, kmeans_plus_plus_num_retries),
            )
            made = training(graph, relative_tolerance, config.is_chief)
            return EstimatorSpec(
                mode,
                predictions={self.ALL_DISTANCES: made.distances, self.CLUSTER_INDEX: made.nearest},
                loss=made.loss,
                train_op=made.step,
                eval_metric_ops={self.SCORE: mean(made.loss)},
                training_hooks=made.hooks,
                export_outputs={
                    self.ALL_DISTANCES: PredictOutput(made.distances),
                    self.CLUSTER_INDEX: PredictOutput(made.nearest),
                    "serving_default": PredictOutput(made.nearest),
                },
            )

        super().__init__(model_fn, model_dir, config)

    def _each(self, input_fn: Any, key: str) -> Iterator[Any]:
        return (row[key] for row in self.predict(input_fn=input_fn, predict_keys=[key]))

    def predict_cluster_index(self, input_fn: Any) -> Iterator[Any]:
        """The number of the nearest centre of each row, one by one."""
        return self._each(input_fn, self.CLUSTER_INDEX)

    def score(self, input_fn: Any) -> Any:
        """The sum of the squared distances of the rows of the first batch to their centres."""
        return self.evaluate(input_fn=input_fn, steps=1)[self.SCORE]

    def transform(self, input_fn: Any) -> Iterator[Any]:
        """The distances of each row to all centres, one by one."""
        for distances in self._each(input_fn, self.ALL_DISTANCES):
            squared = self._distance_metric == clustering.SQUARED_EUCLIDEAN_DISTANCE
            yield np.sqrt(np.maximum(distances, 0.0)) if squared else distances

    def cluster_centers(self) -> Any:
        """The centres, [clusters, width]."""
        return self.get_variable_value(self.CLUSTER_CENTERS_VAR_NAME)
