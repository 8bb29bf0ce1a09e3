"""Optimizers and moving averages by a kernel of machine code: the numbers of the plain lowering, in place where that is safe."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.kernels import library, updates
from thalweg._src.lib import moving_averages

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)
CALL = "@thalweg_update"


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(updates, "LEAST", 0)


def normal(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


OPTIMIZERS = {
    "adam": lambda: tf.train.AdamOptimizer(0.1),
    "nadam": lambda: tf.contrib.opt.NadamOptimizer(0.1),
    "momentum": lambda: tf.train.MomentumOptimizer(0.0005, 0.9),
    "nesterov": lambda: tf.train.MomentumOptimizer(0.0005, 0.9, use_nesterov=True),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.01, momentum=0.5),
}


def trained(kernels, *, optimizer="adam", resource=False, sparse=False):
    """(values of variables and of what was fetched after three steps, the program's text)."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 0 if kernels else 2
    with tf.Graph().as_default():
        x, labels = tf.placeholder(tf.float32, [6, 40]), tf.placeholder(tf.int32, [6])
        with tf.variable_scope("", use_resource=resource):
            first = tf.get_variable("first", initializer=normal(1, 40, 30))
            second = tf.get_variable("second", initializer=normal(2, 30, 5))
        out = tf.matmul(tf.tanh(tf.matmul(x, first)), second)
        if sparse:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=out)
        else:
            losses = out**2 + tf.reduce_sum(second**2)  # a second reader, as large as the variable
        train = OPTIMIZERS[optimizer]().minimize(tf.reduce_sum(losses))
        with tf.Session(config=config) as sess:
            sess.run(tf.global_variables_initializer())
            feed = {x: normal(3, 6, 40), labels: [0, 1, 2, 3, 4, 0]}
            fetched = [sess.run([out, train], feed)[0] for _ in range(3)]
            return [*fetched, *sess.run(tf.global_variables())], "".join(sess.hlo(train, feed))


@pytest.mark.parametrize("how", [{"resource": True}, *[{"optimizer": name} for name in OPTIMIZERS]])
def test_three_steps_give_the_same_numbers(how):
    (ours, text), (plain, plain_text) = trained(True, **how), trained(False, **how)
    assert CALL in text
    assert CALL not in plain_text
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def test_a_step_that_may_fail_gives_the_same_numbers():
    (ours, text), (plain, _) = trained(True, sparse=True), trained(False, sparse=True)
    assert CALL in text
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_a_step_that_fails_changes_nothing_and_the_next_one_goes_on(optimizer):
    labels = tf.placeholder(tf.int32, [6])
    weights = tf.get_variable("weights", initializer=normal(1, 6, 20))
    average = tf.get_variable("average", initializer=normal(2, 20), trainable=False)
    loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=weights))
    averaged = moving_averages.assign_moving_average(average, weights[0], 0.5, zero_debias=False)
    train = tf.group(OPTIMIZERS[optimizer]().minimize(loss), averaged)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(train, {labels: range(6)})
        before = sess.run(tf.global_variables())
        with pytest.raises(tf.errors.InvalidArgumentError):
            sess.run(train, {labels: [0, 1, 2, 3, 4, 99]})
        for a, b in zip(before, sess.run(tf.global_variables()), strict=True):
            np.testing.assert_array_equal(a, b)
        sess.run(train, {labels: range(6)})
        assert all((a != b).any() for a, b in zip(before, sess.run(tf.global_variables()), strict=True))


@pytest.mark.parametrize("resource", [False, True])
def test_a_moving_average_is_one_call(resource):
    with tf.variable_scope("", use_resource=resource):
        average = tf.get_variable("average", initializer=normal(1, 30))
    value = tf.placeholder(tf.float32, [30])
    step = moving_averages.assign_moving_average(average, tf.exp(value), 0.9, zero_debias=False)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        given = normal(2, 30)
        made = sess.run(step, {value: given})
        np.testing.assert_allclose(made, normal(1, 30) * 0.9 + np.exp(given) * 0.1, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(made, sess.run(average))
        assert 'rule = "average"' in "".join(sess.hlo(step, {value: given}))


def test_a_value_that_was_fetched_before_the_update_is_the_old_one():
    w = tf.get_variable("w", initializer=normal(1, 20, 20))
    loss = tf.reduce_sum(w**3)
    old = 1.0 * w
    with tf.control_dependencies([old]):
        train = tf.train.AdamOptimizer(0.5).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        before = sess.run(w)
        fetched, _ = sess.run([old, train])
        np.testing.assert_array_equal(fetched, before)
        assert np.abs(sess.run(w) - before).min() > 0.4
