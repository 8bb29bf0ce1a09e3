"""tf.contrib.estimator's boosted trees that keep one batch in memory, trained as they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.lib.data.dataset import Dataset
from thalweg._src.lib.estimators.boosted_trees_estimators import BoostedTreesClassifier, BoostedTreesRegressor


def _repeated(input_fn: Callable[[], Any]) -> Callable[[], Any]:
    """The input function, with a dataset that does not end."""

    def repeats() -> Any:
        found = input_fn()
        return found.repeat() if isinstance(found, Dataset) else found

    return repeats


def boosted_trees_classifier_train_in_memory(
    train_input_fn: Any,
    feature_columns: Any,
    model_dir: Any = None,
    n_classes: int = 2,
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
    train_hooks: Any = None,
    center_bias: bool = False,
    pruning_mode: str = "none",
    quantile_sketch_epsilon: float = 0.01,
) -> BoostedTreesClassifier:
    """A BoostedTreesClassifier, trained on the one batch (all rows) that `train_input_fn` gives."""
    made = BoostedTreesClassifier(
        *(feature_columns, 1, model_dir, n_classes, weight_column, label_vocabulary, n_trees, max_depth, learning_rate),
        *(l1_regularization, l2_regularization, tree_complexity, min_node_weight, config, center_bias, pruning_mode),
        *(quantile_sketch_epsilon, True),
    )
    made.train(_repeated(train_input_fn), hooks=train_hooks)
    return made


def boosted_trees_regressor_train_in_memory(
    train_input_fn: Any,
    feature_columns: Any,
    model_dir: Any = None,
    label_dimension: int = 1,
    weight_column: Any = None,
    n_trees: int = 100,
    max_depth: int = 6,
    learning_rate: float = 0.1,
    l1_regularization: float = 0.0,
    l2_regularization: float = 0.0,
    tree_complexity: float = 0.0,
    min_node_weight: float = 0.0,
    config: Any = None,
    train_hooks: Any = None,
    center_bias: bool = False,
    pruning_mode: str = "none",
    quantile_sketch_epsilon: float = 0.01,
) -> BoostedTreesRegressor:
    """A BoostedTreesRegressor, trained on the one batch (all rows) that `train_input_fn` gives."""
    made = BoostedTreesRegressor(
        *(feature_columns, 1, model_dir, label_dimension, weight_column, n_trees, max_depth, learning_rate),
        *(l1_regularization, l2_regularization, tree_complexity, min_node_weight, config, center_bias, pruning_mode),
        *(quantile_sketch_epsilon, True),
    )
    made.train(_repeated(train_input_fn), hooks=train_hooks)
    return made
