"""What a program unrolled by hand is traced as a loop, and gives the same numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg as tf
from thalweg._src.compiler.repeats import Repeat
from thalweg._src.compiler.stage import Cluster


def loops(session: tf.Session) -> list[tuple[int, int]]:
    """The turns of all Repeats that the session has planned, and how many operations one has."""
    clusters = [c for plan in session._plans.values() for c in plan.clusters if not c.is_host]
    return [(len(r.turns), len(r.turns[0])) for c in clusters for r in c.pieces if isinstance(r, Repeat)]


def both(build, runs, feeds, *, has_loops=True):
    """What a graph gives in some runs, with and without loops."""
    found = []
    for rolled in (True, False):
        with tf.Graph().as_default(), pytest.MonkeyPatch.context() as patch:
            if not rolled:
                patch.setattr(Cluster, "pieces", property(lambda self: list(self.ops)))
            tf.set_random_seed(1)
            fetches, placeholders = build()
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                found.append([session.run(fetches, dict(zip(placeholders, feeds, strict=True))) for _ in range(runs)])
                if rolled and has_loops:
                    assert loops(session)
    return found


def close(found):
    for rolled, plain in zip(*found, strict=True):
        for a, b in zip(rolled, plain, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


def inputs(batch, turns, width):
    return np.random.RandomState(0).rand(batch, turns, width).astype(np.float32)


@pytest.mark.parametrize("cell", [tf.nn.rnn_cell.BasicLSTMCell, tf.nn.rnn_cell.GRUCell])
def test_a_recurrent_network_trains_the_same(cell):
    def build():
        x = tf.placeholder(tf.float32, [3, 9, 2])
        outputs, _ = tf.nn.static_rnn(cell(4), tf.unstack(x, axis=1), dtype=tf.float32)
        loss = tf.reduce_mean(tf.square(tf.stack(outputs, 1) - 1.0))
        train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
        with tf.control_dependencies([train]):
            return [tf.identity(loss), outputs[0], outputs[-1]], [x]

    close(both(build, 3, [inputs(3, 9, 2)]))


def test_random_numbers_are_those_of_each_turn():
    def build():
        x = tf.placeholder(tf.float32, [3, 14, 4])
        cell = tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicRNNCell(4), output_keep_prob=0.5)
        outputs, _ = tf.nn.static_rnn(cell, [x[:, t] for t in range(14)], dtype=tf.float32)
        (slope,) = tf.gradients(tf.add_n(outputs), x)
        return [tf.concat(outputs, 1), slope], [x]

    found = both(build, 3, [inputs(3, 14, 4)])
    close(found)
    assert not np.array_equal(found[0][0][0], found[0][1][0])


def test_sequences_of_different_lengths():
    def build():
        x, n = tf.placeholder(tf.float32, [3, 9, 2]), tf.placeholder(tf.int32, [3])
        cell = tf.nn.rnn_cell.BasicLSTMCell(4)
        outputs, last = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), dtype=tf.float32, sequence_length=n)
        return [tf.stack(outputs), last.c, *tf.gradients(last.h, [x])], [x, n]

    close(both(build, 1, [inputs(3, 9, 2), [9, 4, 1]]))


def test_turns_that_take_parts_of_a_variable():
    def build():
        x = tf.placeholder(tf.float32, [2])
        w = tf.get_variable("w", [80])
        h = x
        for t in range(40):
            h = tf.tanh(h * w[2 * t : 2 * t + 2]) - 0.5 * h
        return [h, *tf.gradients(h, [x, w])], [x]

    close(both(build, 1, [np.float32([1, 2])]))


def test_turns_that_take_what_stands_further_back():
    def build():
        x = tf.placeholder(tf.float32, [3])
        values = [x, x * 2.0]
        for _ in range(40):
            values.append(tf.sin(values[-1]) - 0.5 * values[-2] * tf.cos(values[-1]))
        return [values[-1], values[7], *tf.gradients(values[-1], x)], [x]

    close(both(build, 1, [np.float32([0.1, 0.5, 2.0])]))


def test_a_condition_in_a_turn_fails_the_step_and_names_its_op():
    table = tf.Variable(np.arange(6, dtype=np.float32))
    x = tf.placeholder(tf.int32, [40])
    state = tf.zeros([])
    for t in range(40):
        state = tf.tanh(state) + tf.gather(table, x[t], name=f"look_{t}") * tf.sigmoid(state)
    train = tf.assign_add(table, tf.fill([6], state))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(table)
        with pytest.raises(tf.errors.InvalidArgumentError, match="look_7"):
            session.run(train, {x: [0, 1, 2, 3, 4, 5, 0, 6] + [0] * 32})
        np.testing.assert_array_equal(session.run(table), before)
        assert loops(session)
        session.run(train, {x: [0] * 40})


def test_sums_over_turns_of_two_stretches():
    def build():
        x = tf.placeholder(tf.float32, [3, 2])
        w = tf.get_variable("w", [2, 2])
        h = x
        for t in range(90):
            h = tf.tanh(tf.matmul(h, w) + x) if t != 44 else tf.cos(tf.matmul(h, w))
        return [h, *tf.gradients(h, [x, w])], [x]

    close(both(build, 1, [np.float32([[1, 2], [3, 4], [0.5, 1]])]))


def test_layers_with_weights_of_their_own_are_no_turns():
    h = tf.placeholder(tf.float32, [2, 4])
    x = h
    for _ in range(60):
        h = tf.tanh(tf.matmul(h, tf.get_variable(f"w{_}", [4, 4])) + 1.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(h, {x: np.ones((2, 4))})
        assert not loops(session)


def test_turns_whose_constants_differ_are_no_turns():
    x = tf.placeholder(tf.float32, [4])
    h = x
    for t in range(60):
        h = tf.tanh(h * float(t)) + tf.cos(h)
    with tf.Session() as session:
        found = session.run(h, {x: np.ones(4)})
        assert not loops(session)
    expected = np.ones(4, np.float32)
    for t in range(60):
        expected = np.tanh(expected * t) + np.cos(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_write_between_turns_is_seen_by_the_later_ones():
    v = tf.Variable(1.0, use_resource=True)
    h = tf.constant([1.0, 2.0])
    for t in range(80):
        with tf.control_dependencies([h] if t != 40 else [v.assign(3.0)]):
            h = tf.tanh(h * v.read_value()) + tf.sin(h)
    with tf.Session() as session:
        session.run(v.initializer)
        found = session.run(h)
        assert len(loops(session)) == 2
    expected = np.array([1.0, 2.0])
    for t in range(80):
        expected = np.tanh(expected * (3.0 if t >= 40 else 1.0)) + np.sin(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


UNARY = [tf.tanh, tf.sin, tf.sigmoid, tf.identity, lambda v: 0.5 * v]
BINARY = [tf.add, tf.subtract, tf.multiply, tf.maximum]


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_random_turns_give_what_they_give_one_by_one(data):
    """Turns of random operations on what random earlier turns, rows and fixed values give."""
    turns = data.draw(st.integers(9, 15))
    recipe = data.draw(
        st.lists(
            st.tuples(st.sampled_from(UNARY), st.sampled_from(BINARY), st.integers(0, 6), st.integers(0, 6)),
            min_size=6,
            max_size=9,
        )
    )
    odd = data.draw(st.integers(-1, turns - 1))  # a turn that does something else
    back = data.draw(st.integers(1, 3))

    def build():
        x = tf.placeholder(tf.float32, [3, turns, 2])
        w = tf.get_variable("w", [2, 2])
        done, rows = [x[:, 0]] * 3, tf.unstack(x, axis=1)
        for t in range(turns):
            pool = [done[-1], done[-back], rows[t], tf.matmul(done[-1], w)]
            for unary, binary, a, b in recipe:
                pool.append(unary(binary(pool[a % len(pool)], pool[b % len(pool)])))
            done.append(tf.clip_by_value(pool[-1] if t != odd else tf.cos(pool[-1]), -3.0, 3.0))
        loss = tf.add_n([tf.reduce_sum(d) for d in done[-2:]])
        return [done[-1], done[3], *(g for g in tf.gradients(loss, [x, w]) if g is not None)], [x]

    close(both(build, 1, [inputs(3, turns, 2)], has_loops=False))  # such as there are
