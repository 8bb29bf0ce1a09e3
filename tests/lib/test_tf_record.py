"""TFRecord files and readers: bytes as TensorFlow's, damaged files, compressed ones, other file systems."""

import hashlib
import zlib

import pytest

import thalweg as tf

pytestmark = pytest.mark.timeout(60)
R = tf.python_io


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def numbers(count=3000):
    """Records of pseudo-random length and content, then a long one."""
    seed = 1
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        yield bytes((seed >> (j % 16)) & 255 for j in range(seed % 700))
    yield b"a" * 600000


# What TensorFlow 1.15 writes: the size of the file and its MD5.
WRITTEN = {
    "plain": (None, 1677144, "548d804fc01ec2c0fc7de1904c0107cb"),
    "gzip": ("GZIP", 78203, "cd81374f1fb34c0e6846c090875cc5ae"),
    "zlib": ("ZLIB", 78191, "2c6fda1219e40f0b3616e86368072a8c"),
    "best": (R.TFRecordOptions("ZLIB", compression_level=9), 78099, "a59dd98ffc3298a74d4c3c3c40a0588e"),
    "huffman": (
        R.TFRecordOptions("ZLIB", compression_strategy=zlib.Z_HUFFMAN_ONLY),
        1136132,
        "191d63e41eb3558b808e4f830c0bf5d0",
    ),
}


@pytest.mark.parametrize("which", WRITTEN)
def test_bytes_are_tensorflows(which, tmp_path):
    options, size, digest = WRITTEN[which]
    path = tmp_path / "records"
    with R.TFRecordWriter(path, options) as writer:
        for record in numbers():
            writer.write(record)
    data = path.read_bytes()
    if which == "plain" or zlib.ZLIB_RUNTIME_VERSION.startswith("1.2"):  # other versions of zlib compress otherwise
        assert (len(data), hashlib.md5(data, usedforsecurity=False).hexdigest()) == (size, digest)
    assert list(R.tf_record_iterator(path, options)) == list(numbers())


@pytest.mark.parametrize(("at", "what"), [(3, "corrupted record at 0"), (30, "corrupted record at")])
def test_damage_names_file_and_offset(at, what, tmp_path):
    path = tmp_path / "damaged"
    with R.TFRecordWriter(path) as writer:
        writer.write(b"one")
        writer.write(b"twotwo")
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(tf.errors.DataLossError, match=f"damaged: {what}"):
        list(R.tf_record_iterator(path))
    queue = tf.FIFOQueue(10, tf.string, ())
    value = tf.TFRecordReader().read(queue)[1]
    with tf.Session() as sess:
        sess.run(queue.enqueue(str(path)))
        steps = [lambda: sess.run(value)] * 3
        with pytest.raises(tf.errors.DataLossError, match=f"damaged: {what}"):
            [step() for step in steps]


def read_all(reader, *paths):
    """(key, value) of every record, the folder cut from the keys."""
    queue = tf.FIFOQueue(10, tf.string, ())
    record = reader.read(queue)
    out = []
    with tf.Session() as sess:
        sess.run(queue.enqueue_many([[str(p) for p in paths]]))
        sess.run(queue.close())
        try:
            while True:
                key, value = sess.run(record)
                out.append((key.rpartition(b"/")[2], value))
        except tf.errors.OutOfRangeError:
            return out


def test_keys_of_records(tmp_path):
    with R.TFRecordWriter(tmp_path / "r", "GZIP") as writer:
        writer.write(b"one")
        writer.write(b"three")
    assert read_all(tf.TFRecordReader(options=R.TFRecordOptions("GZIP")), tmp_path / "r") == [
        (b"r:0", b"one"),
        (b"r:19", b"three"),
    ]
    (tmp_path / "t").write_bytes(b"head\na\r\nb")
    assert read_all(tf.TextLineReader(1), tmp_path / "t") == [(b"t:2", b"a"), (b"t:3", b"b")]
    (tmp_path / "f").write_bytes(zlib.compress(b"hh123456f"))
    assert read_all(tf.FixedLengthRecordReader(2, 2, 1, encoding="ZLIB"), tmp_path / "f") == [
        (b"f:0", b"12"),
        (b"f:1", b"34"),
        (b"f:2", b"56"),
    ]


