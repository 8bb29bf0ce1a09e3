"""Boosted trees of tf.contrib: they learn what trees can, stop when they are told to, and come back from a checkpoint."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.contrib.boosted_trees import learner
from thalweg._src.contrib.boosted_trees.estimators import (
    GradientBoostedDecisionTreeClassifier,
    GradientBoostedDecisionTreeRegressor,
)

X = np.random.RandomState(0).rand(300, 3).astype(np.float32)


def config(**attrs):
    made = learner.LearnerConfig()
    made.constraints.max_tree_depth = 3
    made.learning_rate_tuner.fixed.learning_rate = 0.5
    made.regularization.l2 = 1.0 / 300
    for name, value in attrs.items():
        setattr(made, name, value)
    return made


def inputs(y, epochs=None):
    return tf.estimator.inputs.numpy_input_fn({"x": X}, y, batch_size=300, num_epochs=epochs, shuffle=False)


@pytest.mark.parametrize("strategy", ["TREE_PER_CLASS", "DIAGONAL_HESSIAN"])
def test_classes(strategy, tmp_path):
    y = ((X[:, 0] > 0.5) + 2 * (X[:, 1] > 0.3)).astype(np.int32)  # four classes, one to each corner
    how = config(multi_class_strategy=getattr(learner.LearnerConfig, strategy))
    arguments = {"n_classes": 4, "center_bias": False, "model_dir": str(tmp_path)}
    number = 8 if strategy == "TREE_PER_CLASS" else 3
    model = GradientBoostedDecisionTreeClassifier(how, 300, num_trees=number, **arguments)
    model.fit(input_fn=inputs(y), max_steps=200)
    assert model.get_variable_value("global_step") < 40  # the trees were there
    assert model.evaluate(input_fn=inputs(y, 1), steps=1)["accuracy"] > 0.95
    again = GradientBoostedDecisionTreeClassifier(how, 300, **arguments)
    assert again.evaluate(input_fn=inputs(y, 1), steps=1)["accuracy"] > 0.95


def test_numbers_and_pruning():
    y = np.where(X[:, :1] > 0.5, 3.0, -1.0).astype(np.float32) + X[:, 2:]
    how = config(pruning_mode=learner.LearnerConfig.POST_PRUNE, growing_mode=learner.LearnerConfig.WHOLE_TREE)
    how.regularization.tree_complexity = 1e-4
    model = GradientBoostedDecisionTreeRegressor(how, lambda depth: 300, num_trees=6)
    model.fit(input_fn=inputs(y), max_steps=60)
    assert model.evaluate(input_fn=inputs(y, 1), steps=1)["loss"] < 0.05


@pytest.mark.parametrize(
    ("attrs", "words"),
    [
        ({"weak_learner_type": 1}, "oblivious"),
        ({"feature_fraction_per_tree": 0.5}, "by chance"),
        ({"num_classes": 3}, "doesn't match"),
    ],
)
def test_what_they_refuse(attrs, words):
    with pytest.raises(ValueError, match=words):
        GradientBoostedDecisionTreeClassifier(config(**attrs), 300, n_classes=2)
