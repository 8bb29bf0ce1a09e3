"""Plans of input pipelines as steps on NumPy arrays: which plans those are, and that they do what clusters would."""

import threading

import numpy as np
import pytest

import thalweg as tf


def is_straight(session):
    return session.plan.notes.get("straight") is not None


def test_from_queue_to_queue():
    source, sink = tf.FIFOQueue(10, tf.int32, ()), tf.FIFOQueue(10, [tf.float32, tf.string], [(2,), ()])
    i = source.dequeue()
    row = tf.gather(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), i) / 2.0
    move = sink.enqueue([row, tf.as_string(i)])
    with tf.Session() as session:
        session.run(source.enqueue_many([[2, 0]]))
        for wanted in ([2.5, 3.0], [0.5, 1.0]):
            session.run(move)
            assert is_straight(session)
            assert session.run(sink.dequeue())[0].tolist() == wanted


def test_a_queue_that_is_chosen_among_several():
    queues = [tf.FIFOQueue(3, tf.int32, ()) for _ in range(2)]
    which = tf.placeholder(tf.int32, [])
    put = tf.QueueBase.from_list(which, queues).enqueue(7)
    with tf.Session() as session:
        for i in (1, 0, 1):
            session.run(put, {which: i})
            assert is_straight(session)
        assert [session.run(queue.size()) for queue in queues] == [1, 2]
        with pytest.raises(tf.errors.InvalidArgumentError, match="not in"):
            session.run(put, {which: 2})


def test_what_two_things_wait_for_goes_on_beside_each_other():
    queue = tf.FIFOQueue(1, tf.int32, ())
    with tf.Session() as session:
        assert session.run([queue.dequeue(), queue.enqueue(7)])[0] == 7
        assert not is_straight(session)


