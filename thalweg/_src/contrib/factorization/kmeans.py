"""tf.contrib.factorization.KMeansClustering: the estimator of clusters, with the name of its seed before it moved to tf.estimator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from thalweg._src.lib import clustering
from thalweg._src.lib.estimators import kmeans


class KMeansClustering(kmeans.KMeansClustering):
    """As `tf.estimator.experimental.KMeans`; the seed is called `random_seed`."""

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
        feature_columns: Any = None,
    ):
        super().__init__(
            *(num_clusters, model_dir, initial_clusters, distance_metric, random_seed, use_mini_batch),
            *(
                mini_batch_steps_per_iteration,
                kmeans_plus_plus_num_retries,
                relative_tolerance,
                config,
                feature_columns,
            ),
        )

    def transform(self, input_fn: Any) -> Iterator[Any]:
        """The distances of each row to all centres, squared where they are Euclid's, one by one."""
        return self._each(input_fn, self.ALL_DISTANCES)
