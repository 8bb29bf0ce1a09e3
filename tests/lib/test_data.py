"""tf.data beyond the values of elements: iterators of all kinds, errors, threads, files, checkpoints, graphs."""

import threading
import time

import numpy as np
import pytest

import thalweg as tf


def elements(dataset):
    """What a walk over `dataset` gives."""
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    out = []
    with tf.Session() as session:
        session.run(iterator.initializer)
        try:
            while True:
                out.append(session.run(following))
        except tf.errors.OutOfRangeError:
            return out


# -- iterators


def test_an_iterator_must_be_initialized():
    following = tf.data.Dataset.range(3).make_initializable_iterator().get_next()
    with tf.Session() as session, pytest.raises(tf.errors.FailedPreconditionError, match="not been initialized"):
        session.run(following)


def test_a_reinitializable_iterator_takes_datasets_of_its_structure():
    iterator = tf.data.Iterator.from_structure(tf.int64, [])
    following = iterator.get_next()
    one, other = (iterator.make_initializer(tf.data.Dataset.range(a, a + 2)) for a in (0, 10))
    with tf.Session() as session:
        for start, expected in ((one, [0, 1]), (other, [10, 11]), (one, [0, 1])):
            session.run(start)
            assert [session.run(following) for _ in range(2)] == expected
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(following)
    with pytest.raises(TypeError, match="output types"):
        iterator.make_initializer(tf.data.Dataset.from_tensors("text"))


def test_a_feedable_iterator_switches_between_others():
    handle = tf.placeholder(tf.string, [])
    following = tf.data.Iterator.from_string_handle(handle, tf.int64, []).get_next()
    once = tf.data.Dataset.range(100, 103).make_one_shot_iterator()
    again = tf.data.Dataset.range(3).make_initializable_iterator()
    with tf.Session() as session:
        session.run(again.initializer)
        a, b = session.run([once.string_handle(), again.string_handle()])
        assert [session.run(following, {handle: h}) for h in (a, b, b, a)] == [100, 0, 1, 101]
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(following, {handle: b"nothing"})


def test_structures_nest():
    dataset = tf.data.Dataset.from_tensor_slices({"a": ([1, 2], ["x", "y"]), "b": np.eye(2, dtype=np.float32)})
    assert dataset.output_types == {"a": (tf.int32, tf.string), "b": tf.float32}
    first = elements(dataset)[0]
    assert first["a"] == (1, b"x")
    np.testing.assert_array_equal(first["b"], [1, 0])


def test_a_one_shot_iterator_refuses_variables():
    v = tf.get_variable("v", [], use_resource=True)
    with pytest.raises(ValueError, match="make_initializable_iterator"):
        tf.data.Dataset.range(3).map(lambda x: tf.cast(x, tf.float32) + v).make_one_shot_iterator()


def test_get_next_feeds_a_compiled_step_without_compiling_again():
    from thalweg._src.compiler import lower

    dataset = tf.data.Dataset.from_tensor_slices(np.ones((64, 5), np.float32)).repeat().batch(16)
    w = tf.Variable(tf.zeros([5, 1]))
    loss = tf.reduce_mean(tf.square(tf.matmul(dataset.make_one_shot_iterator().get_next(), w) - 1))
    step = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step)
        told = []
        lower.on_compile.append(lambda *facts: told.append(facts))
        try:
            for _ in range(30):
                session.run(step)
        finally:
            lower.on_compile.pop()
        assert not told
        assert session.run(loss) < 1e-3


# -- functions


def test_a_variable_is_read_by_every_call():
    v = tf.get_variable("v", initializer=1, use_resource=True)
    iterator = tf.data.Dataset.range(5).map(lambda x: tf.cast(x, tf.int32) * v).make_initializable_iterator()
    following, double = iterator.get_next(), v.assign(v * 2)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(iterator.initializer)
        seen = []
        for _ in range(4):
            seen.append(session.run(following))
            session.run(double)
    assert seen == [0, 2, 8, 24]


def test_a_function_changes_a_variable():
    v = tf.get_variable("v", initializer=0, use_resource=True)
    iterator = tf.data.Dataset.range(5).map(lambda _: v.assign_add(1)).make_initializable_iterator()
    following = iterator.get_next()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(iterator.initializer)
        assert [session.run(following) for _ in range(3)] == [1, 2, 3]
        assert session.run(v) == 3


