"""tf.cond, tf.case and tf.while_loop: values, effects, gradients to second order, loops of known and of unknown length."""

import collections

import numpy as np
import pytest

import thalweg as tf


def run(fetches, feeds=None):
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return sess.run(fetches, feeds)


def test_cond_runs_one_branch():
    x = tf.placeholder(tf.float32, [])
    v = tf.Variable(1.0)
    y = tf.cond(x > 0.0, lambda: tf.assign_add(v, x), lambda: tf.assign_sub(v, 10.0))
    with tf.Session() as sess:
        sess.run(v.initializer)
        assert sess.run(y, {x: 2.0}) == 3.0
        assert sess.run(y, {x: -1.0}) == -7.0
        assert sess.run(v) == -7.0


def test_cond_structures_and_captures():
    x = tf.placeholder(tf.float32, [None])
    out = tf.cond(
        tf.reduce_sum(x) > 0.0, lambda: {"a": x * 2.0, "b": [tf.constant(1)]}, lambda: {"a": x, "b": [tf.constant(2)]}
    )
    got = run(out, {x: [1.0, 2.0]})
    np.testing.assert_array_equal(got["a"], [2, 4])
    assert got["b"] == [1]


def test_cond_of_other_shapes_per_branch():
    x = tf.placeholder(tf.float32, [])
    y = tf.cond(x > 0.0, lambda: tf.ones([2, 3]), lambda: tf.zeros([4, 1]))
    assert y.shape.as_list() == [None, None]
    assert run(y, {x: 1.0}).shape == (2, 3)
    assert run(y, {x: -1.0}).shape == (4, 1)


def test_cond_with_host_work_in_a_branch():
    x = tf.placeholder(tf.float32, [])
    y = tf.cond(x > 0.0, lambda: tf.py_func(lambda a: np.float32(a + 1), [x], tf.float32), lambda: x)
    assert run(y, {x: 1.0}) == 2.0
    assert run(y, {x: -1.0}) == -1.0


def test_cond_errors():
    one = lambda: tf.constant(1)
    with pytest.raises(TypeError, match="pred must not be a Python bool"):
        tf.cond(True, one, one)
    with pytest.raises(TypeError, match="true_fn must be callable"):
        tf.cond(tf.constant(True), tf.constant(1), one)
    with pytest.raises((TypeError, ValueError)):
        tf.cond(tf.constant(True), one, lambda: tf.constant(1.0))


def test_cond_gradient():
    x = tf.placeholder(tf.float32, [])
    y = tf.cond(x > 1.0, lambda: x * x * x, lambda: 5.0 * x)
    (g,) = tf.gradients(y, [x])
    (h,) = tf.gradients(g, [x])
    assert run([g, h], {x: 2.0}) == [12.0, 12.0]
    assert run(g, {x: 0.5}) == 5.0


def test_case():
    x = tf.placeholder(tf.int32, [])
    y = tf.case([(x < 0, lambda: tf.constant(-1)), (x > 10, lambda: tf.constant(1))], default=lambda: tf.constant(0))
    assert [int(run(y, {x: n})) for n in (-3, 5, 30)] == [-1, 0, 1]
    both = tf.case(
        [(x < 5, lambda: tf.constant(1)), (x < 9, lambda: tf.constant(2))],
        exclusive=True,
        default=lambda: tf.constant(3),
    )
    assert run(both, {x: 7}) == 2
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than 1 conditions"):
        run(both, {x: 2})


def test_while_of_known_length():
    x = tf.placeholder(tf.float32, [])
    i, y = tf.while_loop(lambda i, a: i < 10, lambda i, a: (i + 1, a * x), [tf.constant(0), tf.constant(1.0)])
    (g,) = tf.gradients(y, [x])
    (h,) = tf.gradients(g, [x])
    assert run([i, y, g, h], {x: 2.0}) == [10, 1024.0, 10 * 2.0**9, 90 * 2.0**8]


def test_while_of_a_length_that_is_fed():
    n = tf.placeholder(tf.int32, [])
    x = tf.placeholder(tf.float32, [])
    _, y = tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * x), [tf.constant(0), tf.constant(1.0)])
    (g,) = tf.gradients(y, [x])
    assert run([y, g], {x: 3.0, n: 3}) == [27.0, 27.0]
    assert run([y, g], {x: 3.0, n: 0}) == [1.0, 0.0]


def test_while_whose_length_depends_on_its_values():
    x = tf.placeholder(tf.float32, [])
    y = tf.while_loop(lambda a: a < 100.0, lambda a: a * a, [x])
    (g,) = tf.gradients(y, [x])
    assert run([y, g], {x: 2.0}) == [256.0, 8 * 2.0**7]
    assert run([y, g], {x: 200.0}) == [200.0, 1.0]


def test_while_with_variables_and_randomness():
    v = tf.Variable(0.0)

    def body(i):
        with tf.control_dependencies([tf.assign_add(v, 2.0)]):
            return i + 1

    loop = tf.while_loop(lambda i: i < 5, body, [tf.constant(0)])
    noise = tf.while_loop(
        lambda i, s: i < 3, lambda i, s: (i + 1, s + tf.random_uniform([2], seed=4)), [tf.constant(0), tf.zeros([2])]
    )[1]
    with tf.Session() as sess:
        sess.run(v.initializer)
        assert sess.run(loop) == 5
        assert sess.run(v) == 10.0
        first, second = sess.run(noise), sess.run(noise)
        assert not np.array_equal(first, second)


