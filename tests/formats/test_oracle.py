"""Files of ours, read by the real TensorFlow of each version; skipped where there is none."""

import json

import numpy as np
import pytest

from thalweg._src.formats import checkpoint_state, protos
from thalweg._src.formats.bundle import BundleWriter
from thalweg._src.formats.checkpoint_v1 import V1Writer
from thalweg._src.formats.events import EventWriter
from thalweg._src.formats.records import RecordWriter
from thalweg._src.formats.slices import FULL

PROGRAM = """
import json, numpy as np, tensorflow
tf = tensorflow.compat.v1 if hasattr(getattr(tensorflow, "compat", None), "v1") else tensorflow
folder = {folder!r}
told = {{}}
if hasattr(tensorflow, "raw_ops"):
    def restore(prefix, names, specs, dtypes):
        return tensorflow.raw_ops.RestoreV2(prefix=prefix, tensor_names=names, shape_and_slices=specs, dtypes=dtypes)
else:
    from tensorflow.python.ops import gen_io_ops
    restore = getattr(gen_io_ops, "restore_v2", None) or gen_io_ops._restore_v2
for kind in ("v1", "v2", "many-v1", "many-v2"):
    reader = tf.train.NewCheckpointReader(folder + "/" + kind)
    shapes = reader.get_variable_to_shape_map()
    if kind.startswith("many"):
        told[kind] = [len(shapes), sum(int(reader.get_tensor(name)[0]) for name in shapes)]
    else:
        whole = {{n: np.asarray(reader.get_tensor(n)).tolist() for n in ("a", "n", "e")}}
        told[kind] = [whole, [s.decode("latin-1") for s in reader.get_tensor("s")]]
with tf.Graph().as_default(), tf.Session() as sess:
    for kind in ("v1", "v2"):
        restored = [restore(folder + "/" + kind, ["p"], [spec], [tf.float32])[0] for spec in ("4 2 1,2:-", "4 2 -:-")]
        told[kind + " slices"] = [x.tolist() for x in sess.run(restored)]
options = tf.python_io.TFRecordCompressionType
for name, kind in (("plain", options.NONE), ("gzip", options.GZIP), ("zlib", options.ZLIB)):
    iterator = tf.python_io.tf_record_iterator(folder + "/" + name, tf.python_io.TFRecordOptions(kind))
    told[name] = [len(record) for record in iterator]
told["events"] = [[e.file_version, e.step] for e in tf.train.summary_iterator(folder + "/events")]
told["latest"] = tf.train.latest_checkpoint(folder)[len(folder):]
print("TOLD " + json.dumps(told))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.12", "1.15", "2.21"])
def test_tensorflow_reads_our_files(oracle, tmp_path, version):
    values = {
        "a": (1, np.arange(6, dtype=np.float32).reshape(2, 3)),
        "n": (9, np.array([-(2**63), 5])),
        "e": (1, np.zeros((0, 2), np.float32)),
    }
    for kind in ("v1", "v2"):
        make = V1Writer if kind == "v1" else BundleWriter
        writer = make(str(tmp_path / kind))
        for name, (enum, array) in values.items():
            writer.add(name, array, enum)
        writer.add("s", np.array([b"", b"\x00\xff", b"x" * 300], object), 7)
        for i in range(2):
            writer.add_slice("p", (4, 2), ((2 * i, 2), FULL), np.full((2, 2), i, np.float32), 1)
        writer.finish()
        writer = make(str(tmp_path / f"many-{kind}"))
        for i in range(5000):
            writer.add(f"layer/with/a/long/name/of/its/own/{i * 7919 % 5000}/weights", np.full(20, i, np.int32), 3)
        writer.finish()
    for name, compression in (("plain", ""), ("gzip", "GZIP"), ("zlib", "ZLIB")):
        with (tmp_path / name).open("wb") as stream:
            records = RecordWriter(stream, compression=compression)
            for size in (0, 1, 100_000):
                records.write(bytes(size))
            records.close()
    with (tmp_path / "events").open("wb") as stream:
        events = EventWriter(stream, 3.0)
        events.write(protos.Event(step=4))
        events.close()
    state = protos.CheckpointState(model_checkpoint_path="v2", all_model_checkpoint_paths=["v1", "v2"])
    (tmp_path / "checkpoint").write_bytes(checkpoint_state.write_state(state))

    output = oracle(version, PROGRAM.format(folder=str(tmp_path)))
    (told,) = [json.loads(line[5:]) for line in output.splitlines() if line.startswith("TOLD ")]
    whole = {name: array.tolist() for name, (_, array) in values.items()}
    for kind in ("v1", "v2"):
        assert told[kind] == [whole, ["", "\x00\xff", "x" * 300]]
        assert told[f"{kind} slices"] == [[[0, 0], [1, 1]], [[0, 0], [0, 0], [1, 1], [1, 1]]]
        assert told[f"many-{kind}"] == [5000, 5000 * 4999 // 2]
    for name in ("plain", "gzip", "zlib"):
        assert told[name] == [0, 1, 100_000]
    assert told["events"] == [["brain.Event:2", 0], ["", 4]]
    assert told["latest"] == "/v2"
