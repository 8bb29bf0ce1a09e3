"""tf.contrib.learn.KMeansClustering: clusters, as an estimator with `fit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import ModelFnOps
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib import clustering
from thalweg._src.lib.estimators.kmeans import ChooseFirst, UntilStill
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.assigning import assign_add
from thalweg._src.ops.late import array, math


class KMeansClustering(Estimator):
    """Clusters of the rows of features; the arguments are those of `tf.contrib.factorization.KMeansClustering`."""

    SQUARED_EUCLIDEAN_DISTANCE = clustering.SQUARED_EUCLIDEAN_DISTANCE
    COSINE_DISTANCE = clustering.COSINE_DISTANCE
    RANDOM_INIT = clustering.RANDOM_INIT
    KMEANS_PLUS_PLUS_INIT = clustering.KMEANS_PLUS_PLUS_INIT
    SCORES, CLUSTER_IDX, CLUSTERS, ALL_SCORES = "scores", "cluster_idx", "clusters", "all_scores"
    LOSS_OP_NAME = "kmeans_loss"

    def __init__(
        self,
        num_clusters: int,
        model_dir: Any = None,
        initial_clusters: Any = clustering.RANDOM_INIT,
        distance_metric: str = clustering.SQUARED_EUCLIDEAN_DISTANCE,
        random_seed: int | None = 0,
        use_mini_batch: bool = True,
        mini_batch_steps_per_iteration: int = 1,
        kmeans_plus_plus_num_retries: int = 2,
        relative_tolerance: float | None = None,
        config: Any = None,
    ):
        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> ModelFnOps:
            assert labels is None, labels
            if isinstance(features, dict):
                features = array.concat([features[key] for key in sorted(features)], 1)
            every, nearest, losses, ready, init_op, train_op = clustering.KMeans(
                *(features, num_clusters, initial_clusters, distance_metric, use_mini_batch),
                *(mini_batch_steps_per_iteration, random_seed, kmeans_plus_plus_num_retries),
            ).training_graph()
            loss = math.reduce_sum(losses, name=self.LOSS_OP_NAME)
            summary.scalar("loss/raw", loss)
            with get_default_graph().control_dependencies([train_op, assign_add(get_global_step(), 1)]):
                step = basic.identity(loss)
            hooks: list[Any] = [ChooseFirst(init_op, ready, config.is_chief)]
            if relative_tolerance is not None:
                hooks.append(UntilStill(loss, relative_tolerance))
            return ModelFnOps(
                mode,
                predictions={self.ALL_SCORES: every[0], self.CLUSTER_IDX: nearest[0]},
                eval_metric_ops={self.SCORES: loss},
                loss=loss,
                train_op=step,
                training_hooks=hooks,
            )

        super().__init__(model_fn, model_dir, config)

    def _each(self, input_fn: Any, key: str) -> Iterator[Any]:
        return (row[key] for row in self.predict(input_fn=input_fn, outputs=[key]))

    def predict_cluster_idx(self, input_fn: Any = None) -> Iterator[Any]:
        """The number of the nearest centre of each row, one by one."""
        return self._each(input_fn, self.CLUSTER_IDX)

    def score(self, input_fn: Any = None, steps: int | None = None) -> Any:
        """The sum of the distances of rows to their centres."""
        return np.sum(self.evaluate(input_fn=input_fn, steps=steps)[self.SCORES])

    def transform(self, input_fn: Any = None, as_iterable: bool = False) -> Any:
        """The distances of each row to all centres: a matrix, or one by one."""
        rows = self._each(input_fn, self.ALL_SCORES)
        return rows if as_iterable else np.array(list(rows))

    def clusters(self) -> Any:
        """The centres, [clusters, width]."""
        return self.get_variable_value(self.CLUSTERS)
