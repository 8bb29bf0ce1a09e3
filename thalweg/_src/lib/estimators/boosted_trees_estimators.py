"""The estimators of boosted trees, with what says which features they use."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.formats import protos
from thalweg._src.lib import checkpoints
from thalweg._src.lib.estimators import boosted_trees as model
from thalweg._src.lib.estimators import head_checks
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.heads import BinaryLogistic, Regression
from thalweg._src.lib.losses import Reduction
from thalweg._src.ops.basic import identity
from thalweg._src.ops.late import array, math

_DEBUG = "_serialized_debug_outputs_proto"
_UNSET = object()


def _logistic_derivatives(logits: Any, labels: Any) -> tuple[Any, Any]:
    """Gradient and Hessian of the mean logistic loss: (p - y) / n and p (1 - p) / n."""
    p = math.reciprocal(math.exp(-logits) + 1.0)
    part = math.reciprocal(math.cast(array.size(p), dtypes.float32))
    labels = head_checks.checked_labels(math.cast(labels, dtypes.float32), logits, 1)
    return (p - labels) * part, p * (1.0 - p) * part


class _BoostedTrees(Estimator):
    """What all have in common: training, importances of features, explanations of predictions."""

    def __init__(
        self,
        feature_columns: Any,
        n_batches_per_layer: int,
        head: Any,
        model_dir: Any,
        weight_column: Any,
        parameters: model.TreeParameters,
        config: Any,
        derivatives: Any = None,
        train_in_memory: bool = False,
        classifies: bool = False,
    ):
        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            return model.boosted_model(
                *(features, labels, mode, head, feature_columns, parameters, n_batches_per_layer, config),
                *(derivatives, weight_column, train_in_memory),
            )

        Estimator.__init__(self, model_fn, model_dir, config)
        self._columns = sorted(feature_columns, key=lambda c: c.name)
        self._head, self._parameters, self._classifies = head, parameters, classifies
        self._names = model.names_of_features(self._columns)

    def experimental_feature_importances(self, normalize: bool = False) -> collections.OrderedDict[str, float]:
        """{column: what splits by it gained}, the greatest first; shares with `normalize`.

        Raises ValueError before the training, and AssertionError for shares of nothing.
        """
        serialized = checkpoints.load_variable(self.model_dir, "boosted_trees:0_serialized")
        serialized = serialized.item() if isinstance(serialized, np.ndarray) else serialized
        if not serialized:
            raise ValueError(
                "Found empty serialized string for TreeEnsemble.You should only call this method after training."
            )
        ensemble = protos.TreeEnsemble.FromString(serialized)
        gains = np.zeros(len(self._names))
        for tree, weight in zip(ensemble.trees, ensemble.tree_weights, strict=True):
            for node in tree.nodes:
                if node.WhichOneof("node") == "bucketized_split":
                    gains[node.bucketized_split.feature_id] += weight * node.metadata.gain
        if normalize:
            assert np.all(gains >= 0), "feature_importances must be non-negative."
            assert gains.sum() > 0, "Trees are all empty or contain only a root node."
            gains = gains / gains.sum()
        return self._by_column(gains)

    def _by_column(self, values: np.ndarray) -> collections.OrderedDict[str, float]:
        total: dict[str, float] = {}
        for name, value in zip(self._names, values, strict=True):
            total[name] = total.get(name, 0) + value
        return collections.OrderedDict(sorted(total.items(), key=lambda item: abs(item[1]), reverse=True))

    def experimental_predict_with_explanations(
        self, input_fn: Any, predict_keys: Any = None, hooks: Any = None, checkpoint_path: Any = None
    ) -> Iterator[dict[str, Any]]:
        """The predictions for each example, with "bias", what the model says of nothing, and "dfc": {column: what it adds}.

        Raises ValueError for models without `center_bias`, and regressions with a link function.
        """
        if not self._parameters.center_bias:
            raise ValueError(
                "center_bias must be enabled during estimator instantiation when using "
                "experimental_predict_with_explanations."
            )
        if not self._classifies and getattr(self._head, "_inverse_link_fn", None) not in (None, identity):
            raise ValueError(
                "For now only identity inverse_link_fn in regression_head is supported for "
                "experimental_predict_with_explanations."
            )

        def model_fn(features: Any, labels: Any, mode: str) -> Any:
            epsilon = self._parameters.quantile_sketch_epsilon
            return model.explained_model(features, mode, self._head, self._columns, epsilon, _DEBUG)

        explaining = Estimator(model_fn, self.model_dir, self.config)
        if predict_keys is not None:
            predict_keys = {*predict_keys, _DEBUG}
        for row in explaining.predict(input_fn, predict_keys, hooks, checkpoint_path):
            debug = protos.DebugOutput.FromString(row.pop(_DEBUG))
            path = np.array(debug.logits_path)
            if self._classifies:
                path = 1 / (1 + np.exp(-path))
            added = np.bincount(np.array(debug.feature_ids, int), np.diff(path), len(self._names))
            yield {**row, "bias": path[0], "dfc": self._by_column(added)}


class BoostedTreesClassifier(_BoostedTrees):
    """Two classes by boosted trees. Raises ValueError for more.

    `n_batches_per_layer`: after how many batches a layer grows. Floats are divided into 1 / `quantile_sketch_epsilon` buckets.
    """

    def __init__(
        self,
        feature_columns: Any,
        n_batches_per_layer: int,
        model_dir: Any = None,
        n_classes: Any = _UNSET,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        n_trees: int = 100,
        max_depth: int = 6,
        learning_rate: float = 0.1,
        l1_regularization: float = 0.0,
        l2_regularization: float = 0.0,
        tree_complexity: float = 0.0,
        min_node_weight: float = 0.0,
        config: Any = None,
        center_bias: bool = False,
        pruning_mode: str = "none",
        quantile_sketch_epsilon: float = 0.01,
        train_in_memory: bool = False,
    ):
        n_classes = 2 if n_classes is _UNSET else n_classes
        if n_classes != 2:
            raise ValueError(f"For now only binary classification is supported.n_classes given as {n_classes}")
        head = BinaryLogistic(weight_column, None, label_vocabulary, Reduction.SUM_OVER_BATCH_SIZE)
        plain = weight_column is None and label_vocabulary is None
        super().__init__(
            *(feature_columns, n_batches_per_layer, head, model_dir, weight_column),
            model.TreeParameters(
                *(n_trees, max_depth, learning_rate, l1_regularization, l2_regularization, tree_complexity),
                *(min_node_weight, center_bias, pruning_mode, quantile_sketch_epsilon),
            ),
            config,
            derivatives=_logistic_derivatives if plain else None,
            train_in_memory=train_in_memory,
            classifies=True,
        )


class BoostedTreesRegressor(_BoostedTrees):
    """A number by boosted trees. Raises ValueError for several."""

    def __init__(
        self,
        feature_columns: Any,
        n_batches_per_layer: int,
        model_dir: Any = None,
        label_dimension: Any = _UNSET,
        weight_column: Any = None,
        n_trees: int = 100,
        max_depth: int = 6,
        learning_rate: float = 0.1,
        l1_regularization: float = 0.0,
        l2_regularization: float = 0.0,
        tree_complexity: float = 0.0,
        min_node_weight: float = 0.0,
        config: Any = None,
        center_bias: bool = False,
        pruning_mode: str = "none",
        quantile_sketch_epsilon: float = 0.01,
        train_in_memory: bool = False,
    ):
        label_dimension = 1 if label_dimension is _UNSET else label_dimension
        if label_dimension != 1:
            raise ValueError(
                f"For now only 1 dimension regression is supported.label_dimension given as {label_dimension}"
            )
        super().__init__(
            *(feature_columns, n_batches_per_layer),
            *(Regression(1, weight_column, Reduction.SUM_OVER_BATCH_SIZE), model_dir, weight_column),
            model.TreeParameters(
                *(n_trees, max_depth, learning_rate, l1_regularization, l2_regularization, tree_complexity),
                *(min_node_weight, center_bias, pruning_mode, quantile_sketch_epsilon),
            ),
            config,
            train_in_memory=train_in_memory,
        )


class BoostedTreesEstimator(_BoostedTrees):
    """Boosted trees under a head of one logit."""

    def __init__(
        self,
        feature_columns: Any,
        n_batches_per_layer: int,
        head: Any,
        model_dir: Any = None,
        weight_column: Any = None,
        n_trees: int = 100,
        max_depth: int = 6,
        learning_rate: float = 0.1,
        l1_regularization: float = 0.0,
        l2_regularization: float = 0.0,
        tree_complexity: float = 0.0,
        min_node_weight: float = 0.0,
        config: Any = None,
        center_bias: bool = False,
        pruning_mode: str = "none",
        quantile_sketch_epsilon: float = 0.01,
    ):
        super().__init__(
            *(feature_columns, n_batches_per_layer, head, model_dir, weight_column),
            model.TreeParameters(
                *(n_trees, max_depth, learning_rate, l1_regularization, l2_regularization, tree_complexity),
                *(min_node_weight, center_bias, pruning_mode, quantile_sketch_epsilon),
            ),
            config,
            classifies=isinstance(head, BinaryLogistic),
        )
