"""Checkpoints of both formats: TensorFlow's own (golden/record_checkpoints.py), ours, and damaged ones."""

import contextlib
import os
import pathlib
import shutil

import ml_dtypes
import numpy as np
import pytest

from thalweg._src.formats.bundle import BundleReader, BundleWriter, merge_bundles
from thalweg._src.formats.checkpoint import describe, open_checkpoint
from thalweg._src.formats.checkpoint_v1 import V1Reader, V1Writer
from thalweg._src.formats.errors import DataLoss, FormatError, InvalidArgument, NotFound, Unimplemented
from thalweg._src.formats.files import LOCAL
from thalweg._src.formats.slices import FULL
from thalweg._src.formats.types import ENUM_OF_NAME, NUMPY_OF_ENUM

GOLDEN = pathlib.Path(__file__).parent / "golden"
VERSIONS = ("0.12", "1.15", "2.21")
WHOLE = {
    "floats/a": ("float32", np.arange(6, dtype=np.float32).reshape(2, 3) / 4),
    "doubles/b": ("float64", np.array([1e-300, -2.5])),
    "scalar": ("int64", np.array(7)),
    "ints": ("int32", np.array([-1, 2**31 - 1, -(2**31)], np.int32)),
    "bytes": ("uint8", np.array([0, 255], np.uint8)),
    "small": ("int8", np.array([-128, 127], np.int8)),
    "flags": ("bool", np.array([True, False, True])),
    "complex": ("complex64", np.array([1 + 2j], np.complex64)),
    "half": ("float16", np.array([0.5, -65504], np.float16)),
    "empty": ("float32", np.zeros((0, 2), np.float32)),
    "strings": ("string", np.array([b"", b"abc", b"x\x00" * 100], object)),
}
PARTS = {((0, 2), (0, 2)): 2.0, ((2, 1), (0, 2)): 2.0}


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()


def tensors(version):
    return {name: (ENUM_OF_NAME[t], a) for name, (t, a) in WHOLE.items() if version == 2 or name != "half"}


def check(reader, version, extra=()):
    assert reader.names() == sorted([*tensors(version), "part/v", *extra])
    for name, (enum, array) in tensors(version).items():
        assert reader.entry(name) == (enum, array.shape, ())
        assert same(reader.read(name), array)
        assert name in reader
    assert set(reader.entry("part/v").slices) == set(PARTS)
    assert same(reader.read("part/v"), np.full((3, 2), 2, np.float32))
    assert same(reader.read("part/v", ((1, 2), FULL)), np.full((2, 2), 2, np.float32))
    assert same(reader.read("floats/a", (FULL, (1, 2))), WHOLE["floats/a"][1][:, 1:])
    assert "missing" not in reader
    with pytest.raises(NotFound, match="missing not found in checkpoint"):
        reader.read("missing")


def write(writer, version):
    for name, (enum, array) in tensors(version).items():
        writer.add(name, array, enum)
    for part, value in PARTS.items():
        writer.add_slice("part/v", (3, 2), part, np.full((part[0][1], 2), value, np.float32), 1)
    return writer


