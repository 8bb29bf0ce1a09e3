"""Loops as executables: gradients to second order against unrolled graphs, lengths that only the run knows, arrays in loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg as tf
from thalweg._src.compiler import lower


def run(fetches, feeds=None):
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        out = sess.run(fetches, feeds)
        assert not any(c.is_host for c in sess._last_plan.clusters), "compiled"
        return out


def derivatives(y, x):
    (g,) = tf.gradients(tf.reduce_sum(y * y), [x])
    (h,) = tf.gradients(tf.reduce_sum(g * g), [x])
    return [y, g, h]


STEPS = {
    "tanh": lambda a, x: tf.tanh(a * x + 0.3),
    "quadratic": lambda a, x: a * x * 0.5 + a * a * 0.1,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("turns", [0, 3, 20])
@pytest.mark.parametrize("known", [True, False])
def test_gradients_are_those_of_the_unrolled_graph(step, turns, known):
    f = STEPS[step]
    x = tf.placeholder(tf.float64, [3])
    limit = tf.constant(turns) if known else tf.cast(tf.reduce_sum(x * 0.0), tf.int32) + turns
    _, looped = tf.while_loop(
        lambda i, a: i < limit,
        lambda i, a: (i + 1, f(a, x)),
        [0, x * 0.5],
    )
    a = x * 0.5
    for _ in range(turns):
        a = f(a, x)
    v = np.array([0.4, -0.7, 0.9])
    for got, want in zip(run(derivatives(looped, x), {x: v}), run(derivatives(a, x), {x: v}), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_a_tape_grows_with_the_turns():
    x = tf.placeholder(tf.float64, [])
    i, y = tf.while_loop(lambda i, a: a < 1e6, lambda i, a: (i + 1, a * 1.5 + x), [0, x])
    (g,) = tf.gradients(y, [x])
    compiled = []
    lower.on_compile.append(lambda ops, seconds: compiled.append(ops))
    try:
        with tf.Session() as sess:
            for v in (1e5, 1.0, 1e-3, 1.0, 1e-3):
                n, value, slope = sess.run([i, y, g], {x: v})
                np.testing.assert_allclose(slope, value / v, rtol=1e-9)
            assert n > 40
        assert len(compiled) <= 4  # not once for each length
    finally:
        lower.on_compile.pop()


def test_a_long_loop_is_compiled_as_fast_as_a_short_one():
    sizes = []
    for n in (10, 100_000):
        with tf.Graph().as_default():
            x = tf.placeholder(tf.float32, [2])
            y = tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * 0.5 + x), [0, x])[1]
            with tf.Session() as sess:
                np.testing.assert_allclose(sess.run(y, {x: [1.0, 2.0]}), [2.0, 4.0], rtol=1e-2)
                sizes.append(len(sess.hlo(y, {x: [1.0, 2.0]})[0]))
    assert sizes[1] - sizes[0] < 50


def test_loops_in_loops_of_unknown_length():
    x = tf.placeholder(tf.float64, [])

    def outer(i, a):
        inner = tf.while_loop(lambda b: b < tf.cast(i, tf.float64) * 3.0, lambda b: b * 1.25 + x, [a * 0.1 + 0.1])
        return i + 1, a * 0.5 + inner

    _, y = tf.while_loop(lambda i, a: a < 40.0, outer, [0, x])
    (g,) = tf.gradients(y, [x])
    got, up, down = run(g, {x: 0.7}), run(y, {x: 0.7 + 1e-6}), run(y, {x: 0.7 - 1e-6})
    np.testing.assert_allclose(got, (up - down) / 2e-6, rtol=1e-5)


def test_a_scan_is_one_loop_forwards_and_one_backwards():
    x = tf.placeholder(tf.float32, [None, 4])
    w = tf.Variable(np.eye(4, dtype="f"))
    y = tf.scan(lambda a, r: tf.tanh(tf.matmul(a, w) + r), x, tf.zeros([1, 4]))
    (g,) = tf.gradients(y, [w])
    with tf.Session() as sess:
        sess.run(w.initializer)
        texts = sess.hlo([y, g], {x: np.ones([50, 4])})
    assert len(texts) == 1
    assert texts[0].count("stablehlo.while") == 2


def test_an_array_that_grows_in_a_loop():
    x = tf.placeholder(tf.float64, [2])
    array = tf.TensorArray(tf.float64, size=0, dynamic_size=True)
    _, _, array = tf.while_loop(
        lambda i, a, t: tf.reduce_sum(a) < 100.0, lambda i, a, t: (i + 1, a * 1.5, t.write(i, a)), [0, x, array]
    )
    y = array.stack()
    (g,) = tf.gradients(y, [x])
    for v in (9.0, 0.01, 1.0):
        rows, slope = run([y, g], {x: [v, v]})
        np.testing.assert_allclose(rows[:, 0], v * 1.5 ** np.arange(len(rows)))
        np.testing.assert_allclose(slope, np.full(2, (1.5 ** np.arange(len(rows))).sum()))


def test_arrays_in_branches():
    x = tf.placeholder(tf.float32, [3])
    p = tf.placeholder(tf.bool, [])
    a = tf.TensorArray(tf.float32, size=2, clear_after_read=False).write(0, x)
    b = tf.cond(p, lambda: a.write(1, x * x), lambda: a.write(1, -x))
    (g,) = tf.gradients(b.stack(), [x])
    assert run([b.read(1), g], {x: [1, 2, 3], p: True})[1].tolist() == [3, 5, 7]
    assert run([b.read(1), g], {x: [1, 2, 3], p: False})[1].tolist() == [0, 0, 0]


def test_errors_of_arrays_in_loops():
    def loop(body, **more):
        a = tf.TensorArray(tf.float32, size=3, **more)
        return tf.while_loop(lambda i, a: i < 4, body, [0, a])[1].flow

    with pytest.raises(tf.errors.InvalidArgumentError, match="not resizeable and size is: 3"):
        run(loop(lambda i, a: (i + 1, a.write(i, 1.0))))
    with pytest.raises(tf.errors.InvalidArgumentError, match="already been written to"):
        run(loop(lambda i, a: (i + 1, a.write(i // 2, 1.0))))
    b = tf.TensorArray(tf.float32, size=2).unstack(tf.zeros([2]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="array size is: 2"):
        run(tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s + b.read(i)), [0, 0.0])[1])


@settings(max_examples=6, deadline=None)
@given(
    n=st.integers(0, 6),
    shape=st.lists(st.integers(1, 3), max_size=2),
    reverse=st.booleans(),
    begins=st.booleans(),
    pair=st.booleans(),
)
def test_functions_over_rows(n, shape, reverse, begins, pair):
    if not begins and n == 0:
        n = 1
    r = np.random.RandomState(n + 7 * len(shape))
    rows = r.standard_normal([n, *shape])
    start = r.standard_normal(shape)
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float64, [None, *shape])
        elems = (x, x * 2.0) if pair else x
        take = (lambda row: row[0] + row[1]) if pair else (lambda row: row)

        def step(a, row):
            a = a[0] if pair else a
            out = a * 0.5 + take(row)
            return (out, out + 1.0) if pair else out

        first = (tf.constant(start), tf.constant(start)) if pair else tf.constant(start)
        s = tf.scan(step, elems, first if begins else None, reverse=reverse)
        f = (tf.foldr if reverse else tf.foldl)(step, elems, first if begins else None)
        m = tf.map_fn(lambda row: take(row) * 3.0, elems, dtype=tf.float64)
        got_s, got_f, got_m = run([s, f, m], {x: rows})
    order = list(range(n))[::-1] if reverse else list(range(n))
    own = np.zeros([n, *shape])
    a = start if begins else rows[order[0]]
    for k, i in enumerate(order):
        if begins or k:
            a = a * 0.5 + rows[i] * (3.0 if pair else 1.0)
        own[i] = a
    np.testing.assert_allclose(got_s[0] if pair else got_s, own)
    np.testing.assert_allclose(got_f[0] if pair else got_f, a)
    np.testing.assert_allclose(got_m, rows * (9.0 if pair else 3.0))


def test_second_derivatives_through_arrays():
    x = tf.placeholder(tf.float64, [3, 2])
    f = lambda a, r: tf.tanh(a * r + r)
    rows = [x[0]]
    for k in (1, 2):
        rows.append(f(rows[-1], x[k]))
    pairs = [
        (tf.scan(f, x), tf.stack(rows)),
        (tf.foldl(f, x), rows[-1]),
        (tf.map_fn(lambda r: r * tf.sin(r), x), x * tf.sin(x)),
    ]
    v = np.random.RandomState(0).standard_normal([3, 2])
    for looped, plain in pairs:
        for got, want in zip(run(derivatives(looped, x), {x: v}), run(derivatives(plain, x), {x: v}), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_arrays_of_strings():
    x = tf.constant(["a", "bb", "ccc"])
    joined = tf.map_fn(lambda s: tf.string_join([s, "!"]), x)
    lengths = tf.map_fn(tf.strings.length, x, dtype=tf.int32)
    grown = tf.while_loop(
        lambda i, _: i < 3,
        lambda i, a: (i + 1, a.write(i, tf.as_string(i))),
        [0, tf.TensorArray(tf.string, size=0, dynamic_size=True)],
    )[1].stack()
    with tf.Session() as sess:
        a, b, c = sess.run([joined, lengths, grown])
    assert a.tolist() == [b"a!", b"bb!", b"ccc!"]
    assert b.tolist() == [1, 2, 3]
    assert c.tolist() == [b"0", b"1", b"2"]


def test_a_branch_that_is_not_taken_may_read_what_is_not_there():
    rows = tf.placeholder(tf.float32, [None, 3])
    store = tf.TensorArray(tf.float32, tf.shape(rows)[0]).unstack(rows)
    first = tf.cond(tf.reduce_any(rows > 0), lambda: store.read(0), lambda: tf.fill([3], -1.0))
    with tf.Session() as session:
        assert session.run(first, {rows: np.ones((0, 3))}).tolist() == [-1, -1, -1]
        assert session.run(first, {rows: np.ones((2, 3))}).tolist() == [1, 1, 1]
        with pytest.raises(tf.errors.InvalidArgumentError, match="read from index 0 but array size is: 0"):
            session.run(store.read(0), {rows: np.ones((0, 3))})


def test_arrays_keep_64_bits_where_loops_run_op_by_op():
    x, n = tf.placeholder(tf.float64, [3]), tf.placeholder(tf.int32, [])
    array = tf.TensorArray(tf.float64, size=0, dynamic_size=True, element_shape=[3], clear_after_read=False)
    array = tf.while_loop(lambda i, _: i < n, lambda i, a: (i + 1, a.write(i, x / 3.0)), (0, array))[1]

    def turn(i, s):
        return i + 1, s + array.read(i) + 0.0 * tf.py_func(lambda v: v, [s], tf.float64)

    shapes = (tf.TensorShape([]), tf.TensorShape(None))
    total = tf.while_loop(lambda i, _: i < n, turn, (0, tf.zeros([3], tf.float64)), shape_invariants=shapes)[1]
    values = np.array([0.1, 0.2, 0.3])
    with tf.Session() as sess:
        np.testing.assert_allclose(sess.run(total, {x: values, n: 3}), values, rtol=1e-14)


def test_a_condition_that_draws_draws_anew_for_each_turn():
    """The numbers are TensorFlow 1.15's."""
    tf.set_random_seed(5)
    turns = tf.while_loop(lambda k: tf.random_uniform([], seed=2) > 0.1, lambda k: k + 1, [0])
    with tf.Session() as session:
        assert [session.run(turns) for _ in range(8)] == [0, 16, 10, 19, 19, 5, 0, 0]


