"""tf.contrib.predictor: SavedModels and estimators as functions of arrays."""

import numpy as np
import pytest

import thalweg as tf
from thalweg.contrib import predictor


def model_fn(features, labels, mode):
    w = tf.get_variable("w", initializer=3.0)
    out = w * features["x"]
    step = tf.train.get_or_create_global_step()
    train = tf.group(tf.assign_add(step, 1), w.assign(5.0))
    return tf.estimator.EstimatorSpec(mode, predictions={"y": out}, loss=tf.reduce_sum(out), train_op=train)


def receiver():
    return tf.estimator.export.build_raw_serving_input_receiver_fn({"x": tf.placeholder(tf.float32, [None])})()


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    made = tf.estimator.Estimator(model_fn, str(tmp_path_factory.mktemp("model")))
    return made.train(lambda: ({"x": tf.constant([1.0])}, tf.constant([1.0])), steps=1)


def test_an_estimator(estimator):
    found = predictor.from_estimator(estimator, receiver)
    assert list(found.feed_tensors) == ["x"]
    for factor in (1, 2):
        assert found({"x": np.float32([1, 2]) * factor})["y"].tolist() == [5 * factor, 10 * factor]
    with pytest.raises(ValueError, match="unexpected keys"):
        found({"z": [1.0]})
    with pytest.raises(ValueError, match="output_key must be one of"):
        predictor.from_estimator(estimator, receiver, output_key="none")


def test_a_saved_model(estimator, tmp_path):
    folder = estimator.export_savedmodel(str(tmp_path), receiver)
    found = predictor.from_saved_model(folder)
    assert found({"x": [2.0]})["y"].tolist() == [10.0]
    feeds, fetches = ({key: t.name for key, t in d.items()} for d in (found.feed_tensors, found.fetch_tensors))
    named = predictor.from_saved_model(folder, input_names=feeds, output_names=fetches)
    assert named({"x": [4.0]})["y"].tolist() == [20.0]
    with pytest.raises(ValueError, match="Available signatures"):
        predictor.from_saved_model(folder, "none")
    with pytest.raises(ValueError, match="at most one"):
        predictor.from_saved_model(folder, "serving_default", input_names=feeds, output_names=fetches)
    with pytest.raises(RuntimeError, match="train"):
        predictor.from_saved_model(folder, tags="train")


def test_an_estimator_without_a_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="Couldn't find trained model"):
        predictor.from_estimator(tf.estimator.Estimator(model_fn, str(tmp_path)), receiver)
