"""First and second derivatives of nested branches and loops whose turns depend on data, against the same program unrolled.

A program is a tree: what is done to a vector `v` of three numbers, beside a vector `y` that all of it sees. `Looped` builds it from
tf.cond, tf.while_loop, tf.scan, tf.map_fn, tf.foldl, tf.foldr and TensorArrays, with `n` fed; `Unrolled` builds it for one `n` and one
`v` with Python's own `if` and `for`.
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import thalweg as tf

EXAMPLES = 60 if os.environ.get("THALWEG_SLOW") else 12
numbers = st.floats(0.25, 1.25).map(lambda c: round(c, 2))
leaves = st.tuples(st.sampled_from(["tanh", "sin", "cos"]), numbers)
programs = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.just("then"), inner, inner),
        st.tuples(st.just("cond"), numbers, inner, inner),
        st.tuples(st.sampled_from(["while", "scan", "foldl", "foldr", "map", "store"]), inner),
    ),
    max_leaves=4,
)


def leaf(program, v, y):
    function, c = program
    return getattr(tf, function)(v * c) + 0.5 * v * y


class Looped:
    def __init__(self, n):
        self.n = n

    def apply(self, program, v, y):
        kind, *rest = program
        if kind == "then":
            return self.apply(rest[1], self.apply(rest[0], v, y), y)
        if kind == "cond":
            c, yes, no = rest
            return tf.cond(tf.reduce_sum(v) > c, lambda: self.apply(yes, v, y), lambda: self.apply(no, v, y))
        if kind == "while":
            going = lambda i, a: tf.logical_and(i < self.n, tf.reduce_sum(a * a) < 3.0)
            return tf.while_loop(going, lambda i, a: (i + 1, self.apply(rest[0], a, y)), [0, v])[1]
        if kind == "store":
            store = tf.TensorArray(tf.float64, 0, dynamic_size=True, element_shape=[3])
            turn = lambda i, a, store: (i + 1, self.apply(rest[0], a, y), store.write(i, a))
            _, last, store = tf.while_loop(lambda i, *_: i <= self.n, turn, [0, v, store])
            return last + tf.reduce_sum(store.stack(), 0)
        if kind in ("scan", "foldl", "foldr", "map"):
            rows = (tf.cast(tf.range(self.n + 1), tf.float64) * 0.3 + 0.2)[:, None] * v
            if kind == "map":
                return tf.reduce_sum(tf.map_fn(lambda row: self.apply(rest[0], row, y), rows), 0)
            made = getattr(tf, kind)(lambda a, row: 0.5 * self.apply(rest[0], a, row), rows, v)
            return tf.reduce_sum(made, 0) if kind == "scan" else made
        return leaf(program, v, y)


class Unrolled:
    """`value_of(tensor)` gives its numbers, where a decision is taken."""

    def __init__(self, n, value_of):
        self.n, self.value_of = n, value_of

    def apply(self, program, v, y):
        kind, *rest = program
        if kind == "then":
            return self.apply(rest[1], self.apply(rest[0], v, y), y)
        if kind == "cond":
            c, yes, no = rest
            return self.apply(yes if self.value_of(v).sum() > c else no, v, y)
        if kind == "while":
            for _ in range(self.n):
                if not (self.value_of(v) ** 2).sum() < 3.0:
                    break
                v = self.apply(rest[0], v, y)
            return v
        if kind == "store":
            kept = []
            for _ in range(self.n + 1):
                kept.append(v)
                v = self.apply(rest[0], v, y)
            return v + tf.add_n(kept)
        if kind in ("scan", "foldl", "foldr", "map"):
            rows = [v * (0.3 * j + 0.2) for j in range(self.n + 1)]
            if kind == "map":
                return tf.add_n([self.apply(rest[0], row, y) for row in rows])
            made = []
            for row in reversed(rows) if kind == "foldr" else rows:
                v = 0.5 * self.apply(rest[0], v, row)
                made.append(v)
            return tf.add_n(made) if kind == "scan" else v
        return leaf(program, v, y)


def steps(program, n):
    """How many leaves the unrolled program has."""
    kind, *rest = program
    inner = [steps(p, n) for p in rest if isinstance(p, tuple)]
    if not inner:
        return 1
    return sum(inner) * (1 if kind in ("then", "cond") else n + 1)


def derivatives(out, xs):
    """A number that depends on `out`, its derivatives by `xs`, and those of a number that depends on these."""
    first = tf.gradients(tf.reduce_sum(tf.sin(out)), xs)
    first = [tf.zeros_like(x) if g is None else g for g, x in zip(first, xs, strict=True)]
    second = tf.gradients(tf.add_n([tf.reduce_sum(tf.tanh(g)) for g in first]), xs)
    return [out, *first, *[tf.zeros_like(x) if g is None else g for g, x in zip(second, xs, strict=True)]]


@given(programs, st.integers(0, 2**31 - 1))
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_derivatives_of_nested_control_flow(program, seed):
    at = np.random.RandomState(seed).uniform(-1, 1, [2, 3])
    with tf.Graph().as_default(), tf.Session() as session:
        v, y = tf.placeholder(tf.float64, [3]), tf.placeholder(tf.float64, [3])
        n = tf.placeholder(tf.int32, [])
        looped = derivatives(Looped(n).apply(program, v, y), [v, y])
        for turns in (0, 3, 1):
            if steps(program, turns) > 60:
                continue
            feed = {v: at[0], y: at[1]}
            unrolled = Unrolled(turns, lambda t, feed=feed: session.run(t, feed))
            expected = session.run(derivatives(unrolled.apply(program, v, y), [v, y]), feed)
            got = session.run(looped, {**feed, n: turns})
            for g, e, what in zip(got, expected, ("value", "dv", "dy", "second dv", "second dy"), strict=True):
                np.testing.assert_allclose(g, e, rtol=1e-7, atol=1e-9 * max(1.0, np.abs(e).max()), err_msg=what)


def test_a_wrong_derivative_is_found():
    """The comparison sees it when the loop makes one turn less."""
    program = ("while", ("sin", 0.5))
    x, n = tf.constant([0.1, 0.2, 0.3], tf.float64), tf.placeholder(tf.int32, [])
    with tf.Session() as session:
        looped = session.run(derivatives(Looped(n).apply(program, x, x), [x]), {n: 2})
        unrolled = session.run(derivatives(Unrolled(3, session.run).apply(program, x, x), [x]))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(looped[1], unrolled[1], rtol=1e-7)
