"""Programs of tf.contrib give what TensorFlow 1.15 gives: tests/oracle/contrib_programs.py, recorded by record_contrib.py."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle import contrib_programs, public

import thalweg as tf

RECORDED = json.loads((Path(__file__).parents[1] / "golden" / "contrib-1.15.json").read_text())
PROGRAMS = [(family, name) for family, table in contrib_programs.TABLES.items() for name in table]


def same(got, expected):
    """Whether two plain values are one, numbers to what float32 holds."""
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, float):
        return got == pytest.approx(expected, rel=5e-4, abs=5e-5, nan_ok=True)
    return got == expected


@pytest.mark.filterwarnings("ignore:Some donated buffers")  # streaming_concat grows a variable
@pytest.mark.parametrize(("family", "name"), PROGRAMS)
def test_program(family, name, tmp_path):
    with tf.Graph().as_default():
        got = public.evaluate(tf, {name: contrib_programs.TABLES[family][name]}, str(tmp_path))
    assert same(got[name], RECORDED[family][name]), (got[name], RECORDED[family][name])


def test_shampoo_with_decay_shrinks_weights_first():
    v = tf.get_variable("v", initializer=[1.0, 2.0])
    from thalweg._src.contrib.opt.wrappers import ShampooWOptimizer

    train = ShampooWOptimizer(0.5, learning_rate=0.0).minimize(tf.reduce_sum(v * v))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        assert session.run(v).tolist() == [0.5, 1.0]


def test_forward_gradients():
    from thalweg._src.contrib.sampling_losses import fwd_gradients

    x = tf.constant([1.0, 2.0, 3.0])
    y = tf.square(x)[:2]
    (moved,) = fwd_gradients([y], [x], [tf.constant([1.0, 10.0, 100.0])], assert_unused=True)
    with tf.Session() as session:
        assert session.run(moved).tolist() == [2.0, 40.0]


@pytest.mark.parametrize("strategy", ["div", "mod"])
def test_ranked_samples_are_those_with_the_highest_scores(strategy):
    weights, biases = tf.constant([[0.0], [1.0], [2.0], [3.0]]), tf.zeros([4])
    inputs, labels = tf.constant([[1.0]]), tf.constant([[0]], tf.int64)
    drawn = (tf.constant([1, 2, 3], tf.int64), tf.constant([[0.5]]), tf.constant([0.5, 0.25, 0.125]))
    loss = tf.contrib.nn.rank_sampled_softmax_loss(
        [weights], biases, labels, inputs, 3, 2, 4, 1, drawn, 1.0, False, strategy
    )
    best = (tf.constant([2, 3], tf.int64), tf.constant([[0.5]]), tf.constant([0.25, 0.125]))
    plain = tf.nn.sampled_softmax_loss(
        weights, biases, labels, inputs, 2, 4, sampled_values=best, remove_accidental_hits=False
    )
    with tf.Session() as session:
        got, expected = session.run([loss, plain])
    assert got == pytest.approx(expected)
    for sampled, resampled in [(5, 2), (2, 2)]:
        with pytest.raises(ValueError, match="num_"):
            tf.contrib.nn.rank_sampled_softmax_loss(
                [weights], biases, labels, inputs, sampled, resampled, 4, 1, drawn, 1.0, False, strategy
            )


def test_sampled_sparse_softmax_is_the_dense_one():
    weights, biases = tf.constant([[0.0], [1.0], [2.0], [3.0]]), tf.zeros([4])
    inputs, labels = tf.constant([[1.0], [-1.0]]), tf.constant([[0], [2]], tf.int64)
    drawn = (tf.constant([1, 3], tf.int64), tf.constant([[0.5], [0.25]]), tf.constant([0.5, 0.125]))
    given = [weights, biases, labels, inputs, 2, 4]
    sparse = tf.contrib.nn.sampled_sparse_softmax_loss(*given, sampled_values=drawn)
    dense = tf.nn.sampled_softmax_loss(*given, sampled_values=drawn)
    with tf.Session() as session:
        got, expected = session.run([sparse, dense])
    assert got == pytest.approx(expected)


def test_gradients_of_the_second_version_stop():
    a = tf.get_variable("a", initializer=2.0)
    middle = a * a
    second = tf.contrib.optimizer_v2.GradientDescentOptimizer(0.1)
    loss = middle * a
    ((whole, _),) = second.compute_gradients(loss)
    ((part, _),) = second.compute_gradients(loss, stop_gradients=[middle])
    with pytest.raises(ValueError, match="No gradients"):
        second.minimize(middle, stop_gradients=[middle])
    with tf.Session() as session:
        session.run(a.initializer)
        assert session.run([whole, part]) == [12.0, 4.0]
