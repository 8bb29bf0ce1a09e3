"""Queue runners, producers and batches: whole pipelines, how they end, and how they fail."""

import contextlib
import threading
import traceback

import numpy as np
import pytest

import thalweg as tf

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def run_all(fetch, *, threads=None):
    """Everything that `fetch` gives until the input ends; all threads end too."""
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coord = tf.train.Coordinator()
        started = tf.train.start_queue_runners(sess, coord)
        out = []
        try:
            while True:
                out.append(sess.run(fetch))
        except tf.errors.OutOfRangeError:
            coord.request_stop()
        coord.join(started, stop_grace_period_secs=20)
        assert not any(t.is_alive() for t in started)
        return out


def test_every_element_comes_so_many_times():
    x, y = tf.train.slice_input_producer([np.arange(7), 10 * np.arange(7)], num_epochs=3, shuffle=True)
    batches = run_all(tf.train.batch([x, y], 4, num_threads=3, allow_smaller_final_batch=True))
    xs = np.concatenate([b[0] for b in batches])
    assert sorted(xs) == sorted([*range(7)] * 3)
    assert all((b[1] == 10 * b[0]).all() for b in batches)


def test_the_rest_is_lost_unless_small_batches_are_allowed():
    x = tf.train.range_input_producer(10, num_epochs=1, shuffle=False).dequeue()
    assert np.array(run_all(tf.train.batch([x], 4))).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_shuffled_batches_are_a_permutation():
    x = tf.train.range_input_producer(50, num_epochs=1, shuffle=False).dequeue()
    out = run_all(tf.train.shuffle_batch([x], 5, capacity=40, min_after_dequeue=20, seed=1))
    values = np.concatenate(out).tolist()
    assert sorted(values) == list(range(50)) != values


def test_several_sources():
    sources = [[tf.train.range_input_producer(20, num_epochs=1).dequeue() + 100 * i] for i in range(3)]
    values = np.concatenate(run_all(tf.train.batch_join(sources, 5)))
    assert sorted(values) == sorted(i + 100 * k for k in range(3) for i in range(20))


def test_padding():
    n = tf.train.range_input_producer(4, num_epochs=1, shuffle=False).dequeue()
    row = tf.fill([n + 1], n)
    out = run_all(tf.train.batch([row], 4, dynamic_pad=True))
    assert out[0].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [2, 2, 2, 0], [3, 3, 3, 3]]


def test_only_some_are_kept():
    n = tf.train.range_input_producer(10, num_epochs=1, shuffle=False).dequeue()
    out = run_all(tf.train.maybe_batch([n], tf.equal(n % 2, 0), 2))
    assert np.array(out).tolist() == [[0, 2], [4, 6]]


def test_dicts_and_sparse_tensors():
    n = tf.train.range_input_producer(4, num_epochs=1, shuffle=False).dequeue()
    row = tf.SparseTensor([[0], [2]], tf.stack([n, n * 10]), [5])
    out = run_all(tf.train.batch({"n": n, "row": row}, 2))
    assert [b["n"].tolist() for b in out] == [[0, 1], [2, 3]]
    assert out[1]["row"].indices.tolist() == [[0, 0], [0, 2], [1, 0], [1, 2]]
    assert out[1]["row"].values.tolist() == [2, 20, 3, 30]
    assert out[1]["row"].dense_shape.tolist() == [2, 5]


def test_queues_feed_a_training_step():
    x, y = tf.train.slice_input_producer([np.eye(4, dtype=np.float32), np.arange(4)], seed=2)
    images, labels = tf.train.batch([x, y], 4)
    logits = tf.matmul(images, tf.Variable(tf.zeros([4, 4])))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        losses = [sess.run([loss, step])[0] for _ in range(30)]
        coord.request_stop()
        coord.join(threads, stop_grace_period_secs=20)
    assert losses[-1] < 0.3 < losses[0]


def failing(x):
    if x == 3:
        raise ZeroDivisionError("the third one is bad")
    return x


def test_an_error_reaches_the_main_thread_with_its_trace():
    n = tf.train.range_input_producer(10, shuffle=False).dequeue()
    batch = tf.train.batch([tf.py_func(failing, [n], tf.int32)], 2, shapes=[()])
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        while not coord.should_stop():
            with contextlib.suppress(tf.errors.OutOfRangeError):
                sess.run(batch)
        with pytest.raises(tf.errors.UnknownError, match="the third one is bad") as caught:
            coord.join(threads, stop_grace_period_secs=20)
    trace = "".join(traceback.format_exception(caught.value))
    assert "in failing" in trace
    assert "py_func" in str(caught.value).lower() or "PyFunc" in str(caught.value)


