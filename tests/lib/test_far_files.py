"""Every reader of files, where fsspec reaches: its file system in memory stands for object stores."""

import gzip
import pathlib
import zlib

import pytest

import thalweg as tf

pytest.importorskip("fsspec")

ROOT = "memory://readers"
DATABASE = pathlib.Path(__file__).parents[1] / "formats" / "golden" / "database.mdb.gz"


@pytest.fixture(scope="module", autouse=True)
def files():
    def write(name, content):
        with tf.gfile.GFile(f"{ROOT}/{name}", "wb") as f:
            f.write(content)

    write("lines", b"one\ntwo\n")
    write("lines.gz", gzip.compress(b"one\ntwo\n"))
    write("fixed", b"hhaabb")
    write("fixed.z", zlib.compress(b"hhaabb"))
    write("table.csv", b"x,y\n1,a\n2,b\n")
    write("data.mdb", gzip.decompress(DATABASE.read_bytes()))
    for name, options in (("records", None), ("records.gz", tf.python_io.TFRecordOptions("GZIP"))):
        with tf.python_io.TFRecordWriter(f"{ROOT}/{name}", options) as writer:
            for record in (b"first", b"second"):
                writer.write(record)
    yield
    tf.gfile.DeleteRecursively(ROOT)


GZIP = tf.python_io.TFRecordOptions("GZIP")
READERS = {
    "lines": (lambda: tf.TextLineReader(), "lines", [b"one", b"two"]),
    "fixed": (lambda: tf.FixedLengthRecordReader(2, header_bytes=2), "fixed", [b"aa", b"bb"]),
    "fixed, zlib": (lambda: tf.FixedLengthRecordReader(2, 2, encoding="ZLIB"), "fixed.z", [b"aa", b"bb"]),
    "whole": (lambda: tf.WholeFileReader(), "lines", [b"one\ntwo\n"]),
    "records": (lambda: tf.TFRecordReader(), "records", [b"first", b"second"]),
    "records, gzip": (lambda: tf.TFRecordReader(options=GZIP), "records.gz", [b"first", b"second"]),
    "lmdb": (lambda: tf.LMDBReader(), "data.mdb", [b"", b"ab"]),
}


@pytest.mark.parametrize("kind", READERS)
def test_readers(kind):
    make, name, wanted = READERS[kind]
    queue = tf.FIFOQueue(1, tf.string, ())
    value = make().read(queue)[1]
    with tf.Session() as session:
        session.run(queue.enqueue(f"{ROOT}/{name}"))
        assert [session.run(value) for _ in wanted] == wanted


DATASETS = {
    "lines": (lambda: tf.data.TextLineDataset(f"{ROOT}/lines.gz", "GZIP"), [b"one", b"two"]),
    "fixed": (lambda: tf.data.FixedLengthRecordDataset(f"{ROOT}/fixed", 2, 2), [b"aa", b"bb"]),
    "records": (lambda: tf.data.TFRecordDataset(f"{ROOT}/records"), [b"first", b"second"]),
    "records, gzip": (lambda: tf.data.TFRecordDataset(f"{ROOT}/records.gz", "GZIP"), [b"first", b"second"]),
    "csv": (
        lambda: tf.data.experimental.CsvDataset(f"{ROOT}/table.csv", [tf.int32, tf.string], header=True),
        [(1, b"a"), (2, b"b")],
    ),
    "csv by name": (
        lambda: tf.data.experimental.make_csv_dataset(f"{ROOT}/*.csv", 2, num_epochs=1, shuffle=False).map(
            lambda row: row["y"]
        ),
        [[b"a", b"b"]],
    ),
    "names": (
        lambda: tf.data.Dataset.list_files(f"{ROOT}/lines*", shuffle=False).map(tf.read_file).take(1),
        [b"one\ntwo\n"],
    ),
    "lmdb": (lambda: tf.contrib.data.LMDBDataset(f"{ROOT}/data.mdb").take(1), [(b"0000", b"")]),
}


@pytest.mark.parametrize("kind", DATASETS)
def test_datasets(kind):
    make, wanted = DATASETS[kind]
    following = make().make_one_shot_iterator().get_next()
    with tf.Session() as session:
        found = [session.run(following) for _ in wanted]
    assert [list(x) if hasattr(x, "shape") and x.shape else x for x in found] == wanted


def test_record_input_and_matching():
    records = tf.contrib.framework.RecordInput(f"{ROOT}/records", batch_size=2).get_yield_op()
    names = tf.train.match_filenames_once(f"{ROOT}/records*")
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert sorted(session.run(records)) == [b"first", b"second"]
        assert [n.rsplit(b"/")[-1] for n in session.run(names)] == [b"records", b"records.gz"]


SAVERS = {
    "whole": {},
    "sharded": {"sharded": True},
    "format V1": {"write_version": tf.train.SaverDef.V1},
}


@pytest.mark.parametrize("kind", SAVERS)
def test_checkpoints(kind):
    folder = f"{ROOT}/saved {kind}"
    v = tf.Variable([1.0, 2.0], name="v")
    saver = tf.train.Saver(max_to_keep=1, **SAVERS[kind])
    with tf.Session() as session:
        session.run(v.initializer)
        for step in (1, 2):
            saver.save(session, f"{folder}/model", step)
        session.run(v.assign([0.0, 0.0]))
        saver.restore(session, tf.train.latest_checkpoint(folder))
        assert session.run(v).tolist() == [1.0, 2.0]
    assert tf.train.list_variables(folder) == [("v", [2])]
    names = {name.partition("-")[2].partition(".")[0].partition("-")[0] for name in tf.gfile.ListDirectory(folder)}
    assert names == {"", "2"}  # the file that names the latest one; nothing is left of the first


def test_a_training_session_saves_and_tells_far_away_and_goes_on():
    folder = f"{ROOT}/trained"
    for wanted in (3, 6):
        with tf.Graph().as_default():
            step = tf.train.get_or_create_global_step()
            add = tf.assign_add(step, 1)
            tf.summary.scalar("twice", 2 * step)
            with tf.train.MonitoredTrainingSession(checkpoint_dir=folder, save_summaries_steps=1) as session:
                for _ in range(3):
                    last = session.run(add)
        assert last == wanted
    events = [e for path in sorted(tf.gfile.Glob(f"{folder}/events*")) for e in tf.train.summary_iterator(path)]
    told = [v.simple_value for e in events for v in e.summary.value if v.tag == "twice"]
    assert len(told) == 6


def test_a_cache():
    numbers = tf.data.Dataset.range(3).cache(f"{ROOT}/cache/numbers")
    following = numbers.repeat(2).make_one_shot_iterator().get_next()
    with tf.Session() as session:
        assert [session.run(following) for _ in range(6)] == [0, 1, 2] * 2
    assert tf.gfile.Exists(f"{ROOT}/cache/numbers.index")