def test_tables_and_strings():
    table = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(["cat", "dog"], np.array([0, 1])), 1)
    dataset = tf.data.Dataset.from_tensor_slices(["a dog", "no cat"]).map(
        lambda s: table.lookup(tf.string_split([s]).values)
    )
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    with tf.Session() as session:
        session.run([iterator.initializer, tf.tables_initializer()])
        assert [session.run(following).tolist() for _ in range(2)] == [[2, 1], [2, 0]]


def test_errors_are_raised_where_they_happen_and_the_walk_goes_on():
    bad = np.array([1.0, 0.0, 2.0], np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(bad).map(lambda x: tf.check_numerics(1 / x, "one by zero"))
    for whole in (dataset, dataset.prefetch(2), dataset.map(lambda x: x, num_parallel_calls=2)):
        iterator = whole.make_initializable_iterator()
        following = iterator.get_next()
        with tf.Session() as session:
            session.run(iterator.initializer)
            assert session.run(following) == 1
            with pytest.raises(tf.errors.InvalidArgumentError, match="one by zero"):
                session.run(following)
            assert session.run(following) == 0.5
    assert elements(dataset.apply(tf.data.experimental.ignore_errors())) == [1, 0.5]


def test_batches_need_one_shape():
    dataset = tf.data.Dataset.range(1, 3).map(lambda n: tf.fill([n], n)).batch(2)
    iterator = dataset.make_initializable_iterator()
    with tf.Session() as session:
        session.run(iterator.initializer)
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"First element had shape \[1\] and element 1 had shape \[2\]"
        ):
            session.run(iterator.get_next())


def test_a_generator_runs_anew_for_each_walk_and_tells_what_is_wrong():
    dataset = tf.data.Dataset.from_generator(lambda n: iter(range(n)), tf.int64, [], args=[3])
    assert elements(dataset.repeat(2)) == [0, 1, 2, 0, 1, 2]
    wrong = tf.data.Dataset.from_generator(lambda: iter(["text"]), tf.int64)
    iterator = wrong.make_initializable_iterator()
    with tf.Session() as session:
        session.run(iterator.initializer)
        with pytest.raises(tf.errors.InvalidArgumentError, match="could not be converted"):
            session.run(iterator.get_next())


# -- threads


def test_parallel_calls_run_at_once():
    meet = threading.Barrier(3, timeout=20)

    def wait(x):
        meet.wait()
        return x

    dataset = tf.data.Dataset.range(6).map(lambda x: tf.py_func(wait, [x], tf.int64), num_parallel_calls=3)
    assert elements(dataset) == list(range(6))


def test_prefetch_works_ahead():
    made = []

    def note(x):
        made.append(int(x))
        return x

    iterator = (
        tf.data.Dataset.range(100)
        .map(lambda x: tf.py_func(note, [x], tf.int64))
        .prefetch(5)
        .make_initializable_iterator()
    )
    with tf.Session() as session:
        session.run(iterator.initializer)
        session.run(iterator.get_next())
        for _ in range(200):
            if len(made) >= 6:
                break
            time.sleep(0.01)
        assert 6 <= len(made) <= 8


def test_a_closed_session_ends_what_waits():
    queue = tf.FIFOQueue(3, tf.int64, [])
    for calls in (None, 2):
        dataset = tf.data.Dataset.range(1).map(lambda _: queue.dequeue(), num_parallel_calls=calls)
        iterator = dataset.make_initializable_iterator()
        following = iterator.get_next()
        session = tf.Session()
        session.run(iterator.initializer)
        raised = []

        def run(session=session, following=following, raised=raised):
            with pytest.raises(tf.errors.CancelledError):
                session.run(following)
            raised.append(True)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        time.sleep(0.2)
        session.close()
        thread.join(20)
        assert raised


# -- files


