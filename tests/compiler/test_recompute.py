"""The memory optimizer of RewriterConfig: same numbers, less memory between the passes."""

import functools

import jax
import numpy as np
import pytest

import thalweg as tf
from thalweg._src.formats.protos import AttrValue

OFF, MANUAL, RECOMPUTE = 1, 2, 5


def network(kind):
    x = tf.constant(np.random.RandomState(0).randn(256, 64).astype(np.float32))
    for i in range(4):
        w = tf.Variable(np.random.RandomState(i).randn(64, 64).astype(np.float32) / 8)
        x = tf.matmul(x, w) + (x if kind == "residual" else 0.0)
        hints = {"_recompute_hint": AttrValue(i=0)} if kind == "hinted" else {}
        with tf.get_default_graph()._attr_scope(hints):
            x = tf.tanh(x * 1.1) + tf.sigmoid(x)
    return tf.reduce_mean(tf.square(x))


@functools.cache
def trained(mode, kind="plain", scope=""):
    """Two losses, and the bytes that the compiled step needs beside its inputs and outputs."""
    with tf.Graph().as_default():
        loss = network(kind)
        step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        config = tf.ConfigProto()
        config.graph_options.rewrite_options.memory_optimization = mode
        config.graph_options.rewrite_options.memory_optimizer_target_node_name_scope = scope
        with tf.Session(config=config) as sess:
            sess.run(tf.global_variables_initializer())
            losses = [sess.run([loss, step])[0] for _ in range(2)]
            (executables,) = sess.plan.executables
            exe = next(iter(executables.values()))
            with jax.enable_x64(True):
                donated, kept = exe.gather(sess._store)
                memory = exe.program.lower(donated, kept, exe.constants, []).compile().memory_analysis()
        return losses, memory.temp_size_in_bytes


@pytest.mark.parametrize(("mode", "kind"), [(RECOMPUTE, "plain"), (RECOMPUTE, "residual"), (MANUAL, "hinted")])
def test_marked_and_cheap_operations_are_done_again(mode, kind):
    losses, most = trained(OFF, kind)
    again, less = trained(mode, kind)
    np.testing.assert_allclose(again, losses, rtol=1e-6)
    assert less < 0.75 * most


def test_what_is_neither_marked_nor_under_the_scope_is_kept():
    most = trained(OFF)[1]
    assert trained(RECOMPUTE, scope="elsewhere/")[1] == trained(MANUAL)[1] == most
