"""What follows from shapes is recalled where shapes keep changing, and stays what it was."""

import numpy as np

import thalweg as tf
from thalweg._src.runtime import recalled
from thalweg._src.runtime.recalled import Recalled

LENGTHS = [3, 5, 4, 7, 3, 9, 5, 4, 8, 3, 7, 11, 3, 3, 9]


def test_values_of_shapes_are_recalled_and_not_written_to():
    x = tf.placeholder(tf.float32, [None, 2])
    n = tf.shape(x)[0]
    count = tf.get_variable("count", initializer=0)
    pairs = tf.reshape(x, tf.stack([n * 2]))
    counted = tf.assign(count, tf.range(n * 10)[n])
    with tf.control_dependencies([counted]):
        more = tf.assign_add(count, tf.unique(tf.cast(x[:, 0], tf.int32))[0][0])
    with tf.Session() as session:
        session.run(count.initializer)
        for i, size in enumerate(LENGTHS):
            found, shown, again = session.run([pairs, n, more], {x: np.full([size, 2], i)})
            np.testing.assert_array_equal(found, np.full(2 * size, i))
            assert (shown, again) == (size, size + i)
        known = [c.recalled for c in session.plan.clusters if c.recalled is not None]
    assert known
    assert any(k._outputs for k in known)


def test_operations_are_made_once_for_their_shapes_and_constants(monkeypatch):
    x = tf.placeholder(tf.float32, [None])
    two, shape = tf.constant(2), tf.shape(x)
    doubled = (shape * two).op
    made = []

    def outputs(op, *values):
        def make():
            made.append(op.type)
            return [np.array([v.size for v in values], np.int32)]

        return known.outputs(op, list(values), make)[0]

    known = Recalled()
    value = two.op._attrs["value"]
    a = outputs(shape.op, np.zeros(3))
    assert outputs(shape.op, np.ones(3)) is a
    assert outputs(doubled, a, value) is outputs(doubled, a, value)
    assert made == ["Shape", "Mul"]
    assert outputs(doubled, a.copy(), value) is not outputs(doubled, a.copy(), value), "whose value may be another"
    assert not a.flags.writeable
    assert outputs(shape.op, np.ones(4)) is not a
    monkeypatch.setattr(recalled, "MOST", 2)
    for size in range(5, 9):
        outputs(shape.op, np.ones(size))
    assert len(known._outputs) <= 2