def test_without_a_coordinator_whoever_takes_gets_the_error():
    n = tf.train.range_input_producer(10, shuffle=False).dequeue()
    batch = tf.train.batch([tf.py_func(failing, [n], tf.int32)], 2, shapes=[()])
    old, threading.excepthook = threading.excepthook, lambda args: None
    try:
        with tf.Session() as sess:
            tf.train.start_queue_runners(sess)
            with pytest.raises(tf.errors.UnknownError, match="the third one is bad"):
                [sess.run(batch) for _ in range(5)]
    finally:
        threading.excepthook = old


def test_a_missing_file_stops_the_pipeline(tmp_path):
    names = tf.train.string_input_producer([str(tmp_path / "none")])
    _, value = tf.WholeFileReader().read(names)
    batch = tf.train.batch([value], 2)
    with tf.Session() as sess:
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(batch)
        with pytest.raises(tf.errors.NotFoundError, match="none"):
            coord.join(threads, stop_grace_period_secs=20)


def test_monitored_session():
    x = tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    batch = tf.train.batch([x], 2)
    tf.train.get_or_create_global_step()
    out = []
    with tf.train.MonitoredSession() as sess:
        while not sess.should_stop():
            out.append(sess.run(batch).tolist())
    assert out == [[0, 1], [2, 3], [4, 5]]


def test_runners_in_a_metagraph():
    x = tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    tf.train.batch([x], 2, name="out")
    meta = tf.train.export_meta_graph()
    with tf.Graph().as_default():
        tf.train.import_meta_graph(meta)
        runners = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)
        assert [r.name for r in runners] == ["input_producer", "out/fifo_queue"]
        assert len(run_all("out:0")) == 3


def test_names_of_files_are_found_once(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(name)
    files = tf.train.match_filenames_once(str(tmp_path / "*"))
    queue = tf.train.string_input_producer(files, num_epochs=1, shuffle=False)
    _, value = tf.WholeFileReader().read(queue)
    assert run_all(value) == [b"a", b"b"]


def test_names_of_files_are_there_for_programs_of_1_0(tmp_path):
    (tmp_path / "a").write_text("a")
    files = tf.train.match_filenames_once(str(tmp_path / "*"))
    assert files in tf.local_variables()
    assert files not in tf.global_variables()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(tf.size(files)) == 1


def test_errors_of_arguments():
    with pytest.raises(ValueError, match="non-null"):
        tf.train.string_input_producer([])
    with pytest.raises(ValueError, match="bigger than min_after_dequeue"):
        tf.train.shuffle_batch([1.0], 2, 5, 5)
    with pytest.raises(ValueError, match="num_epochs must be > 0"):
        tf.train.limit_epochs([1], 0)
    with pytest.raises(ValueError, match="Cannot infer Tensor's rank"):
        tf.train.batch([tf.placeholder(tf.float32)], 2)
    with pytest.raises(ValueError, match="No default session"):
        tf.train.start_queue_runners()


def test_threads_end_with_their_session():
    """A thread without a coordinator, between two steps when its session closes, leaves no error behind."""
    sess = tf.Session()
    queue = tf.FIFOQueue(8, tf.int64)

    def close():
        sess.close()
        return np.int64(1)

    runner = tf.train.QueueRunner(queue, [queue.enqueue(tf.py_func(close, [], tf.int64))])
    (thread,) = runner.create_threads(sess, daemon=True, start=True)
    thread.join(20)
    assert not thread.is_alive()
    assert not runner.exceptions_raised
    with pytest.raises(tf.errors.CancelledError, match="Session has been closed"):
        sess.make_callable(queue.size())()


def test_strings_are_decoded_at_one_length():
    """`fixed_length` is an argument of `tf.compat.v2`."""
    numbers = tf.io.decode_raw(["abc", "d", ""], tf.uint16, fixed_length=4)
    assert numbers.shape.as_list() == [3, 2]
    with tf.Session() as session:
        assert session.run(numbers).tolist() == [[0x6261, 0x63], [0x64, 0], [0, 0]]


def test_runners_of_the_sessions_graph_are_started():
    """Also while another graph is the default one."""
    graph = tf.Graph()
    with graph.as_default():
        batch = tf.train.batch([tf.constant(3.0)], 2)
    sess = tf.Session(graph=graph, config=tf.ConfigProto(operation_timeout_in_ms=20000))
    coord = tf.train.Coordinator()
    with tf.Graph().as_default():
        threads = tf.train.start_queue_runners(sess=sess, coord=coord)
    assert threads
    assert sess.run(batch).tolist() == [3.0, 3.0]
    coord.request_stop()
    coord.join(threads)
    sess.close()
