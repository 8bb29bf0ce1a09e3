"""Estimators out of SavedModels, and boosted trees that are trained as they are made."""

import numpy as np
import pytest

import thalweg as tf

X = tf.feature_column.numeric_column("x")


def rows():
    return tf.data.Dataset.from_tensors(({"x": [1.0, 2.0, 3.0]}, [[1.0], [0.0], [0.0]])).repeat()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    found = tf.estimator.LinearClassifier([X]).train(rows, steps=3)
    with tf.Graph().as_default():
        inputs = {"x": tf.placeholder(tf.float32, [None])}
        supervised = tf.contrib.estimator.build_raw_supervised_input_receiver_fn(
            inputs, tf.placeholder(tf.float32, [None, 1])
        )
        serving = tf.estimator.export.build_parsing_serving_input_receiver_fn(
            tf.feature_column.make_parse_example_spec([X])
        )
        receivers = {"train": supervised, "eval": supervised, "infer": serving}
        folder = tf.contrib.estimator.export_all_saved_models(found, str(tmp_path_factory.mktemp("all")), receivers)
        evaluates = tf.contrib.estimator.export_saved_model_for_mode(
            found, str(tmp_path_factory.mktemp("one")), supervised, mode="eval"
        )
    return found, folder, evaluates


def test_it_evaluates_predicts_and_trains_as_the_model_that_was_exported(exported):
    found, folder, _ = exported
    again = tf.contrib.estimator.SavedModelEstimator(folder)
    theirs, ours = found.evaluate(rows, steps=1), again.evaluate(rows, steps=1)
    assert ours["loss"] == theirs["loss"]
    assert ours["metrics/auc"] == theirs["auc"]
    assert ours["global_step"] == 3
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(1.0)
    told = next(again.predict(lambda: {"inputs": tf.constant([example.SerializeToString()])}))
    expected = next(found.predict(lambda: {"x": tf.constant([1.0])}))
    np.testing.assert_allclose(told["scores"], expected["probabilities"], rtol=1e-6)
    assert again.train(rows, steps=2).evaluate(rows, steps=1)["global_step"] == 5


def test_what_was_not_exported_and_what_does_not_fit(exported):
    _, folder, evaluates = exported
    with pytest.raises(RuntimeError, match="train mode is not available"):
        tf.contrib.estimator.SavedModelEstimator(evaluates).train(rows, steps=1)
    again = tf.contrib.estimator.SavedModelEstimator(folder)
    with pytest.raises(ValueError, match='Key "x" not found'):
        again.evaluate(lambda: ({"y": tf.constant([1.0])}, tf.constant([[1.0]])), steps=1)
    with pytest.raises(ValueError, match="Expected dtype: <dtype: 'float32'>, Got: <dtype: 'int32'>"):
        again.evaluate(lambda: ({"x": tf.constant([1])}, tf.constant([[1.0]])), steps=1)


def test_boosted_trees_trained_in_memory():
    column = [tf.feature_column.bucketized_column(X, [1.5, 2.5])]

    def numbers():
        return tf.data.Dataset.from_tensors(({"x": [1.0, 2.0, 3.0]}, [[1.0], [0.0], [5.0]]))

    told = tf.contrib.estimator.boosted_trees_regressor_train_in_memory(numbers, column, n_trees=5, max_depth=2)
    result = told.evaluate(numbers)
    assert result["average_loss"] == pytest.approx(1.0915143, rel=1e-5)  # TensorFlow 1.15's
    told = tf.contrib.estimator.boosted_trees_classifier_train_in_memory(rows, column, n_trees=2, max_depth=2)
    assert told.evaluate(rows, steps=1)["accuracy"] == 1.0
