"""tf.contrib.estimator: classes of sequences, and features that go through to the predictions."""

import numpy as np
import pytest

import thalweg as tf

contrib = tf.contrib.estimator


def sequences():
    """Words; the class is whether the last one is "b"."""
    words = tf.SparseTensor([[0, 0], [1, 0], [1, 1], [2, 0], [2, 1], [2, 2]], ["a", "a", "b", "b", "b", "a"], [3, 3])
    return {"word": words, "size": tf.constant([[1.0], [2.0], [3.0]])}, tf.constant([[0], [1], [0]])


def columns():
    ids = tf.contrib.feature_column.sequence_categorical_column_with_vocabulary_list("word", ["a", "b"])
    return [tf.feature_column.indicator_column(ids)]


def test_classes_of_sequences():
    size = tf.feature_column.numeric_column("size")
    model = contrib.RNNClassifier(
        columns(), [size], num_units=[6], cell_type="gru", optimizer=tf.train.AdamOptimizer(0.1)
    )
    model = contrib.forward_features(model, "size")
    model.train(sequences, steps=40)
    predictions = list(model.predict(lambda: tf.data.Dataset.from_tensors(sequences()[0])))
    assert [p["class_ids"].item() for p in predictions] == [0, 1, 0]
    np.testing.assert_array_equal([p["size"].item() for p in predictions], [1, 2, 3])


def test_what_they_refuse():
    with pytest.raises(ValueError, match="must not be specified"):
        contrib.RNNClassifier(columns(), num_units=[2], rnn_cell_fn=lambda mode: tf.nn.rnn_cell.GRUCell(2))
    with pytest.raises(ValueError, match="SequentialHead"):
        contrib.RNNEstimator(contrib.regression_head(), columns(), num_units=[2], return_sequences=True)
    model = contrib.RNNClassifier(columns(), num_units=[2], cell_type="no_cell")
    with pytest.raises((ValueError, TypeError)):
        model.train(sequences, steps=1)
    with pytest.raises(TypeError, match="string"):
        contrib.forward_features(model, keys=[1])
    with pytest.raises(ValueError, match="not in features"):
        contrib.forward_features(contrib.RNNClassifier(columns(), num_units=[2]), "no_such").train(sequences, steps=1)
