"""Random small graphs: the compiled plan gives what running op by op gives, effects on variables included."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import thalweg as tf

UNARY = [tf.tanh, tf.sigmoid, tf.square, tf.abs, tf.negative, tf.nn.relu, tf.exp, tf.sign, tf.stop_gradient]
BINARY = [tf.add, tf.subtract, tf.multiply, tf.maximum, tf.minimum, tf.squared_difference]
REDUCE = [tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.reduce_min]


@st.composite
def programs(draw):
    """A list of instructions; operands are picked by number among what exists, so any list is a program."""
    steps = st.tuples(
        st.sampled_from(
            [
                "unary",
                "binary",
                "reduce",
                "matmul",
                "reshape",
                "concat",
                "slice",
                "where",
                "assign",
                "add",
                "control",
                "split",
            ]
        ),
        st.integers(0, 99),
        st.integers(0, 99),
        st.integers(0, 99),
    )
    return draw(st.lists(steps, min_size=3, max_size=12)), draw(st.integers(0, 9))


def small(x):
    """Values stay in a range where nothing overflows."""
    return tf.clip_by_value(x, -8.0, 8.0)


def build(program):
    """(feed, fetches, variables): matrices of 2 x 3 under the program's instructions."""
    r = np.random.RandomState(11)
    x = tf.placeholder(tf.float32, [2, 3], name="x")
    variables = [tf.Variable(r.randn(2, 3).astype(np.float32), name=f"v{i}") for i in range(2)]
    live = [x, *(tf.identity(v) for v in variables), tf.constant(r.randn(2, 3).astype(np.float32))]
    effects = []
    for kind, i, j, k in program:
        a, b = live[i % len(live)], live[j % len(live)]
        with tf.control_dependencies(effects[-1:]):  # effects in one order, that of the program
            if kind == "unary":
                out = UNARY[k % len(UNARY)](small(a))
            elif kind == "binary":
                out = BINARY[k % len(BINARY)](small(a), b)
            elif kind == "reduce":
                out = REDUCE[k % len(REDUCE)](a, j % 2, keepdims=True) + b
            elif kind == "matmul":
                square = tf.matmul(small(a), small(b), transpose_a=k % 2 == 1, transpose_b=k % 2 == 0)
                out = tf.matmul(a, square) if k % 2 else tf.matmul(square, a)
            elif kind == "reshape":
                out = tf.transpose(tf.reshape(a, [3, -1]))
            elif kind == "concat":
                out = tf.concat([a, b], k % 2)[:2, :3]
            elif kind == "slice":
                out = tf.concat([a[:, 1:], b[:, :1]], 1)[::-1]
            elif kind == "where":
                out = tf.where(a > b, a, b * 0.5)
            elif kind == "split":
                out = tf.add_n(tf.split(a, 3, axis=1)) * b
            elif kind == "control":
                with tf.control_dependencies([b]):
                    out = tf.identity(a)
            else:
                v = variables[k % 2]
                out = tf.assign(v, small(a)) if kind == "assign" else tf.assign_add(v, small(a) * 0.1)
                out = tf.stop_gradient(out)  # an assignment has no gradient
                effects.append(out.op)
        live.append(small(out))
    with tf.control_dependencies(effects):
        final = [v.read_value() for v in variables]
    grads = tf.gradients(live[-1], [x, *variables])
    return x, [live[4:], final, [g for g in grads if g is not None]], variables


def run(program, feed, mode):
    old = os.environ.pop("THALWEG_DEBUG", None)
    if mode:
        os.environ["THALWEG_DEBUG"] = mode
    try:
        with tf.Graph().as_default():
            x, fetches, variables = build(program)
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                first = session.run(fetches, {x: feed})
                second = session.run(fetches, {x: feed * 0.5})
                return [first, second, session.run(variables)]
    finally:
        os.environ.pop("THALWEG_DEBUG", None)
        if old is not None:
            os.environ["THALWEG_DEBUG"] = old


def leaves(x):
    return [leaf for e in x for leaf in leaves(e)] if isinstance(x, list) else [x]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(programs())
def test_plan_equals_op_by_op(program):
    steps, seed = program
    feed = np.random.RandomState(seed).randn(2, 3).astype(np.float32)
    compiled, stepped = run(steps, feed, None), run(steps, feed, "ops")
    for a, b in zip(leaves(compiled), leaves(stepped), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
