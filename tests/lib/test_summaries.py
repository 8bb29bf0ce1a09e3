"""Summaries and event files against TensorFlow 1.15 (tests/oracle/summary_programs.py) and TensorBoard's reader."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from oracle.summary_programs import PROGRAMS

import thalweg as tf

GOLDEN = Path(__file__).parents[1] / "golden" / "summaries-1.15.json.gz"
RECORDED = json.loads(gzip.decompress(GOLDEN.read_bytes()))


def same(found, wanted, path):
    if isinstance(wanted, list):
        assert isinstance(found, list | tuple), path
        assert len(found) == len(wanted), path
        for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
            same(a, b, f"{path}[{i}]")
    elif isinstance(wanted, float) and not isinstance(found, str):
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-300), path
    else:
        assert found == wanted, path


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program_gives_what_tensorflow_gives(name, tmp_path):
    with tf.Graph().as_default():
        same(PROGRAMS[name](tf, np, str(tmp_path)), RECORDED[name], name)


def summary(tag, value):
    return tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=value)])


def steps(path):
    return [e.step for e in tf.train.summary_iterator(str(path))][1:]


# files


def test_tensorboard_reads_every_kind(tmp_path):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.summary.scalar("loss", 0.25)
        tf.summary.histogram("weights", np.arange(5.0))
        tf.summary.image("digit", np.ones([1, 2, 3, 1], np.float32))
        tf.summary.audio("tone", np.zeros([1, 8], np.float32), 8000.0)
        tf.summary.text("note", tf.constant("*word*"))
        merged = tf.summary.merge_all()
        with tf.summary.FileWriter(tmp_path, graph) as writer:
            metadata = tf.RunMetadata()
            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            writer.add_summary(session.run(merged, options=options, run_metadata=metadata), 7)
            writer.add_run_metadata(metadata, "step 7")
    found = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert found.Tags() == {
        "images": ["digit/image/0"],
        "audio": ["tone/audio/0"],
        "histograms": ["weights"],
        "scalars": ["loss"],
        "tensors": ["note"],
        "distributions": ["weights"],
        "graph": True,
        "meta_graph": True,
        "run_metadata": ["step 7"],
    }
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [(7, 0.25)]
    assert {n.name for n in found.Graph().node} == {o.name for o in graph.get_operations()}
    assert found.RunMetadata("step 7").step_stats.dev_stats
    assert found.Tensors("note")[0].tensor_proto.string_val[0] == b"*word*"


def test_events_are_on_the_disk_after_flush_and_close(tmp_path):
    with tf.Graph().as_default():
        writer = tf.summary.FileWriter(tmp_path, flush_secs=3600)
        for i in range(30):  # more than wait at a time
            writer.add_summary(summary("x", i), i)
        writer.flush()
        (path,) = tmp_path.iterdir()
        assert steps(path) == list(range(30))
        writer.add_summary(summary("x", 30), 30)
        writer.close()
        assert steps(path) == list(range(31))


def test_a_closed_writer_drops_events_and_reopens_with_another_file(tmp_path):
    with tf.Graph().as_default():
        writer = tf.summary.FileWriter(tmp_path)
        writer.add_summary(summary("x", 1), 1)
        writer.close()
        with pytest.warns(UserWarning, match="closed FileWriter"):
            writer.add_summary(summary("x", 2), 2)
        writer.reopen()
        writer.add_summary(summary("x", 3), 3)
        writer.close()
    assert [steps(p) for p in sorted(tmp_path.iterdir())] == [[1], [3]]


def test_names_of_files_end_as_asked(tmp_path):
    with tf.Graph().as_default():
        tf.summary.FileWriter(tmp_path, filename_suffix=".mine").close()
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    assert path.name.endswith(".mine")


def test_one_writer_for_each_folder(tmp_path):
    with tf.Graph().as_default():
        tf.no_op()
        a = tf.summary.FileWriterCache.get(str(tmp_path / "a"))
        assert tf.summary.FileWriterCache.get(str(tmp_path / "a")) is a
        assert tf.summary.FileWriterCache.get(str(tmp_path / "b")) is not a
        tf.summary.FileWriterCache.clear()
        assert tf.summary.FileWriterCache.get(str(tmp_path / "a")) is not a
        tf.summary.FileWriterCache.clear()


# what can't be


def test_a_folder_that_can_not_be_written_to(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with tf.Graph().as_default(), tf.Session() as session:
        with pytest.raises((tf.errors.FailedPreconditionError, tf.errors.AlreadyExistsError), match="file"):
            tf.summary.FileWriter(tmp_path / "file")
        writer = tf.contrib.summary.create_file_writer(str(tmp_path / "file" / "logs"))
        with pytest.raises(tf.errors.FailedPreconditionError, match="file"):
            session.run(writer.init())


def test_not_a_number_is_told_with_the_name_of_the_summary(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [2])
        with tf.name_scope("layer"):
            found = tf.summary.histogram("weights", x)
        with pytest.raises(tf.errors.InvalidArgumentError, match="Nan in summary histogram for: layer/weights"):
            session.run(found, {x: [1.0, np.nan]})
        assert session.run(found, {x: [1.0, 2.0]})


def test_a_database_is_refused():
    with pytest.raises(ValueError, match="user_name"):
        tf.contrib.summary.create_db_writer("file:x.sqlite", user_name="-hi")
    with pytest.raises(tf.errors.UnimplementedError, match="create_file_writer"):
        tf.contrib.summary.create_db_writer("file:x.sqlite", user_name="hi")


def test_a_folder_that_is_not_to_be_written(tmp_path):
    (tmp_path / "file").write_text("kept")
    folder = str(tmp_path / "file" / "logs")
    with pytest.raises(tf.errors.FailedPreconditionError, match="file/logs"):
        tf.summary.FileWriter(folder)
    with tf.Graph().as_default():
        tf.train.get_or_create_global_step()
        with pytest.raises(tf.errors.FailedPreconditionError, match="file/logs"):
            tf.train.MonitoredTrainingSession(checkpoint_dir=folder)
    assert (tmp_path / "file").read_text() == "kept"
