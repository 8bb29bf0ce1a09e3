"""Boosted trees: what they refuse, and the sketches of quantiles beneath. What they learn is held against TensorFlow in
test_estimators.py, their operations in tests/cases/boosted.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg as tf
from thalweg._src.ops.learners import weighted_quantiles as sketch
from thalweg._src.ops.learners.tree_ensembles import Candidate, Ensemble

column = tf.feature_column
NUMBER = [column.numeric_column("x")]


@pytest.mark.parametrize(
    ("kind", "how", "words"),
    [
        ("BoostedTreesClassifier", {"n_classes": 3}, "only binary classification"),
        ("BoostedTreesRegressor", {"label_dimension": 2}, "only 1 dimension regression"),
        ("BoostedTreesRegressor", {"pruning_mode": "half"}, "pruning_mode mode must be one of: none, post, pre"),
        ("BoostedTreesRegressor", {"tree_complexity": 0.1}, "Tree complexity have no effect"),
        ("BoostedTreesRegressor", {"pruning_mode": "pre"}, "tree_complexity must be positive"),
    ],
)
def test_refuses_parameters(kind, how, words):
    with pytest.raises(ValueError, match=words):
        getattr(tf.estimator, kind)(NUMBER, 1, **how)


def test_refuses_columns_that_are_no_buckets():
    classes = column.categorical_column_with_identity("x", 3)
    with pytest.raises(ValueError, match="must be wrapped by IndicatorColumn"):
        tf.estimator.BoostedTreesRegressor([classes], 1)


def test_explains_only_with_a_centered_bias(tmp_path):
    model = tf.estimator.BoostedTreesRegressor(NUMBER, 1, str(tmp_path))
    with pytest.raises(ValueError, match="center_bias must be enabled"):
        next(model.experimental_predict_with_explanations(lambda: None))


@pytest.mark.parametrize("how", [{"n_batches_per_layer": 2}, {"n_batches_per_layer": 1}])
def test_all_data_at_once_in_one_process(how, tmp_path, monkeypatch):
    cluster = '{"cluster": {"chief": ["h:1"], "worker": ["h:2"]}, "task": {"type": "worker", "index": 0}}'
    if how["n_batches_per_layer"] == 1:
        monkeypatch.setenv("TF_CONFIG", cluster)
    model = tf.estimator.BoostedTreesRegressor(NUMBER, model_dir=str(tmp_path), train_in_memory=True, **how)
    inputs = {"x": tf.constant([[1.0]])}, tf.constant([[1.0]])
    with pytest.raises(ValueError, match="n_batches_per_layer|non-distributed"):
        model.model_fn(*inputs, tf.estimator.ModeKeys.TRAIN, model.config)


def test_an_ensemble_survives_its_bytes():
    ensemble = Ensemble()
    ensemble.load(b"", 0)
    how = {"pre_prune": False, "post_prune": True}
    ensemble.grow({0: Candidate(1, 0.5, 2, -0.25, 0.5)}, 2, **how)
    ensemble.grow({1: Candidate(0, -0.5, 1, 0.1, 0.2), 2: Candidate(0, 0.5, 1, 0.1, 0.2)}, 2, **how)
    other = Ensemble()
    other.load(ensemble.dump(), 3)
    assert other.dump() == ensemble.dump()
    assert (len(other.trees), other.finalized, other.stamp, ensemble.stamp) == (2, 1, 3, 2)
    assert len(other.trees[0].nodes) == 5  # the split that lost is a leaf again
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unable to parse"):
        other.load(b"\xff", 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=300), st.integers(1, 4), st.sampled_from([0.02, 0.1]))
def test_ranks_are_right_within_epsilon(values, parts, epsilon):
    values = np.array(values, np.float32)
    stream = sketch.QuantileStream(epsilon, 1 << 20)
    for part in np.array_split(values, parts):
        stream.push(part, np.ones(len(part), np.float32))
    rows = stream.finalize()
    assert rows[-1, sketch.HIGH] == len(values)
    for value, weight, low, high in rows:
        assert low <= (values < value).sum() + 1e-3
        assert high >= (values <= value).sum() - 1e-3
        assert high - low - weight <= 2 * epsilon * len(values) + 1e-3


def test_quantiles_of_nothing_and_of_one():
    empty = sketch.QuantileStream(0.1, 10).finalize()
    assert not len(sketch.boundaries(empty, 5))
    one = sketch.summary_of(np.float32([3]), np.float32([2]))
    assert sketch.boundaries(one, 5).tolist() == [3]
    assert sketch.quantiles(one, 3).tolist() == [3] * 4