def test_a_truncated_file_gives_what_is_whole(tmp_path):
    with R.TFRecordWriter(tmp_path / "cut") as writer:
        for record in (b"one", b"two", b"three"):
            writer.write(record)
    data = (tmp_path / "cut").read_bytes()
    (tmp_path / "cut").write_bytes(data[:-2])
    queue = tf.FIFOQueue(10, tf.string, ())
    values = tf.TFRecordReader().read_up_to(queue, 10)[1]
    with tf.Session() as sess:
        sess.run(queue.enqueue(str(tmp_path / "cut")))
        assert sess.run(values).tolist() == [b"one", b"two"]
        with pytest.raises(tf.errors.DataLossError, match="cut: truncated record at 50"):
            sess.run(values)


def test_two_threads_share_a_reader(tmp_path):
    names = []
    for i in range(4):
        names.append(tmp_path / str(i))
        names[-1].write_text("".join(f"{i}.{j}\n" for j in range(50)))
    files = tf.train.string_input_producer([str(n) for n in names], num_epochs=1)
    value = tf.TextLineReader().read(files)[1]
    batch = tf.train.batch([value], 10, num_threads=3)
    with tf.Session() as sess:
        sess.run(tf.local_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        lines = [line for _ in range(20) for line in sess.run(batch)]
        coord.request_stop()
        coord.join(threads, stop_grace_period_secs=20)
    assert sorted(lines) == sorted(f"{i}.{j}".encode() for i in range(4) for j in range(50))


def test_files_of_fsspec():
    fsspec = pytest.importorskip("fsspec")
    with R.TFRecordWriter("memory://folder/records") as writer:
        writer.write(b"far away")
    assert list(R.tf_record_iterator("memory://folder/records")) == [b"far away"]
    assert read_all(tf.TFRecordReader(), "memory://folder/records") == [(b"records:0", b"far away")]
    with pytest.raises(tf.errors.UnimplementedError, match="scheme 'nowhere'"):
        list(R.tf_record_iterator("nowhere://file"))
    assert fsspec


def test_writer_states(tmp_path):
    writer = R.TFRecordWriter(tmp_path / "r")
    writer.write("text")
    writer.flush()
    assert list(R.tf_record_iterator(tmp_path / "r")) == [b"text"]
    writer.close()
    writer.close()
    with pytest.raises(tf.errors.FailedPreconditionError):
        writer.write(b"late")
    with pytest.raises(ValueError, match="compression_type"):
        R.TFRecordOptions("LZ4")
    with pytest.raises(tf.errors.NotFoundError, match="none"):
        list(R.tf_record_iterator(tmp_path / "none"))
    assert R.TFRecordOptions.get_compression_type_string(R.TFRecordOptions(R.TFRecordCompressionType.ZLIB)) == "ZLIB"


def test_files_under_tensorflows_names_far_away():
    pytest.importorskip("fsspec")
    gfile, root = tf.gfile, "memory://far"
    gfile.MakeDirs(f"{root}/a/b")
    with gfile.GFile(f"{root}/a/one.txt", "w") as f:
        f.write("first\nsecond\n")
    assert list(gfile.GFile(f"{root}/a/one.txt")) == ["first\n", "second\n"]
    assert gfile.Stat(f"{root}/a/one.txt").length == 13
    assert gfile.IsDirectory(f"{root}/a")
    assert not gfile.Exists(f"{root}/none")
    gfile.Copy(f"{root}/a/one.txt", f"{root}/a/two.txt")
    gfile.Rename(f"{root}/a/two.txt", f"{root}/a/three.txt")
    assert sorted(gfile.ListDirectory(f"{root}/a")) == ["b", "one.txt", "three.txt"]
    assert gfile.Glob(f"{root}/a/*.txt") == ["memory:///far/a/one.txt", "memory:///far/a/three.txt"]
    assert next(gfile.Walk(f"{root}/a")) == (f"{root}/a", ["b"], ["one.txt", "three.txt"])
    with pytest.raises(tf.errors.NotFoundError):
        gfile.Remove(f"{root}/none")
    with pytest.raises(tf.errors.AlreadyExistsError):
        gfile.Copy(f"{root}/a/one.txt", f"{root}/a/three.txt")
    with tf.Session() as sess:
        sess.run(tf.write_file(f"{root}/a/four.txt", "fourth"))
        assert sess.run(tf.read_file(f"{root}/a/four.txt")) == b"fourth"
        assert len(sess.run(tf.matching_files(f"{root}/a/*.txt"))) == 3
    gfile.DeleteRecursively(root)
    assert not gfile.Exists(f"{root}/a/one.txt")


def test_an_empty_name_is_the_folder_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tf.gfile.MakeDirs("")
    tf.gfile.MkDir("")
    assert tf.train.write_graph(tf.Graph().as_graph_def(), "", "g.pbtxt") == "g.pbtxt"
    assert (tmp_path / "g.pbtxt").exists()
