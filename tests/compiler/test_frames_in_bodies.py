"""Switch and Merge made by hand inside of branches, loops, functions and the functions of datasets. TensorFlow 1.15 gives these values."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat.internals import control_flow_ops
from thalweg._src.compiler.functionalize import functional_graph
from thalweg._src.core import eager

switch, merge = control_flow_ops.switch, control_flow_ops.merge
FUNCTIONS = [tf.sqrt, tf.square, lambda v: v - 3.0]


def either(x, pred):
    """2 x, or x + 10 where the condition holds."""
    other, then = switch(x, pred)
    return merge([other * 2.0, then + 10.0])[0]


def one_of(x, which):
    """One of several functions, as slim's distortions of pictures are chosen."""
    return merge([f(switch(x, tf.equal(which, i))[1]) for i, f in enumerate(FUNCTIONS)])[0]


def expected_one_of(x, which):
    return [np.sqrt, np.square, lambda v: v - 3.0][which](x)


def values(fetch, feed):
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        found = [sess.run(fetch, f) for f in feed]
        assert not any(c.is_host for c in sess._last_plan.clusters if any(op.type in ("If", "While") for op in c.ops))
        return found


def test_in_a_branch():
    with tf.Graph().as_default():
        x, k = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.int32, [])
        y = tf.cond(k >= 0, lambda: one_of(x, k), lambda: either(x, k < -1))
        (g,) = tf.gradients(either(tf.cond(k >= 0, lambda: either(x, k > 0), lambda: x * 3.0), k > 1), x)
        v = np.float32([1, 4])
        got = values([y, g], [{x: v, k: i} for i in (-2, -1, 0, 1, 2)])
    for (out, gradient), e, d in zip(got, (v + 10, v * 2, v**0.5, v**2, v - 3), (6, 6, 4, 2, 1), strict=True):
        np.testing.assert_allclose(out, e)
        np.testing.assert_allclose(gradient, [d, d])


def test_gradients():
    with tf.Graph().as_default():
        x, k, v = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.int32, []), tf.Variable(3.0)
        other, then = switch(x, k > 0)
        by_x, by_v = tf.gradients(merge([tf.square(other) * v, then + 10.0])[0], [x, v])
        (by_chosen,) = tf.gradients(one_of(x, k), x)
        feeds = [{x: [1.0, 2.0], k: i} for i in (0, 1, 2)]
        np.testing.assert_allclose(values(by_x, feeds), [[6, 12], [1, 1], [1, 1]])
        np.testing.assert_allclose(values(by_chosen, feeds), [[0.5, 0.125**0.5], [2, 4], [1, 1]], rtol=1e-6)
        assert values(by_v, feeds[:1]) == [5.0]
        with pytest.raises(tf.errors.InvalidArgumentError, match="does not have value"):
            values(by_v, feeds[1:])  # the variable stands on one side alone


def test_in_a_loop():
    with tf.Graph().as_default():
        x, n = tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, [])
        _, y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, one_of(y, tf.mod(i, 3))), [0, x])
        (g,) = tf.gradients(tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, either(y, i > 1)), [0, x])[1], x)
        total = tf.scan(lambda a, e: either(a, e > 1.0) + e, tf.stack([x, x / 9.0]), initializer=0.0)
        got = values([y, g, total], [{x: 9.0, n: i} for i in (1, 2, 3, 4)])
    np.testing.assert_allclose([y for y, _, _ in got], [3, 9, 6, 6**0.5], rtol=1e-6)
    assert [g for _, g, _ in got] == [2, 4, 4, 4]
    assert got[0][2].tolist() == [19, 39]


@pytest.mark.parametrize("resource", [False, True])
def test_what_only_one_side_writes(resource):
    with tf.Graph().as_default():
        x, k = tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, [])
        count = tf.Variable(0, use_resource=resource)

        def counted():
            other, then = switch(x, k > 2)
            with tf.control_dependencies([tf.identity(then)]):
                added = tf.assign_add(count, 1)  # it waits through its constant alone
            with tf.control_dependencies([added]):
                return merge([other, tf.identity(then)])[0]

        inside, outside = tf.cond(k > 1, counted, lambda: x), counted()
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            seen = []
            for fetch in (inside, outside):
                for i in (1, 2, 3):
                    assert sess.run(fetch, {x: 5.0, k: i}) == 5.0
                    seen.append(sess.run(count))
    assert seen == [0, 0, 1, 1, 1, 2]


def test_in_functions_of_datasets():
    calls = []

    def called(v):
        other, then = switch(v, v > 2)
        (back,) = tf.py_func(lambda z: (calls.append(int(z)), z)[1:], [then], [tf.int64])
        back.set_shape([])
        return merge([other, back])[0]

    with tf.Graph().as_default(), tf.Session() as sess:
        numbers = tf.data.Dataset.range(6)
        floats = numbers.map(lambda v: tf.cast(v, tf.float32))
        sets = [
            floats.map(lambda v: one_of(v, tf.mod(tf.cast(v, tf.int32), 3))).batch(6),
            floats.map(lambda v: tf.cond(v > 1.0, lambda: either(v, v > 3.0), lambda: v), num_parallel_calls=2).batch(
                6
            ),
            floats.filter(lambda v: either(v, v > 2.0) > 3.0).batch(6),
            numbers.map(called).batch(6),
        ]
        got = sess.run([s.make_one_shot_iterator().get_next() for s in sets])
    np.testing.assert_allclose(got[0], [expected_one_of(np.float32(i), i % 3) for i in range(6)], rtol=1e-6)
    assert [g.tolist() for g in got[1:]] == [[0, 1, 4, 6, 14, 15], [2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]
    assert calls == [3, 4, 5]


def test_in_functions_of_eager_execution():
    def changed(x):
        return either(tf.cond(x > 2.0, lambda: either(x, x > 3.0), lambda: x), x > 1.0)

    with eager.eager_mode():
        numbers = tf.data.Dataset.range(4).map(lambda v: either(tf.cast(v, tf.float32), v > 1))
        assert [v.numpy() for v in numbers] == [0, 2, 12, 13]
        function = tf.function(changed)
        assert [function(tf.constant(v)).numpy() for v in (1.0, 2.0, 3.0, 4.0)] == [2, 12, 16, 24]


def test_the_graphs_of_a_program_stay_as_they_are():
    program = tf.Graph()
    with program.as_default():
        x = tf.placeholder(tf.float32, [])
        y = tf.cond(x > 0.0, lambda: either(x, x > 1.0), lambda: x)
    condition = next(op for op in program.get_operations() if op.type == "If")
    then, other = condition._attrs["then_branch"], condition._attrs["else_branch"]
    kinds = {op.type for op in functional_graph(then).get_operations()}
    assert kinds >= {"If"}
    assert not kinds & {"Switch", "Merge"}
    assert "Merge" in {op.type for op in then.get_operations()}
    assert functional_graph(then) is functional_graph(then)
    assert functional_graph(other) is other
    with tf.Session(graph=program) as sess:
        assert [sess.run(y, {x: v}) for v in (-1.0, 1.0, 2.0)] == [-1, 2, 12]
        written = program.as_graph_def()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(written, name="")
        assert sess.run(y.name, {x.name: 2.0}) == 12