@pytest.mark.parametrize("version", VERSIONS)
def test_tensorflows_v2_is_read(version):
    with open_checkpoint(str(GOLDEN / f"v2-{version}.ckpt")) as reader:
        assert isinstance(reader, BundleReader)
        check(reader, 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_tensorflows_v1_is_read(version):
    with open_checkpoint(str(GOLDEN / f"v1-{version}.ckpt")) as reader:
        assert isinstance(reader, V1Reader)
        check(reader, 1)


def test_tensorflows_sharded_files_are_read():
    with open_checkpoint(str(GOLDEN / "v2-sharded-1.15.ckpt")) as reader:
        check(reader, 2, ["elsewhere"])
        assert same(reader.read("elsewhere"), np.arange(3, dtype=np.float64).astype(reader.read("elsewhere").dtype))
    shards = [str(GOLDEN / f"v1-sharded-1.15.ckpt-{i:05d}-of-00002") for i in range(2)]
    with open_checkpoint("v1-sharded", shards=shards) as reader:
        check(reader, 1, ["elsewhere"])
        assert reader.read("elsewhere").tolist() == [0, 1, 2]


def test_our_files_are_tensorflows(tmp_path):
    write(BundleWriter(str(tmp_path / "v2")), 2).finish()
    with BundleReader(str(tmp_path / "v2")) as ours, BundleReader(str(GOLDEN / "v2-1.15.ckpt")) as theirs:
        assert list(ours.entries()) == list(theirs.entries())
        assert describe(ours) == describe(theirs)
    write(V1Writer(str(tmp_path / "v1")), 1).finish()
    with V1Reader([str(tmp_path / "v1")]) as ours, V1Reader([str(GOLDEN / "v1-1.15.ckpt")]) as theirs:
        assert list(ours.entries()) == list(theirs.entries())
    for version in (1, 2):
        with open_checkpoint(str(tmp_path / f"v{version}")) as reader:
            check(reader, version)
    assert sorted(os.listdir(tmp_path)) == ["v1", "v2.data-00000-of-00001", "v2.index"]


def test_our_bytes_are_tensorflows(tmp_path):
    """Rewritten in the order that TensorFlow chose, each golden file comes out byte for byte."""
    for version in VERSIONS:
        golden = str(GOLDEN / f"v2-{version}.ckpt")
        with BundleReader(golden) as reader, BundleWriter(str(tmp_path / "v2")) as writer:
            copy_in_order(reader, writer, _v2_order(reader))
        for suffix in (".index", ".data-00000-of-00001"):
            assert (tmp_path / f"v2{suffix}").read_bytes() == pathlib.Path(golden + suffix).read_bytes()
        golden = str(GOLDEN / f"v1-{version}.ckpt")
        with V1Reader([golden]) as reader:
            writer = V1Writer(str(tmp_path / "v1"))
            copy_in_order(reader, writer, [(name, p) for name, e in reader._entries.items() for p in e.slices])
            writer.finish()
        assert (tmp_path / "v1").read_bytes() == pathlib.Path(golden).read_bytes()


def copy_in_order(reader, writer, order):
    for name, part in order:
        entry = reader.entry(name)
        if entry.slices:
            writer.add_slice(name, entry.shape, part, reader.read(name, part), entry.enum)
        else:
            writer.add(name, reader.read(name), entry.enum)


def _v2_order(reader):
    """The slices by their place in the data file; those of no bytes by name."""
    from thalweg._src.formats import slices

    places = []
    for name, entry in reader.entries():
        for part in entry.slices or [slices.full_slice(len(entry.shape))]:
            key = slices.slice_key(name, part) if entry.slices else name.encode()
            proto = reader._proto(key, reader._value(key))
            places.append(((proto.offset, proto.size, name), name, part))
    return [(name, part) for _, name, part in sorted(places)]


def test_what_is_told_of_a_checkpoint():
    with open_checkpoint(str(GOLDEN / "v2-1.15.ckpt")) as reader:
        told = describe(reader).splitlines()
    assert told[:3] == ["bytes (DT_UINT8) [2]", "complex (DT_COMPLEX64) [1]", "doubles/b (DT_DOUBLE) [2]"]
    assert "part/v (DT_FLOAT) [3,2], 2 slices" in told
    assert "scalar (DT_INT64) []" in told
    assert "half (DT_HALF) [2]" in told


@pytest.mark.parametrize("name", [n for n, e in ENUM_OF_NAME.items() if NUMPY_OF_ENUM[e].kind != "O"])
def test_every_type_returns(tmp_path, name):
    enum = ENUM_OF_NAME[name]
    array = np.array([[0, 1], [2, 3]]).astype(NUMPY_OF_ENUM[enum]).T  # not contiguous
    with BundleWriter(str(tmp_path / "v2")) as writer:
        writer.add("x", array, enum)
    assert same(read_all(str(tmp_path / "v2"), 2)["x"][1], array)
    writer = V1Writer(str(tmp_path / "v1"))
    if name in ("bfloat16", "uint32", "uint64"):
        with pytest.raises(Unimplemented, match=name):
            writer.add("x", array, enum)
        return
    writer.add("x", array, enum)
    writer.finish()
    assert same(read_all(str(tmp_path / "v1"), 1)["x"][1], array)


def read_all(path, version):
    with BundleReader(path) if version == 2 else V1Reader([path]) as reader:
        return {name: (entry, reader.read(name)) for name, entry in reader.entries()}


def equal(a, b):
    return a.keys() == b.keys() and all(a[n][0] == b[n][0] and same(a[n][1], b[n][1]) for n in a)


FILES = {"v2.index": 2, "v2.data-00000-of-00001": 2, "v1": 1}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small checkpoint of each format, what is in them, and a folder to damage copies in."""
    folder = tmp_path_factory.mktemp("small")
    array = np.arange(3, dtype=np.float32)
    for writer in (BundleWriter(str(folder / "v2")), V1Writer(str(folder / "v1"))):
        writer.add("a", array, 1)
        writer.add("s", np.array([b"xy", b"z"], object), 7)
        writer.add_slice("p", (4,), ((0, 2),), array[:2], 1)
        writer.add_slice("p", (4,), ((2, 2),), array[1:], 1)
        writer.finish()
    return folder, tmp_path_factory.mktemp("damaged")


@pytest.mark.parametrize("file", FILES)
def test_a_file_cut_anywhere_is_told(small, file):
    folder, damaged = small
    for name in FILES:
        shutil.copy(folder / name, damaged / name)
    good = (folder / file).read_bytes()
    version = FILES[file]
    for cut in range(len(good)):
        (damaged / file).write_bytes(good[:cut])
        with pytest.raises(DataLoss, match=file):
            read_all(str(damaged / f"v{version}"), version)


@pytest.mark.parametrize("file", FILES)
def test_a_changed_bit_never_changes_a_value(small, file):
    folder, damaged = small
    for name in FILES:
        shutil.copy(folder / name, damaged / name)
    good = (folder / file).read_bytes()
    version = FILES[file]
    expected = read_all(str(folder / f"v{version}"), version)
    footer = 8 * (len(good) - 48) if version == 1 or file.endswith("index") else 8 * len(good)
    for bit in range(8 * len(good)):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        (damaged / file).write_bytes(bytes(data))
        try:
            found = read_all(str(damaged / f"v{version}"), version)
        except FormatError as error:
            told = str(error)
        else:
            assert bit >= footer, f"bit {bit} is under a checksum"
            assert equal(found, expected)
            continue
        assert file in told


def test_a_bundle_of_the_other_byte_order_is_read(tmp_path):
    from thalweg._src.formats import crc, protos
    from thalweg._src.formats.table import TableWriter

    raw = np.array([1, 2**20], ">i4").tobytes()
    lengths = (2).to_bytes(4, "big") + (1).to_bytes(4, "big")
    foot = crc.masked(lengths).to_bytes(4, "big")
    strings = b"\x02\x01" + foot + b"abc"
    (tmp_path / "big.data-00000-of-00001").write_bytes(raw + strings)
    header = protos.BundleHeaderProto(num_shards=1, endianness=protos.BundleHeaderProto.BIG)
    numbers = protos.BundleEntryProto(dtype=3, size=8, crc32c=crc.masked(raw))
    numbers.shape.dim.add().size = 2
    texts = protos.BundleEntryProto(dtype=7, offset=8, size=9, crc32c=crc.masked(lengths + foot + b"abc"))
    texts.shape.dim.add().size = 2
    with (tmp_path / "big.index").open("wb") as stream:
        table = TableWriter(stream)
        for key, message in ((b"", header), (b"n", numbers), (b"t", texts)):
            table.add(key, message.SerializeToString())
        table.finish()
    with BundleReader(str(tmp_path / "big")) as reader:
        assert same(reader.read("n"), np.array([1, 2**20], np.int32))
        assert reader.read("t").tolist() == [b"ab", b"c"]


def test_bundles_are_merged_as_shards(tmp_path):
    for i in range(2):
        with BundleWriter(str(tmp_path / f"part{i}")) as writer:
            writer.add(f"x{i}", np.full(3, i, np.int32), 3)
            writer.add_slice("p", (2, 2), ((i, 1), FULL), np.full((1, 2), i, np.float32), 1)
    merge_bundles([str(tmp_path / f"part{i}") for i in range(2)], str(tmp_path / "all"))
    names = ["all.data-00000-of-00002", "all.data-00001-of-00002", "all.index"]
    assert sorted(os.listdir(tmp_path)) == names
    with BundleReader(str(tmp_path / "all")) as reader:
        assert reader.names() == ["p", "x0", "x1"]
        assert reader.read("p").tolist() == [[0, 0], [1, 1]]
        assert reader.read("x1").tolist() == [1, 1, 1]


def test_bundles_that_contradict_each_other_are_not_merged(tmp_path):
    for i in range(2):
        with BundleWriter(str(tmp_path / f"part{i}")) as writer:
            writer.add("x", np.zeros(3, np.int32), 3)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(InvalidArgument, match="Duplicate tensor keyed by x"):
        merge_bundles([str(tmp_path / f"part{i}") for i in range(2)], str(tmp_path / "all"))
    assert sorted(os.listdir(tmp_path)) == before


def test_a_failed_save_leaves_the_old_files(tmp_path):
    prefix = str(tmp_path / "model")
    with BundleWriter(prefix) as writer:
        writer.add("x", np.zeros(3, np.int32), 3)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(TypeError), BundleWriter(prefix) as writer:
        writer.add("y", np.ones(3, np.float64), 3)
    assert sorted(os.listdir(tmp_path)) == before
    assert read_all(prefix, 2)["x"][1].tolist() == [0, 0, 0]


class Unreliable(type(LOCAL)):
    """A file system whose operation number `last` and all after it fail: with an error, or with the end of the process."""

    def __init__(self, last, dies):
        self.left, self.error = last, Killed() if dies else OSError("disk full")
        self._streams = []

    def _count(self):
        self.left -= 1
        if self.left < 0 and (self.left == -1 or isinstance(self.error, Killed)):
            raise self.error

    def open(self, path, mode):
        self._count()
        stream = super().open(path, mode)
        self._streams.append(stream)
        return Stream(stream, self._count) if mode == "wb" else stream

    def close(self):
        for stream in self._streams:
            stream.close()

    def rename(self, source, target):
        self._count()
        super().rename(source, target)

    def remove(self, path):
        self._count()
        super().remove(path)


class Stream:
    """A file whose writes count. Half of one that fails is on the disk."""

    def __init__(self, stream, count):
        self._stream, self._count = stream, count

    def write(self, data):
        try:
            self._count()
        except BaseException:
            self._stream.write(bytes(data)[: len(data) // 2])
            self._stream.flush()
            raise
        return self._stream.write(data)

    def close(self):
        self._stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Killed(BaseException):
    pass


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("way", ["new", "over", "merged", "merged over", "v1"])
def test_whatever_fails_a_whole_checkpoint_stands(tmp_path, way, dies):
    """Every operation on files fails once, or is the last of the process: then the old or the new checkpoint is read."""
    prefix = str(tmp_path / "model")

    def write(path, value, files=LOCAL):
        writer = V1Writer(path, files) if way == "v1" else BundleWriter(path, files)
        try:
            for name in "ab":
                if "part" not in path or name == path[-1]:
                    writer.add(name, np.full(3, value, np.int32), 3)
            writer.finish()
        except Exception:
            getattr(writer, "abort", lambda: None)()
            raise

    def save(value, files):
        if "merged" not in way:
            return write(prefix, value, files)
        parts = [str(tmp_path / f"part-{name}") for name in "ab"]
        for part in parts:
            write(part, value)
        merge_bundles(parts, prefix, files)

    old = way in ("over", "merged over", "v1")
    for last in range(100):
        for path in tmp_path.iterdir():
            path.unlink()
        if old:
            save(1, LOCAL)
        stood = set(os.listdir(tmp_path))
        files = Unreliable(last, dies)
        with contextlib.suppress(OSError, Killed):
            save(2, files)
        files.close()
        if files.left >= 0:
            break
        left = {name for name in set(os.listdir(tmp_path)) - stood if "part" not in name}
        if old or (tmp_path / "model.index").exists():
            found = {
                name: set(array.tolist()) for name, (_, array) in read_all(prefix, 1 if way == "v1" else 2).items()
            }
            assert found["a"] == found["b"], last
            assert found["a"] in ({1}, {2})
            if found["a"] == {1} and not dies:
                assert left == set(), last
            save(3, LOCAL)
        elif not dies:
            assert left == set(), last
    assert 4 <= last < 99
    found = read_all(prefix, 1 if way == "v1" else 2)
    assert {name: set(array.tolist()) for name, (_, array) in found.items()} == {"a": {2}, "b": {2}}


@pytest.mark.parametrize("make", [BundleWriter, V1Writer])
def test_a_rename_that_fails_leaves_nothing_behind(tmp_path, make):
    class Full(type(LOCAL)):
        def rename(self, source, target):
            raise OSError("disk full")

    writer = make(str(tmp_path / "x"), files=Full())
    writer.add("x", np.zeros(3, np.int32), 3)
    with pytest.raises(OSError, match="disk full"):
        writer.finish()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("make", [BundleWriter, V1Writer])
def test_what_does_not_fit_is_told(tmp_path, make):
    writer = make(str(tmp_path / "x"))
    writer.add("x", np.zeros(3, np.int32), 3)
    with pytest.raises(InvalidArgument, match="duplicate key: x"):
        writer.add("x", np.zeros(3, np.int32), 3)
    with pytest.raises(TypeError, match="int32 can't be a tensor of float32"):
        writer.add("y", np.zeros(3, np.int32), 1)
    with pytest.raises(InvalidArgument, match="has shape"):
        writer.add_slice("p", (4,), ((0, 2),), np.zeros(3, np.int32), 3)
    writer.add_slice("p", (4,), ((0, 2),), np.zeros(2, np.int32), 3)
    with pytest.raises(InvalidArgument, match="differ in type or shape"):
        writer.add_slice("p", (5,), ((2, 2),), np.zeros(2, np.int32), 3)
    with pytest.raises(InvalidArgument, match="duplicate key"):
        writer.add_slice("p", (4,), ((0, 2),), np.zeros(2, np.int32), 3)
    with pytest.raises(Unimplemented, match="resource"):
        writer.add("r", np.array(None, object), ENUM_OF_NAME["resource"])
    writer.finish()
    with open_checkpoint(str(tmp_path / "x")) as reader:
        assert reader.names() == ["p", "x"]
        with pytest.raises(InvalidArgument, match="sufficient slices for partitioned tensor p"):
            reader.read("p")


def test_a_tensor_is_read_without_the_others(tmp_path):
    """Damage to one tensor's bytes is no reason not to read another."""
    with BundleWriter(str(tmp_path / "x")) as writer:
        writer.add("bad", np.zeros(3, np.int32), 3)
        writer.add("good", np.ones(3, ml_dtypes.bfloat16), ENUM_OF_NAME["bfloat16"])
    path = tmp_path / "x.data-00000-of-00001"
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    with BundleReader(str(tmp_path / "x")) as reader:
        assert reader.read("good").tolist() == [1, 1, 1]
        with pytest.raises(DataLoss, match="tensor bad: Checksum does not match"):
            reader.read("bad")


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_checkpoint(str(tmp_path / "none"))
