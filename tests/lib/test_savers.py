"""Savers: files of TensorFlow and for TensorFlow, which checkpoints stay, and what is told when something does not fit."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf
import thalweg.safetensors

FOLDER = Path(__file__).parents[1] / "golden" / "savers"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def plain(value):
    value = np.asarray(value)
    return [v.decode() for v in value] if value.dtype == object else value.tolist()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_training_of_tensorflow_goes_on(name, tmp_path):
    """Its MetaGraph is imported, its checkpoint restored bit for bit, a step taken; what we save of it comes back the same."""
    saver = tf.train.import_meta_graph(str(FOLDER / f"{name}.meta"))
    variables = {v.name: v for v in tf.global_variables()}
    saved, after = EXPECTED[name]
    assert variables.keys() == saved.keys()
    with tf.Session() as session:
        saver.restore(session, str(FOLDER / name))
        values = session.run(variables)
        assert {n: plain(v) for n, v in values.items()} == saved
        path = saver.save(session, str(tmp_path / "again"))
        session.run(tf.get_collection("to_run"), {"x:0": [1.0, 2.0]})
        for n, value in session.run(variables).items():
            if value.dtype == object:
                assert plain(value) == after[n]
            else:
                np.testing.assert_allclose(value, after[n], rtol=2e-6, atol=2e-6, err_msg=n)
        saver.restore(session, path)
        assert {n: plain(v) for n, v in session.run(variables).items()} == saved
    reader = tf.train.NewCheckpointReader(path)
    assert sorted(reader.get_variable_to_shape_map()) == [n for n, _ in tf.train.list_variables(str(FOLDER / name))]


READS = """
import json, tensorflow
tf = getattr(getattr(tensorflow, "compat", None), "v1", tensorflow)
told = {{}}
for name in {names!r}:
    with tf.Graph().as_default(), tf.Session() as sess:
        saver = tf.train.import_meta_graph({folder!r} + "/" + name + ".meta")
        saver.restore(sess, {folder!r} + "/" + name)
        variables = getattr(tf, "global_variables")()
        told[name] = [[[v.name, float(sess.run(v).sum()).hex()] for v in variables]]
        sess.run(tf.get_collection("to_run"), {{"x:0": [1.0, 2.0]}})
        told[name].append([[v.name, float(sess.run(v).sum()).hex()] for v in variables])
print("TOLD " + json.dumps(told))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.15", "2.21"])
def test_tensorflow_goes_on_with_a_training_of_ours(oracle, tmp_path, version):
    """Checkpoints V1 and V2, sharded too, and the graph that trains: restored there bit for bit, and it takes the same step."""
    x = tf.placeholder(tf.float32, [2], name="x")
    w = tf.get_variable("w", initializer=tf.constant([[0.5, -1.0], [2.0, 0.25]]), use_resource=True)
    step = tf.train.get_or_create_global_step()
    loss = tf.reduce_sum(tf.square(tf.tensordot(x, w, 1) - 1.0))
    tf.add_to_collection("to_run", tf.train.AdamOptimizer(0.1).minimize(loss, global_step=step))
    variables, feed = tf.global_variables(), {x: [1.0, 2.0]}
    savers = {"v1": {"write_version": 1}, "v2": {}, "sharded": {"sharded": True}}
    savers = {name: tf.train.Saver(**options) for name, options in savers.items()}

    def sums(session):
        return [[v.name, float(value.sum()).hex()] for v, value in zip(variables, session.run(variables), strict=True)]

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(tf.get_collection("to_run"), feed)
        for name, saver in savers.items():
            saver.save(session, str(tmp_path / name))
        saved = sums(session)
        session.run(tf.get_collection("to_run"), feed)
        after = dict(sums(session))
    output = oracle(version, READS.format(names=list(savers), folder=str(tmp_path)))
    (told,) = [json.loads(line[5:]) for line in output.splitlines() if line.startswith("TOLD ")]
    for name in savers:
        assert sorted(told[name][0]) == sorted(saved)
        for n, value in told[name][1]:
            assert float.fromhex(value) == pytest.approx(float.fromhex(after[n]), rel=1e-6)


@pytest.fixture
def model(tmp_path):
    """(session, saver, path of a checkpoint) of two variables, `a` of shape [2] and `b` of shape [3]."""
    tf.Variable([1.0, 2.0], name="a"), tf.get_variable("b", initializer=tf.ones([3]), use_resource=True)
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        yield session, saver, saver.save(session, str(tmp_path / "model"))


