"""Adam by a kernel of machine code: the same numbers as by the plain lowering, in place, and only where that is safe."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.kernels import library, updates

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)
CALL = "@thalweg_adam"


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(updates, "LEAST", 0)


def normal(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def trained(kernels, *, resource=False, nesterov=False, sparse=False):
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
        optimizer = tf.contrib.opt.NadamOptimizer if nesterov else tf.train.AdamOptimizer
        train = optimizer(0.1).minimize(tf.reduce_sum(losses))
        with tf.Session(config=config) as sess:
            sess.run(tf.global_variables_initializer())
            feed = {x: normal(3, 6, 40), labels: [0, 1, 2, 3, 4, 0]}
            fetched = [sess.run([out, train], feed)[0] for _ in range(3)]
            return [*fetched, *sess.run(tf.global_variables())], "".join(sess.hlo(train, feed))


@pytest.mark.parametrize("how", [{}, {"resource": True}, {"nesterov": True}])
def test_three_steps_give_the_same_numbers(how):
    (ours, text), (plain, plain_text) = trained(True, **how), trained(False, **how)
    assert CALL in text
    assert CALL not in plain_text
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def test_a_step_that_may_fail_leaves_it_to_xla():
    (ours, text), (plain, _) = trained(True, sparse=True), trained(False, sparse=True)
    assert CALL not in text
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


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