def test_while_gradient_of_a_captured_variable():
    w = tf.Variable(np.float32([[2.0, 0.0], [0.0, 3.0]]))
    x = tf.constant([[1.0, 1.0]])
    _, y = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.matmul(a, w)), [tf.constant(0), x])
    (g,) = tf.gradients(tf.reduce_sum(y), [w])
    np.testing.assert_allclose(run(g), [[12.0, 19.0], [19.0, 27.0]])


def test_nested_loops_and_maximum_iterations():
    def row(i, total):
        inner = tf.while_loop(lambda j, s: j < i, lambda j, s: (j + 1, s + j), [tf.constant(0), tf.constant(0)])[1]
        return i + 1, total + inner

    total = tf.while_loop(lambda i, t: i < 5, row, [tf.constant(0), tf.constant(0)])[1]
    bounded = tf.while_loop(lambda i: i < 100, lambda i: i + 1, [tf.constant(0)], maximum_iterations=7)
    assert run([total, bounded]) == [10, 7]


def test_a_loop_variable_that_grows():
    i, x = tf.while_loop(
        lambda i, x: i < 3,
        lambda i, x: (i + 1, tf.concat([x, x], 0)),
        [tf.constant(0), tf.ones([1, 2])],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2])],
    )
    assert run(x).shape == (8, 2)
    with pytest.raises(ValueError, match="shape_invariants"):
        tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, tf.concat([x, x], 0)), [tf.constant(0), tf.ones([1, 2])])


def test_a_failed_check_in_a_loop_fails_the_step():
    v = tf.Variable(1.0)
    table = tf.constant([1.0, 2.0, 3.0])
    n = tf.placeholder(tf.int32, [])
    _, y = tf.while_loop(
        lambda i, s: i < n, lambda i, s: (i + 1, s + tf.gather(table, i)), [tf.constant(0), tf.constant(0.0)]
    )
    step = tf.assign(v, y)
    with tf.Session() as sess:
        sess.run(v.initializer)
        assert sess.run(step, {n: 3}) == 6.0
        with pytest.raises(tf.errors.InvalidArgumentError, match="not in"):
            sess.run(step, {n: 5})
        assert sess.run(v) == 6.0


def test_compilation_does_not_grow_with_the_loop():
    _, y = tf.while_loop(lambda i, a: i < 100_000, lambda i, a: (i + 1, a + 1.0), [tf.constant(0), tf.constant(0.0)])
    with tf.Session() as sess:
        assert sess.run(y) == 100_000.0
        assert len(sess.hlo(y)[0]) < 20_000


@pytest.mark.parametrize("resource", [False, True])
def test_gradient_by_a_variable_that_a_loop_reads(resource):
    with tf.variable_scope("s", use_resource=resource):
        w = tf.get_variable("w", [2, 2], initializer=tf.constant_initializer(0.5))
    x = tf.placeholder(tf.float32, [None, 2])
    _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.matmul(y, w)), [0, x])
    gradient = tf.gradients(y, w)[0]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(session.run(gradient, {x: [[1.0, 1.0]]}), np.full((2, 2), 3.0), rtol=1e-6)


def test_a_loop_over_nothing_reads_no_element():
    x = tf.placeholder(tf.float32, [None, 2])
    total = tf.while_loop(
        lambda i, s: i < tf.shape(x)[0], lambda i, s: (i + 1, s + tf.reduce_sum(x[i])), [0, tf.constant(0.0)]
    )[1]
    with tf.Session() as session:
        for n in (0, 3):
            assert session.run(total, {x: np.ones((n, 2))}) == 2 * n
        with pytest.raises(tf.errors.InvalidArgumentError, match="out of bounds"):
            session.run(x[tf.placeholder_with_default(1, [])], {x: np.ones((0, 2))})


def test_what_a_branch_of_one_operation_or_one_element_gives():
    pair = collections.namedtuple("pair", "a")
    p = tf.placeholder(tf.bool)
    done = tf.cond(p, tf.no_op, tf.no_op)
    single = tf.cond(p, lambda: pair(1), lambda: pair(2))
    strict = tf.cond(p, lambda: pair(1), lambda: pair(2), strict=True)
    assert done.shape.ndims is None
    with tf.Session() as session:
        assert session.run([done, single, strict], {p: True}) == [True, 1, pair(1)]
        assert session.run([done, single, strict], {p: False}) == [False, 2, pair(2)]


def test_branches_and_loops_that_are_alike_draw_numbers_of_their_own():
    tf.set_random_seed(1)
    always = tf.placeholder_with_default(True, ())

    def drawn():
        return tf.random_normal([2])

    chosen = [tf.cond(always, drawn, drawn), tf.cond(always, drawn, drawn), tf.cond(~always, drawn, drawn)]
    sums = [tf.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, x + drawn()), [0, tf.zeros([2])])[1] for _ in "ab"]
    with tf.Session() as session:
        first = np.array(session.run(chosen + sums))
    assert len({tuple(row) for row in first}) == len(first)
    with tf.Session() as session:
        np.testing.assert_array_equal(session.run(chosen + sums), first)
