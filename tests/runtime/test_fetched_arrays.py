"""What a run gives is the caller's own: large arrays are handed over without a copy, and nothing else lies on that memory."""

import numpy as np
import pytest

import thalweg as tf

N = 520  # squared, beyond what is copied anyway


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


def test_writing_to_a_fetched_array_changes_nothing_else():
    v = tf.Variable(tf.ones([N, N]))
    added, x = v.assign_add(tf.ones([N, N])), tf.placeholder(tf.float32, [N, N])
    fed = np.ones([N, N], np.float32)
    fetches = {"sum": v * x, "twice": [added, tf.identity(added)], "read": v.read_value(), "fed": tf.identity(x)}
    with tf.Session() as s:
        s.run(v.initializer)
        for turn in range(4):
            got = s.run(fetches, {x: fed})
            arrays = [got["sum"], *got["twice"], got["read"], got["fed"]]
            for i, a in enumerate(arrays):
                assert a.flags.writeable
                assert not any(np.shares_memory(a, b) for b in [*arrays[:i], fed])
                a += 100.0
            assert (fed == 1).all()
            assert (s.run(v) == turn + 2).all()


def test_what_host_work_reads_too_is_copied():
    queue = tf.FIFOQueue(4, tf.float32, [[N, N]])
    x = tf.placeholder(tf.float32, [N, N])
    y = x * 2.0
    put = queue.enqueue(y)
    with tf.Session() as s:
        first, _ = s.run([y, put], {x: np.ones([N, N], np.float32)})
        first[:] = 7.0
        assert (s.run(queue.dequeue()) == 2.0).all()


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16, tf.complex64, tf.int64, tf.bool])
def test_a_large_array_is_not_copied(dtype):
    x = tf.placeholder(tf.float32, [N, N])
    y = tf.cast(x + 1.0, dtype)
    with tf.Session() as s:
        for _ in range(3):  # the first runs may take place on NumPy
            got = s.run(y, {x: np.zeros([N, N], np.float32)})
            assert got.dtype == dtype.as_numpy_dtype
            assert got.flags.writeable
            got[0, 0] = 0
            assert np.count_nonzero(got) == N * N - 1
        kept = s.run(y, {x: np.zeros([N, N], np.float32)})
        assert kept.base is not None
    assert kept[-1, -1] == 1


@pytest.mark.parametrize("how", ["at any byte", "turned over", "every other row"])
def test_large_arrays_are_fed_wherever_they_lie(how):
    room = np.empty(8 * N * N + 128, np.uint8)
    values = np.arange(N * N, dtype=np.float32).reshape(N, N)
    x = tf.placeholder(tf.float32, [N, N])
    y = tf.identity(x) * 2.0
    with tf.Session() as s:
        for offset in (0, 4, 16, 60):
            at = -room.ctypes.data % 64 + offset
            fed = room[at : at + 4 * N * N].view(np.float32).reshape(N, N)
            fed[...] = values
            if how == "turned over":
                fed = fed.T
            elif how == "every other row":
                fed = room[at : at + 8 * N * N].view(np.float32).reshape(2 * N, N)[::2]
                fed[...] = values
            before = fed.copy()
            np.testing.assert_array_equal(s.run(y, {x: fed}), 2 * before)
            np.testing.assert_array_equal(fed, before)
