"""The loss functions that programs of 0.x, 1.0 and later hand to `sequence_loss_by_example`."""

import inspect

import numpy as np
import pytest

import thalweg as tf


def named(labels, logits):
    return labels, logits


def of_one_dot_zero(labels, inputs):
    return labels, inputs


def of_older_ones(inputs, labels):
    return labels, inputs


@pytest.mark.parametrize("order", [named, of_one_dot_zero, of_older_ones])
def test_a_loss_function_gets_labels_and_logits_by_its_own_names(order):
    def loss(*args, **kwargs):
        labels, logits = order(*args, **kwargs)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    loss.__signature__ = inspect.signature(order)  # type: ignore[attr-defined]
    logits, labels, weights = [tf.constant([[1.0, 3.0], [2.0, 0.0]])], [tf.constant([1, 0])], [tf.ones([2])]
    with tf.Session() as sess:
        plain, own = (
            tf.contrib.legacy_seq2seq.sequence_loss_by_example(logits, labels, weights, softmax_loss_function=f)
            for f in (None, loss)
        )
        np.testing.assert_allclose(*sess.run([plain, own]), rtol=1e-6)