def test_the_latest_stay(model, tmp_path, monkeypatch):
    session = model[0]
    saver = tf.train.Saver(max_to_keep=2, keep_checkpoint_every_n_hours=1)
    now = [tf._src.lib.saver.time.time()]
    monkeypatch.setattr(tf._src.lib.saver.time, "time", lambda: now[0])
    folder = tmp_path / "kept"
    folder.mkdir()
    for step in range(1, 8):
        now[0] += 1500  # 25 minutes
        saver.save(session, str(folder / "m"), global_step=step, write_meta_graph=step % 2 == 0)
    assert [os.path.basename(p) for p in saver.last_checkpoints] == ["m-6", "m-7"]
    kept = sorted(p.name[: -len(".index")] for p in folder.glob("*.index"))
    assert kept == ["m-3", "m-5", "m-6", "m-7"]  # one for each hour, and the last two
    assert sorted(p.name for p in folder.glob("*.meta")) == ["m-6.meta"]
    again = tf.train.Saver(max_to_keep=2)
    again.recover_last_checkpoints(tf.train.get_checkpoint_state(str(folder)).all_model_checkpoint_paths)
    again.save(session, str(folder / "m"), global_step=8)
    assert not (folder / "m-6.index").exists()
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "m-8")


def test_a_folder_with_relative_paths_can_move(model, tmp_path):
    session = model[0]
    saver = tf.train.Saver(save_relative_paths=True)
    (tmp_path / "here").mkdir()
    saver.save(session, str(tmp_path / "here" / "m"), global_step=1)
    (tmp_path / "here").rename(tmp_path / "there")
    saver.restore(session, tf.train.latest_checkpoint(str(tmp_path / "there")))


def other_graph(build):
    graph = tf.Graph()
    with graph.as_default():
        variables = build()
        return graph, variables, tf.train.Saver(variables)


@pytest.mark.parametrize(
    ("build", "error", "told"),
    [
        (
            lambda: [tf.Variable([0.0, 0.0], name="a"), tf.Variable(0.0, name="c")],
            tf.errors.NotFoundError,
            "c not found",
        ),
        (
            lambda: [tf.Variable([0.0, 0.0], name="a"), tf.Variable([0.0], name="b")],
            tf.errors.InvalidArgumentError,
            r"\[1\].*\[3\].*'b'",
        ),
        (
            lambda: [tf.Variable([0.0, 0.0], name="a"), tf.Variable([1, 2, 3], name="b")],
            tf.errors.InvalidArgumentError,
            "tensor_name = b.*int32",
        ),
    ],
    ids=["missing", "shape", "type"],
)
def test_a_checkpoint_of_another_model_changes_nothing(model, build, error, told):
    graph, variables, saver = other_graph(build)
    with tf.Session(graph=graph) as session:
        session.run([v.initializer for v in variables])
        with pytest.raises(error, match=f"(?s)Restoring from checkpoint failed.*{told}"):
            saver.restore(session, model[2])
        assert plain(session.run(variables[0])) == [0.0, 0.0]


def test_part_of_a_checkpoint(model):
    """By a list, under other names, and as initializers."""
    graph, (a, _), _ = other_graph(lambda: [tf.Variable([0.0, 0.0], name="a"), tf.Variable([5.0], name="mine")])
    with tf.Session(graph=graph) as session, graph.as_default():
        c = tf.get_variable("scope/c", [3])
        session.run(tf.global_variables_initializer())
        tf.train.Saver([a]).restore(session, model[2])
        tf.train.Saver({"b": c}).restore(session, model[2])
        assert [plain(v) for v in session.run([a, c])] == [[1.0, 2.0], [1.0, 1.0, 1.0]]
        tf.train.init_from_checkpoint(model[2], {"b": "scope/c"})
        session.run([c.assign([9.0, 9.0, 9.0])])
        session.run(c.initializer)
        assert plain(session.run(c)) == [1.0, 1.0, 1.0]


def test_nothing_to_save(model, tmp_path):
    with tf.Graph().as_default() as graph, tf.Session() as session:
        with pytest.raises(ValueError, match="No variables to save"):
            tf.train.Saver()
        saver = tf.train.Saver(allow_empty=True)
        assert saver.save(session, str(tmp_path / "empty"), write_meta_graph=False) is None
        assert not (tmp_path / "empty.index").exists()
        assert graph.get_operations() == []


def test_folders_that_can_not_be_written(model, tmp_path):
    session, saver, path = model
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ValueError, match="Parent directory of .*/no/such/m doesn't exist"):
        saver.save(session, str(tmp_path / "no" / "such" / "m"))
    with pytest.raises(ValueError, match="doesn't exist, can't save"):
        saver.save(session, str(tmp_path / "checkpoint" / "m"))
    assert sorted(os.listdir(tmp_path)) == before
    saver.restore(session, path)
    with pytest.raises(ValueError, match="not a valid checkpoint"):
        saver.restore(session, str(tmp_path / "gone"))


