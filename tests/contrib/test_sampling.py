"""tf.contrib.training: batches by sampling, and resampled ones. The resampled rows are TensorFlow 1.15's for these seeds."""

import numpy as np
import pytest

import thalweg as tf

sampling = tf.contrib.training


def label_and_row():
    label = tf.random_uniform([], 0, 3, seed=1, dtype=tf.int32)
    return label, tf.one_hot(label, 3)


def shares(fetch, runs):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        found = [session.run(fetch) for _ in range(runs)]
        coord.request_stop()
        coord.join(threads)
    return np.bincount(np.concatenate(found), minlength=3) / np.size(found)


@pytest.mark.parametrize("known", [True, False])
def test_classes_come_in_the_proportions_asked_for(known):
    tf.set_random_seed(3)
    label, row = label_and_row()
    (rows,), labels = sampling.stratified_sample(
        [row], label, [0.2, 0.5, 0.3], 16, init_probs=[1 / 3] * 3 if known else None
    )
    assert rows.shape.as_list() == [16, 3]
    np.testing.assert_allclose(shares(labels, 40), [0.2, 0.5, 0.3], atol=0.1)


def test_what_is_refused_never_comes():
    label, row = label_and_row()
    _, labels = sampling.rejection_sample([row, label], lambda x: 0.5 * tf.to_float(x[1] > 0), 8, runtime_checks=True)
    assert shares(labels, 4)[0] == 0


def test_probabilities_must_fit():
    label, row = label_and_row()
    with pytest.raises(ValueError, match="same length"):
        sampling.stratified_sample([row], label, [0.5, 0.5], 4, init_probs=[0.2, 0.3, 0.5])


def test_rows_are_drawn_by_rate_and_by_weight():
    tf.set_random_seed(3)
    weights, x = tf.constant([1.0, 2.0, 3.0, 4.0]), tf.constant([10.0, 20.0, 30.0, 40.0])
    by_weight, rate = sampling.weighted_resample([x], weights, 1.5, seed=5)
    by_rate = sampling.resample_at_rate([x], weights, seed=7)
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        (rows,), rates, (others,) = session.run([by_weight, rate, by_rate])
    assert rows.tolist() == [20, 40, 40, 40]
    np.testing.assert_allclose(rates, [1.1999844, 2.3999689, 2.3999689, 2.3999689], rtol=1e-6)
    assert others.tolist() == [20, 30, 40, 40, 40, 40, 40]