def test_variables_and_large_arrays_take_the_other_way():
    queue = tf.FIFOQueue(10, tf.float32)
    v = tf.Variable(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        for x in (v + 1.0, tf.ones([100, 100]) * 2.0):
            session.run(queue.enqueue(x))
            assert not is_straight(session)
        assert session.run(queue.dequeue()) == 2.0


def test_random_numbers_go_on_where_other_runs_left_them():
    queue = tf.FIFOQueue(10, tf.float32, ())
    x = tf.random_uniform([], seed=3)
    put, plainly = queue.enqueue(x), x + 0.0
    with tf.Session() as session:
        wanted = [session.run(plainly) for _ in range(6)]
    with tf.Session() as session:
        found = []
        for _ in range(2):
            found.append(session.run(plainly))
            for _ in range(2):
                session.run(put)
                assert is_straight(session)
                found.append(session.run(queue.dequeue()))
    assert found == wanted


def picture(size):
    """The PNG of a picture of one colour, all of whose places are as bright as it is high."""
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(tf.image.encode_png(tf.fill([size, size + 3, 3], tf.constant(size, tf.uint8))))


def distorted(png):
    """A picture cut, turned and made brighter by chance, as slim's preprocessing does it; all places are equal still."""
    x = tf.cast(tf.image.decode_image(png, channels=3), tf.float32)
    x.set_shape([None, None, 3])
    begin, size, _ = tf.image.sample_distorted_bounding_box(
        tf.shape(x), tf.zeros([1, 0, 4]), use_image_if_no_bounding_boxes=True
    )
    x = tf.reshape(tf.slice(x, begin, size), [size[0], size[1], 3])
    x = tf.cond(tf.random_uniform([]) < 0.5, lambda: tf.reverse(x, [1]) + 0.25, lambda: x + 0.25)
    return tf.image.resize_images(x, [7, 5])


def test_pictures_of_ever_new_sizes_are_compiled_for_none_of_them():
    source = tf.FIFOQueue(100, tf.string, ())
    batch = tf.train.batch([distorted(source.dequeue())], 10)
    with tf.Session() as session:
        session.run([source.enqueue_many([[picture(n) for n in range(10, 40)]]), source.close()])
        tf.train.start_queue_runners(session)
        found = np.concatenate([session.run(batch) for _ in range(3)])
        assert not any(any(plan.executables) for plan in session._plans.values())
    assert found.shape == (30, 7, 5, 3)
    np.testing.assert_allclose(found, np.broadcast_to(found[:, :1, :1, :1], found.shape), rtol=1e-6)
    np.testing.assert_allclose(sorted(found[:, 0, 0, 0]), np.arange(10, 40) + 0.25, rtol=1e-6)


def test_a_branch_that_puts_into_a_queue():
    source, sink = tf.FIFOQueue(10, tf.int32, ()), tf.FIFOQueue(1, tf.int32)
    number = source.dequeue()
    move = tf.cond(number > 0, lambda: sink.enqueue(tf.range(number)), lambda: tf.no_op())
    with tf.Session() as session:
        session.run(source.enqueue_many([[0, 2, 0, 3]]))
        for _ in range(3):
            session.run(move)
            assert is_straight(session)
        with pytest.raises(tf.errors.DeadlineExceededError):  # the sink is full
            session.run(move, options=tf.RunOptions(timeout_in_ms=30))
        assert session.run(sink.dequeue()).tolist() == [0, 1]


def test_an_error_names_its_operation_and_leaves_the_rest():
    source = tf.FIFOQueue(10, tf.string, ())
    number = tf.string_to_number(source.dequeue(), name="as_number")
    with tf.Session() as session:
        session.run(source.enqueue_many([["1", "one", "2"]]))
        assert session.run(number) == 1
        assert is_straight(session)
        with pytest.raises(tf.errors.InvalidArgumentError, match="as_number"):
            session.run(number)
        assert session.run(number) == 2


def test_a_wait_ends_by_time_by_closing_and_by_the_session():
    queues = [tf.FIFOQueue(1, tf.int32, (), name=name) for name in ("closed", "left")]
    taken = [queue.dequeue() + 1 for queue in queues]
    found = []

    def take(session, number):
        try:
            session.run(number)
        except (tf.errors.OpError, RuntimeError) as error:
            found.append(type(error))

    with tf.Session() as session:
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(taken[0], options=tf.RunOptions(timeout_in_ms=30))
        assert is_straight(session)
        for end in (lambda: session.run(queues[0].close()), session.close):
            number = taken.pop(0)
            thread = threading.Thread(target=take, args=(session, number))
            thread.start()
            end()
            thread.join(20)
            assert not thread.is_alive()
    assert found[0] is tf.errors.OutOfRangeError
    assert found[1:] in (
        [],
        [tf.errors.CancelledError],
    )  # none where the session was closed before the thread came to it


def test_fed_values_and_types():
    queue = tf.FIFOQueue(10, [tf.uint8, tf.string], [(3,), ()])
    x, name = tf.placeholder(tf.int32, [3]), tf.placeholder(tf.string, [])
    put = queue.enqueue([tf.cast(x, tf.uint8), name])
    with tf.Session() as session:
        session.run(put, {x: [1, 2, 3], name: "a"})
        assert is_straight(session)
        row, text = session.run(queue.dequeue())
    assert (row.dtype, row.tolist(), text) == (np.uint8, [1, 2, 3], b"a")


def test_a_queue_runners_run_is_taken_often_until_it_is_told_to_stop():
    source, queue = tf.FIFOQueue(60, [tf.int32], [[]]), tf.FIFOQueue(60, [tf.int32], [[]])
    filled = source.enqueue_many([list(range(40))])
    enqueue = queue.enqueue([source.dequeue() + 1])
    with tf.Session() as sess:
        sess.run(filled)
        sess.run(source.close())
        often = sess._often(enqueue)
        asked = iter([False, False, True])
        often(lambda: next(asked))
        assert sess.run(queue.size()) == 3  # the first is not asked for
        with pytest.raises(tf.errors.OutOfRangeError, match="closed and has insufficient elements"):
            [often(lambda: False) for _ in range(40)]
        assert list(sess.run(queue.dequeue_many(40))) == list(range(1, 41))


def test_a_time_limit_is_that_of_each_run():
    source, queue = tf.FIFOQueue(9, [tf.int32], [[]]), tf.FIFOQueue(9, [tf.int32], [[]])
    enqueue = queue.enqueue([source.dequeue() + 1])
    with tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=50)) as sess:
        sess.run(source.enqueue([1]))
        often = sess._often(enqueue)
        often(lambda: False)  # would wait in its second run
        with pytest.raises(tf.errors.DeadlineExceededError):
            often(lambda: False)


def test_files_named_by_a_row_of_words(tmp_path):
    """What a row of words is taken apart into are strings like others."""
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * 3)
    names = tf.FIFOQueue(4, tf.string, (2,))
    files = tf.FIFOQueue(4, tf.string, ())
    first, second = tf.unstack(names.dequeue())
    put = files.enqueue_many([[tf.read_file(first), tf.read_file(tf.string_join([second]))]])
    with tf.Session() as session:
        session.run(names.enqueue([[str(tmp_path / "a"), str(tmp_path / "b")]]))
        session.run(put)
        assert is_straight(session)
        assert [session.run(files.dequeue()) for _ in range(2)] == [b"aaa", b"bbb"]


def test_one_of_several_ways_for_each_element():
    """Switch and Merge by hand, as slim's preprocessing picks one of its orders: what was not picked gives nothing."""
    from thalweg._src.compat.internals.control_flow_ops import merge, switch

    source, sink = tf.FIFOQueue(8, tf.float32, (2,)), tf.FIFOQueue(8, tf.float32, (2,))
    x = source.dequeue()
    way = tf.cast(x[0], tf.int32)
    ways = [tf.clip_by_value(switch(x, tf.equal(way, i))[1] * (i + 2.0), 0.0, 100.0) for i in range(3)]
    put = sink.enqueue(merge(ways)[0])
    with tf.Session() as session:
        session.run(source.enqueue_many([[[0.0, 1.0], [2.0, 5.0], [1.0, 90.0]]]))
        for _ in range(3):
            session.run(put)
        assert session.run(sink.dequeue_many(3)).tolist() == [[0.0, 2.0], [8.0, 20.0], [3.0, 100.0]]
