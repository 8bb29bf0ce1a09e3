"""tf.contrib.learn.KMeansClustering: clusters, as an estimator with `fit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import ModelFnOps
from thalweg._src.lib import clustering
from thalweg._src.lib.estimators.kmeans import training
from thalweg._src.ops.late import array


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
            graph = clustering.KMeans(
                *(features, num_clusters, initial_clusters, distance_metric, use_mini_batch),
                *(mini_batch_steps_per_iteration, random_seed, kmeans_plus_plus_num_retries),
            )
            made = training(graph, relative_tolerance, config.is_chief, self.LOSS_OP_NAME)
            return ModelFnOps(
                mode,
                predictions={self.ALL_SCORES: made.distances, self.CLUSTER_IDX: made.nearest},
                eval_metric_ops={self.SCORES: made.loss},
                loss=made.loss,
                train_op=made.step,
                training_hooks=made.hooks,
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