@pytest.mark.parametrize("options", [{}, {"sharded": True}, {"write_version": 1}], ids=["v2", "sharded", "v1"])
def test_a_full_disk(model, tmp_path, options, monkeypatch):
    """The limit on file sizes stands for it: an error that says so, no half file, and what was saved stands."""
    resource = pytest.importorskip("resource")
    session = model[0]
    big = tf.Variable(tf.zeros([40000]), name="big")
    with tf.device("/cpu:0"):
        small = tf.Variable(1.0, name="a_shard_of_its_own")
    session.run([big.initializer, small.initializer])
    saver = tf.train.Saver([big, small], **options)
    path = saver.save(session, str(tmp_path / "big"))
    before = sorted(os.listdir(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        for name in ("big", "new"):
            with pytest.raises(
                tf.errors.ResourceExhaustedError, match=rf"{name}.*(?s:.*)Nothing of the checkpoint .*{name} was kept"
            ):
                saver.save(session, str(tmp_path / name))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(os.listdir(tmp_path)) == before
    saver.restore(session, path)


def test_damage_is_named(model, tmp_path):
    session, saver, path = model
    data = Path(path + ".data-00000-of-00001")
    whole = data.read_bytes()
    data.write_bytes(whole[:9] + bytes([whole[9] ^ 4]) + whole[10:])
    with pytest.raises(tf.errors.DataLossError, match=r"model\.data-00000-of-00001.*(?s:.*)b"):
        saver.restore(session, path)
    data.write_bytes(whole[:-3])
    with pytest.raises(tf.errors.DataLossError, match=r"model\.data-00000-of-00001"):
        saver.restore(session, path)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.train.GradientDescentOptimizer(float("nan")),
        lambda: tf.train.AdamOptimizer(np.float32("inf")),
        lambda: tf.train.MomentumOptimizer(0.1, tf.constant(float("nan"))),
        lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=float("inf")),
    ],
)
def test_rates_that_are_not_finite(make):
    v = tf.Variable(1.0)
    with pytest.raises(ValueError, match=r"The (learning_rate|momentum|l1_\w+) of \w+ is (nan|inf).*finite"):
        make().minimize(v * v)


def test_safetensors_out_and_in(model, tmp_path):
    session, path = model[0], tmp_path / "m.safetensors"
    a, b = tf.global_variables()
    thalweg.safetensors.save(path, session=session, metadata={"format": "tf"})
    assert {n: plain(v) for n, v in thalweg.safetensors.load(path).items()} == {"a": [1.0, 2.0], "b": [1.0, 1.0, 1.0]}
    session.run([a.assign([0.0, 0.0]), b.assign([0.0, 0.0, 0.0])])
    with pytest.raises(tf.errors.NotFoundError, match="no tensor 'c'; it has a, b"):
        thalweg.safetensors.restore(path, {"a": a, "c": b}, session)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"'b' has shape \[3\] .*'a:0' \(2,\)"):
        thalweg.safetensors.restore(path, {"a": a, "b": a}, session)
    half = tf.Variable([0.0, 0.0], dtype=tf.float16, name="half")
    with pytest.raises(tf.errors.InvalidArgumentError, match="float32 .*float16.*cast=True"):
        thalweg.safetensors.restore(path, {"b": b, "a": half}, session)
    assert plain(session.run(b)) == [0.0, 0.0, 0.0]
    thalweg.safetensors.restore(path, {"a": half}, session, cast=True)
    thalweg.safetensors.restore(path, [b], session)
    assert [plain(v) for v in session.run([a, b, half])] == [[0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 2.0]]
    names = tf.Variable(["x"], name="names")
    session.run(names.initializer)
    with pytest.raises(tf.errors.UnimplementedError, match="no type for names"):
        thalweg.safetensors.save(path, [names], session)
    assert sorted(thalweg.safetensors.load(path)) == ["a", "b"]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(tf.errors.DataLossError, match="m.safetensors"):
        thalweg.safetensors.restore(path, [b], session)


def test_managers_number_and_keep(tmp_path):
    step = tf.Variable(np.int64(4), name="step")
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(step=step), str(tmp_path), max_to_keep=2)
    with tf.Session() as session:
        session.run(step.initializer)
        saved = [os.path.basename(manager.save(checkpoint_number=n)) for n in (None, step, 32)]
        assert saved == ["ckpt-1", "ckpt-4", "ckpt-32"]
        assert [os.path.basename(p) for p in manager.checkpoints] == saved[1:]
        session.run(step.assign(9))
        again = tf.train.CheckpointManager(tf.train.Checkpoint(step=step), str(tmp_path), max_to_keep=2)
        again._checkpoint.restore(again.latest_checkpoint).run_restore_ops()
        assert session.run(step) == 4
        again.save(checkpoint_number=40)
    assert sorted(p.name for p in tmp_path.glob("*.index")) == ["ckpt-32.index", "ckpt-40.index"]