def test_a_loop_with_such_a_condition_is_differentiated():
    tf.set_random_seed(5)
    x = tf.constant(2.0)
    turns, y = tf.while_loop(lambda k, y: tf.random_uniform([], seed=2) > 0.2, lambda k, y: (k + 1, y * x), [0, 1.0])
    slope = tf.gradients(y, x)[0]
    with tf.Session() as session:
        found = [session.run([turns, y, slope]) for _ in range(6)]
    assert found == [[k, 2.0**k, k * 2.0 ** (k - 1)] for k in (0, 0, 8, 0, 5, 6)]


def test_a_condition_that_writes():
    v = tf.get_variable("v", [], tf.int32, initializer=tf.zeros_initializer(), use_resource=True)
    turns = tf.while_loop(lambda k: v.assign_add(1) < 5, lambda k: k + 10, [0])
    with tf.Session() as session:
        session.run(v.initializer)
        assert [session.run(x) for x in (turns, v, turns, v)] == [40, 5, 0, 6]


def test_what_depends_on_nothing_stands_outside_of_loops():
    drawn = []

    def body(i, x):
        with tf.name_scope("inner"), tf.control_dependencies([x]), tf.control_dependencies(None):
            drawn.append(tf.random_normal([]))
        return i + 1, tf.concat([x, [drawn[-1] * tf.cond(i < 9, lambda: 1.0, lambda: 0.0)]], 0)

    _, values = tf.while_loop(
        lambda i, x: i < 4, body, [0, tf.zeros([0])], shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])]
    )
    assert drawn[-1].graph is tf.get_default_graph()
    assert not drawn[-1].op.control_inputs
    with tf.Session() as session:
        number, found = session.run([drawn[-1], values])
    assert found.tolist() == [number] * 4


def test_a_sum_over_unknown_axes_is_differentiated_in_a_compiled_loop():
    y, n = tf.placeholder(tf.float32), tf.placeholder(tf.int32, [])

    def step(i, s):
        (slope,) = tf.gradients(tf.reduce_sum(y * s), [s])
        return i + 1, s + 0.1 * slope

    s = tf.while_loop(lambda i, s: i < n, step, [0, 1.0])[1]
    with tf.Session() as sess:
        np.testing.assert_allclose(sess.run(s, {y: np.ones((2, 3)), n: 4}), 3.4, rtol=1e-6)
    loop = next(op for op in tf.get_default_graph().get_operations() if op.type == "While")
    assert "hints" not in vars(loop)  # that it has to run op by op
