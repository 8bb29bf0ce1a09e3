"""tf.contrib.training: sequences in segments, and states that go from one to the next."""

import numpy as np
import pytest

import thalweg as tf

training = tf.contrib.training


def two_sequences():
    """A queue's outputs: a key, [steps] values and their number, for sequences of 5 and 2 steps."""
    queue = tf.FIFOQueue(4, [tf.string, tf.int32])
    fill = queue.enqueue_many([["a", "b"], [5, 2]])
    close = queue.close()
    key, steps = queue.dequeue()
    key.set_shape([])
    steps.set_shape([])
    return key, tf.cast(tf.range(steps), tf.float32), tf.group(fill), close


def test_a_state_goes_along_with_its_sequence():
    key, values, fill, close = two_sequences()
    batch = training.batch_sequences_with_states(
        key,
        {"x": values},
        {"squared": tf.square(tf.cast(tf.size(values), tf.float32))},
        input_length=None,
        initial_states={"sum": tf.constant(100.0)},
        num_unroll=2,
        batch_size=2,
        capacity=2,
        num_threads=1,
    )
    total = batch.state("sum") + tf.reduce_sum(batch.sequences["x"], axis=1)
    save = batch.save_state("sum", total)
    seen = {}
    with tf.Session() as session:
        session.run(fill)
        session.run(close)
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        wanted = [batch.key, batch.length, total, batch.context["squared"], batch.next_key, save]
        for _ in range(3):
            keys, *facts, _ = session.run(wanted)
            seen.update(zip(keys, zip(*facts, strict=True), strict=True))
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(wanted)
        coord.request_stop()
        coord.join(threads)
    assert seen == {
        b"00000_of_00003:a": (2, 101, 25, b"00001_of_00003:a"),
        b"00001_of_00003:a": (2, 106, 25, b"00002_of_00003:a"),
        b"00002_of_00003:a": (1, 110, 25, b"STOP:a"),
        b"00000_of_00001:b": (2, 101, 4, b"STOP:b"),
    }


def test_sparse_sequences_and_contexts():
    rows = tf.SparseTensor([[0, 1], [2, 0]], tf.constant([1, 2], tf.int64), [3, 2])
    once = tf.SparseTensor([[1]], tf.constant([7], tf.int64), [3])
    batch = training.batch_sequences_with_states(
        tf.constant("k"), {"x": rows}, {"c": once}, None, {"s": tf.constant(0)}, 2, 1, 1, 1, make_keys_unique=True
    )
    step = [batch.sequences["x"], batch.context["c"], batch.save_state("s", batch.state("s"))]
    with tf.Session() as session:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        found = [session.run(step)[:2] for _ in range(2)]
        coord.request_stop()
        coord.join(threads)
    assert [x.indices.tolist() for x, _ in found] == [[[0, 0, 1]], [[0, 0, 0]]]
    assert [x.values.tolist() for x, _ in found] == [[1], [2]]
    for x, c in found:
        assert x.dense_shape.tolist() == [1, 2, 2]
        assert (c.indices.tolist(), c.values.tolist(), c.dense_shape.tolist()) == ([[0, 1]], [7], [1, 3])


def test_what_does_not_fit_is_refused():
    x, states = tf.constant(np.zeros((4, 2))), {"s": tf.constant([0.0])}

    def saver(sequences=None, states=states, **more):
        return training.SequenceQueueingStateSaver(2, 2, 4, "key", sequences or {"x": x}, {}, states, **more)

    with pytest.raises(ValueError, match="capacity 1 needs to be"):
        saver(capacity=1)
    with pytest.raises(ValueError, match="initial_states may not be empty"):
        saver(states={})
    with pytest.raises(ValueError, match="colon"):
        saver({"x:0": x})
    with pytest.raises(ValueError, match="not fully defined"):
        saver({"x": tf.placeholder(tf.float32, [4, None])})
    batch = saver().next_batch
    with pytest.raises(KeyError, match="not declared"):
        batch.save_state("t", tf.zeros([2, 1]))
    with pytest.raises(ValueError, match="Rank check failed"):
        batch.save_state("s", tf.zeros([2]))
