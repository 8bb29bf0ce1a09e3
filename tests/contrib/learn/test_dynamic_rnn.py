"""tf.contrib.learn's DynamicRnnEstimator, and LogisticRegressor."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.contrib.learn import dynamic_rnn, recurrence

learn = tf.contrib.learn
CLASSES, NUMBERS = learn.estimators.ProblemType.CLASSIFICATION, learn.estimators.ProblemType.LINEAR_REGRESSION
SINGLE, MULTIPLE = recurrence.PredictionType.SINGLE_VALUE, recurrence.PredictionType.MULTIPLE_VALUE


def shifted(**more):
    """Bits whose predecessor is to be told."""

    def input_fn():
        bits = tf.random_uniform([12, 7], 0, 2, dtype=tf.int32, seed=5)
        features = {"inputs": tf.expand_dims(tf.to_float(bits[:, 1:]), 2)}
        return features | {k: tf.constant(v) for k, v in more.items()}, bits[:, :6]

    return input_fn


def recurrent(problem, answers, **how):
    return learn.DynamicRnnEstimator(
        problem, answers, [tf.contrib.layers.real_valued_column("inputs")], optimizer="Adam", **how
    )


def test_an_answer_for_each_step_and_the_state_that_goes_on():
    told = recurrent(CLASSES, MULTIPLE, num_classes=2, num_units=[5], cell_type="lstm", predict_probabilities=True)
    lengths = shifted(sequence_length=np.int32([6] * 11 + [2]))
    assert told.fit(input_fn=lengths, steps=3).evaluate(input_fn=lengths, steps=1)["global_step"] == 3
    found = told.predict(input_fn=shifted(), as_iterable=False)
    assert found["probabilities"].shape == (12, 6, 2)
    assert found["classes"].shape == (12, 6)
    states = {k: found[k] for k in ("rnn_cell_state_0", "rnn_cell_state_1")}
    later = told.predict(input_fn=shifted(**states), as_iterable=False)
    assert not np.allclose(later["probabilities"], found["probabilities"])
    with pytest.raises(ValueError, match="zero or 2 state Tensors; got 1"):
        told.predict(input_fn=shifted(rnn_cell_state_0=found["rnn_cell_state_0"]), as_iterable=False)


def test_a_number_for_each_sequence():
    def input_fn():
        features, bits = shifted(sequence_length=np.int32([4] * 12))()
        return features, tf.to_float(bits[:, 0])

    told = recurrent(NUMBERS, SINGLE, num_units=4, dropout_keep_probabilities=[0.9, 0.9])
    told.fit(input_fn=input_fn, steps=2)
    assert told.predict(input_fn=input_fn, as_iterable=False)["scores"].shape == (12,)


def test_what_can_not_be():
    with pytest.raises(ValueError, match="num_classes must be specified"):
        recurrent(CLASSES, SINGLE)
    with pytest.raises(ValueError, match="prediction_type must be one of"):
        recurrent(NUMBERS, 3)
    with pytest.raises(ValueError, match="only be set to True for problem_type ProblemType.CLASSIFICATION"):
        recurrent(NUMBERS, SINGLE, predict_probabilities=True)
    with pytest.raises(ValueError, match="The supported cell types are"):
        recurrence.construct_rnn_cell(3, None)
    with pytest.raises(ValueError, match="Got 1 cells and 1 dropout probabilities"):
        recurrence.construct_rnn_cell(3, dropout_keep_probabilities=[0.5])


def test_the_last_step_and_what_lies_within():
    steps = tf.constant(np.arange(12, dtype=np.float32).reshape(2, 3, 2))
    lengths = tf.constant([1, 3])
    with tf.Session() as session:
        last = session.run(recurrence.select_last_activations(steps, lengths))
        inside, _ = session.run(recurrence.mask_activations_and_labels(steps, tf.zeros([2, 3]), lengths))
        cell = recurrence.construct_rnn_cell([2, 3], "lstm")
        parts = {f"rnn_cell_state_{i}": tf.zeros([1, n]) for i, n in enumerate([2, 2, 3, 3])}
        again = dynamic_rnn.state_tuple_to_dict(dynamic_rnn.dict_to_state_tuple(parts, cell))
        assert {k: v.shape for k, v in session.run(again).items()} == {k: tuple(v.dims) for k, v in parts.items()}
    np.testing.assert_array_equal(last, [[0, 1], [10, 11]])
    np.testing.assert_array_equal(inside, [[0, 1], [6, 7], [8, 9], [10, 11]])


def test_the_metrics_of_a_logistic_model():
    x = np.float32([[0.1], [0.4], [0.6], [0.9]])

    def inputs():
        return {"x": tf.constant(x)}, tf.constant([[0.0], [1.0], [0.0], [1.0]])

    def model(features, labels, mode):
        told = tf.identity(features["x"])
        return told, tf.losses.log_loss(labels, told), tf.train.get_global_step().assign_add(1)

    found = learn.LogisticRegressor(model, thresholds=[0.3, 0.5]).fit(input_fn=inputs, steps=1)
    result = found.evaluate(input_fn=inputs, steps=1)
    assert result["labels/prediction_mean"] == pytest.approx(0.5)
    assert result["labels/actual_label_mean"] == 0.5
    assert result["auc"] == pytest.approx(0.75, abs=1e-3)
    assert result["accuracy/threshold_0.300000_mean"] == 0.75
    assert result["recall/positive_threshold_0.500000_mean"] == 0.5