def test_lines_and_records(tmp_path):
    text = tmp_path / "lines"
    text.write_bytes(b"one\r\ntwo\n\nlast")
    assert elements(tf.data.TextLineDataset(str(text))) == [b"one", b"two", b"", b"last"]
    fixed = tmp_path / "fixed"
    fixed.write_bytes(b"HEADaabbccFOOT")
    assert elements(tf.data.FixedLengthRecordDataset(str(fixed), 2, 4, 4)) == [b"aa", b"bb", b"cc"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not an exact multiple"):
        elements(tf.data.FixedLengthRecordDataset(str(fixed), 4, 4, 4))


@pytest.mark.parametrize("kind", ["", "GZIP", "ZLIB"])
def test_tfrecords(tmp_path, kind):
    names = []
    for i in range(3):
        names.append(str(tmp_path / f"{kind}{i}"))
        options = tf.python_io.TFRecordOptions(getattr(tf.python_io.TFRecordCompressionType, kind or "NONE"))
        with tf.python_io.TFRecordWriter(names[-1], options) as writer:
            for j in range(2):
                writer.write(f"{i}{j}".encode())
    whole = [b"00", b"01", b"10", b"11", b"20", b"21"]
    assert elements(tf.data.TFRecordDataset(names, kind)) == whole
    assert sorted(elements(tf.data.TFRecordDataset(names, kind, num_parallel_reads=3))) == whole


def test_a_damaged_record_names_the_file_and_can_be_passed_over(tmp_path):
    names = [str(tmp_path / n) for n in "ab"]
    for name in names:
        with tf.python_io.TFRecordWriter(name) as writer:
            writer.write(b"first")
            writer.write(b"second")
    data = bytearray((tmp_path / "a").read_bytes())
    data[14] ^= 1
    (tmp_path / "a").write_bytes(bytes(data))
    dataset = tf.data.TFRecordDataset(names)
    iterator = dataset.make_initializable_iterator()
    with tf.Session() as session:
        session.run(iterator.initializer)
        with pytest.raises(tf.errors.DataLossError, match="corrupted record at 12"):
            session.run(iterator.get_next())
    assert elements(dataset.apply(tf.data.experimental.ignore_errors())) == [b"first", b"second"]
    with pytest.raises(tf.errors.NotFoundError):
        elements(tf.data.TFRecordDataset(str(tmp_path / "none")))


def test_csv(tmp_path):
    name = tmp_path / "table.csv"
    name.write_text('x,label,text\n1.5,1,"a ""b"",c"\n,0,d\n3,1,"two\nlines"\n')
    columns = tf.data.experimental.CsvDataset(str(name), [[0.0], tf.int32, [""]], header=True)
    assert elements(columns) == [(1.5, 1, b'a "b",c'), (0.0, 0, b"d"), (3.0, 1, b"two\nlines")]
    batches = tf.data.experimental.make_csv_dataset(str(name), 3, label_name="label", num_epochs=1, shuffle=False)
    ((features, labels),) = elements(batches)
    np.testing.assert_array_equal(labels, [1, 0, 1])
    np.testing.assert_array_equal(features["x"], [1.5, 0, 3])
    assert features["text"].tolist() == [b'a "b",c', b"d", b"two\nlines"]


def test_a_file_cache_outlives_the_session(tmp_path):
    calls = []

    def note(x):
        calls.append(x)
        return x

    for _ in range(2):
        dataset = tf.data.Dataset.range(4).map(lambda x: (tf.py_func(note, [x], tf.int64), tf.as_string(x)))
        got = elements(dataset.cache(str(tmp_path / "cache")))
        assert got == [(i, str(i).encode()) for i in range(4)]
    assert len(calls) == 4


def test_list_files(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(name)
    dataset = tf.data.Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert [e.rsplit(b"/")[-1] for e in elements(dataset)] == [b"a.txt", b"b.txt", b"c.txt"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="No files matched"):
        elements(tf.data.Dataset.list_files(str(tmp_path / "*.png")))


# -- graphs and checkpoints


def test_an_iterator_goes_on_from_a_checkpoint(tmp_path):
    def build():
        dataset = tf.data.Dataset.range(20).shuffle(10).repeat(2)
        iterator = dataset.make_initializable_iterator()
        saver = tf.train.Saver([tf.data.experimental.make_saveable_from_iterator(iterator)])
        return iterator, iterator.get_next(), saver

    with tf.Graph().as_default():
        iterator, following, saver = build()
        with tf.Session() as session:
            session.run(iterator.initializer)
            for _ in range(25):
                session.run(following)
            saver.save(session, str(tmp_path / "state"))
            rest = [session.run(following) for _ in range(15)]
    with tf.Graph().as_default():
        iterator, following, saver = build()
        with tf.Session() as session:
            session.run(iterator.initializer)
            saver.restore(session, str(tmp_path / "state"))
            assert [session.run(following) for _ in range(15)] == rest


def test_a_graph_with_a_dataset_is_exported_and_imported():
    with tf.Graph().as_default() as graph:
        dataset = (
            tf.data.Dataset.range(6)
            .filter(lambda x: x > 1)
            .flat_map(lambda x: tf.data.Dataset.from_tensors(x).repeat(2).map(lambda y: y * x))
        )
        iterator = dataset.batch(3).make_initializable_iterator()
        names = iterator.initializer.name, iterator.get_next().name
        definition = tf.GraphDef.FromString(graph.as_graph_def().SerializeToString())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        with tf.Session() as session:
            session.run(names[0])
            assert [session.run(names[1]).tolist() for _ in range(3)] == [[4, 4, 9], [9, 16, 16], [25, 25]]


def test_options_merge():
    a, b = tf.data.Options(), tf.data.Options()
    a.experimental_deterministic = True
    b.experimental_threading.private_threadpool_size = 4
    merged = tf.data.Dataset.range(2).with_options(a).with_options(b).options()
    assert merged.experimental_deterministic is True
    assert merged.experimental_threading.private_threadpool_size == 4
    b.experimental_deterministic = False
    with pytest.raises(ValueError, match="incompatible"):
        a.merge(b)
    with pytest.raises(TypeError):
        a.experimental_deterministic = 1


def test_what_a_generator_gives_becomes_the_type_that_was_announced():
    def numbers():
        yield np.array([1.0, 2.0])
        yield np.array([3], np.int64)
        yield [True]

    with tf.Graph().as_default(), tf.Session() as sess:
        element = tf.data.Dataset.from_generator(numbers, tf.int32).make_one_shot_iterator().get_next()
        assert [sess.run(element).tolist() for _ in range(3)] == [[1, 2], [3], [1]]
        bad = tf.data.Dataset.from_generator(lambda: iter(["a"]), tf.int32).make_one_shot_iterator().get_next()
        with pytest.raises(tf.errors.InvalidArgumentError, match="could not be converted to the expected type"):
            sess.run(bad)


def test_a_sparse_spec_of_arrays_gives_a_value():
    spec = tf.SparseTensorSpec([100], tf.float32)
    parts = [np.array([[0], [8]]), np.array([1.0, 9.0], np.float32), np.array([100])]
    value = spec._from_components(parts)
    assert isinstance(value, tf.SparseTensorValue)
    assert value.values.tolist() == [1.0, 9.0]
    assert isinstance(spec._from_components([tf.constant(p) for p in parts]), tf.SparseTensor)


def test_an_iterator_of_another_device_is_refused():
    with tf.Graph().as_default():
        with tf.device("/cpu:1"):
            handle = tf.data.make_one_shot_iterator(tf.data.Dataset.range(3)).string_handle()
            there = tf.data.Iterator.from_string_handle(handle, tf.int64, []).get_next()
        with tf.device("/cpu:0"):
            here = tf.data.Iterator.from_string_handle(handle, tf.int64, []).get_next()
        with tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as session:
            assert session.run(there) == 0
            with pytest.raises(tf.errors.InvalidArgumentError, match="from handle defined on device"):
                session.run(here)


def test_a_shard_that_can_not_be_is_told_when_it_is_made():
    numbers = tf.data.Dataset.range(10)
    for count, index in ((0, 0), (-1, 1), (3, 3), (3, -1)):
        for kind in (ValueError, tf.errors.InvalidArgumentError):  # until 1.13, and since
            with pytest.raises(kind, match=f"= {count if count < 1 else index}"):
                numbers.shard(count, index)
    count = tf.placeholder_with_default(tf.constant(2, tf.int64), [])
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="index = 4"):
        session.run(numbers.shard(count, 4).make_initializable_iterator().initializer)


def test_methods_of_the_first_data_sets():
    ragged = tf.contrib.data.Dataset.range(4).map(lambda n: tf.fill([n], n))
    assert [x.indices.tolist() for x in elements(ragged.dense_to_sparse_batch(2, [5]))] == [
        [[1, 0]],
        [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]],
    ]
    numbers = tf.contrib.data.Dataset.range(6)
    checked = numbers.map(lambda n: tf.check_numerics(1.0 / tf.to_float(n - 3), "three")).ignore_errors()
    assert len(elements(checked)) == 5
    windows = numbers.group_by_window(lambda n: n % 2, lambda key, window: window.batch(3), 3)
    assert [x.tolist() for x in elements(windows)] == [[0, 2, 4], [1, 3, 5]]
