"""tf.contrib.learn: exports of both formats, strategies, graphs trained by graph_actions, batches of files, clusters."""

import json
import os

import numpy as np
import pytest

import thalweg as tf

learn = tf.contrib.learn
X = np.arange(20, dtype=np.float32).reshape(10, 2)


@pytest.fixture(scope="module")
def line():
    """A linear regression, trained for some steps."""
    columns = learn.infer_real_valued_columns_from_input(X)
    return learn.LinearRegressor(columns).fit(X, X.sum(1), steps=5, batch_size=10)


def test_the_old_export(line, tmp_path):
    path = line.export(str(tmp_path), default_batch_size=None)
    assert os.path.basename(path) == b"00000005"
    with tf.Graph().as_default() as graph, tf.Session() as session:
        prefix = os.path.join(os.fsdecode(path), "export")
        tf.train.import_meta_graph(prefix + ".meta").restore(session, prefix)
        (packed,) = graph.get_collection("serving_signatures")
        signatures = tf.contrib.session_bundle.exporter.generic_signature({}).__class__
        assert signatures.DESCRIPTOR.name == "Signature"
        assert b"regression" in packed.SerializeToString() or packed.type_url.endswith("Signatures")
        example = tf.train.Example()
        example.features.feature["__single__feature__"].float_list.value.extend(X[3])
        feeds = {"input_example_tensor:0": [example.SerializeToString()]}
        scores = [op.outputs[0] for op in graph.get_operations() if op.type == "BiasAdd"]
        found = session.run(scores[-1], feeds)
    np.testing.assert_allclose(np.ravel(found), next(iter(line.predict(X[3:4]))), rtol=1e-5)
    with pytest.raises(RuntimeError, match="Overwriting exports"):
        line.export(str(tmp_path))


def test_exports_need_training_and_examples(tmp_path):
    model = learn.LinearRegressor(learn.infer_real_valued_columns_from_input(X), model_dir=str(tmp_path))
    with pytest.raises(learn.NotFittedError):
        model.export(str(tmp_path))
    with pytest.raises(ValueError, match="examples cannot be None"):
        learn.utils.export.generic_signature_fn(None, {}, {})


class Exported:
    """An estimator that only exports."""

    model_dir = "nowhere"

    def __init__(self):
        self.paths = []

    def export_savedmodel(self, folder, serving_input_fn, checkpoint_path=None, **_):
        self.paths.append(checkpoint_path)
        return os.path.join(folder, "made")


def test_the_best_is_exported(tmp_path):
    strategy = learn.utils.saved_model_export_utils.make_best_model_export_strategy(lambda: None)
    estimator = Exported()
    found = [
        strategy.export(estimator, str(tmp_path), f"ckpt-{i}", {"loss": loss}) for i, loss in enumerate((3.0, 4.0, 1.0))
    ]
    assert found[1] == ""
    assert estimator.paths == ["ckpt-0", "ckpt-2"]
    with pytest.raises(ValueError, match="no loss is found"):
        strategy.export(estimator, str(tmp_path), "ckpt-3", {"accuracy": 1.0})


def test_exports_made_into_others(tmp_path):
    utils = learn.utils.saved_model_export_utils

    def base(estimator, folder, checkpoint_path=None):
        os.mkdir(os.path.join(folder, "a"))
        return os.path.join(folder, "a")

    def shout(path, folder):
        os.mkdir(os.path.join(folder, "A"))
        return os.path.join(folder, "A")

    strategy = utils.extend_export_strategy(learn.ExportStrategy("Servo", base), shout)
    assert strategy.export(None, str(tmp_path)) == str(tmp_path / "A")
    assert os.listdir(tmp_path) == ["A"]
    other = utils.extend_export_strategy(learn.ExportStrategy("Servo", base), lambda path, folder: str(tmp_path))
    with pytest.raises(ValueError, match="must return a sub-directory"):
        other.export(None, str(tmp_path))


def test_graphs_are_trained_evaluated_and_asked(tmp_path):
    actions, folder = learn.graph_actions, str(tmp_path)

    def model():
        step = tf.train.create_global_step()
        w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
        loss = tf.square(w - 3.0)
        return w, loss, tf.train.GradientDescentOptimizer(0.25).minimize(loss, step)

    with tf.Graph().as_default() as graph:
        _, loss, train = model()
        with pytest.raises(ValueError, match="Missing train_op"):
            actions.train(graph, folder, None, loss)
        actions.train(graph, folder, train, loss, steps=8, log_every_steps=4)
    path = tf.train.latest_checkpoint(folder)
    with tf.Graph().as_default() as graph:
        w, _, _ = model()
        results, at = actions.evaluate(graph, folder, path, {"w": w}, max_steps=1)
        assert at == 8
        assert results["w"] == pytest.approx(3.0, abs=0.02)
        assert actions.infer(path, {"w": w})["w"] == results["w"]
        assert [r["w"] for r in actions.run_n({"w": w}, n=2)] == [0.0, 0.0]
    actions.clear_summary_writers()


@pytest.mark.parametrize("shared", [False, True])
def test_batches_of_files(tmp_path, shared):
    for name, text in (("a", "1\n2\n"), ("b", "3\n")):
        (tmp_path / name).write_text(text)
    read = learn.read_keyed_batch_examples_shared_queue if shared else learn.io.read_keyed_batch_examples
    with tf.Graph().as_default(), tf.Session() as session:
        how = {"randomize_input": False, "num_epochs": 1, "queue_capacity": 5}
        keys, lines = read([str(tmp_path / "*")], 2, tf.TextLineReader, **how)
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coord)
        found = [session.run([keys, lines]) for _ in range(2)]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(lines)
        coord.request_stop()
        coord.join(threads)
    assert [line for _, batch in found for line in batch] == [b"1", b"2", b"3"]
    assert os.path.basename(found[0][0][0]) == b"a:1"
    with pytest.raises(ValueError, match="No files match"):
        learn.read_batch_examples(str(tmp_path / "none"), 2, tf.TextLineReader)
    with pytest.raises(ValueError, match="Invalid batch_size"):
        learn.read_batch_examples(str(tmp_path / "a"), 9, tf.TextLineReader, queue_capacity=5)


def test_a_cluster_without_a_chief(monkeypatch):
    cluster = {"ps": ["h1:1"], "worker": ["h2:2", "h3:3"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 1}}))
    config = learn.RunConfig()
    assert (config.master, config.is_chief, config.num_ps_replicas) == ("grpc://h3:3", False, 1)
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 2}}))
    with pytest.raises(ValueError, match="2 is not a valid task_id"):
        learn.RunConfig()


def test_columns_say_how_they_train():
    language = tf.contrib.layers.sparse_column_with_hash_bucket("language", 10)
    embedded = tf.contrib.layers.embedding_column(language, 1)
    model = learn.DNNLinearCombinedClassifier(
        dnn_feature_columns=[embedded], dnn_hidden_units=[2], embedding_lr_multipliers={embedded: 0.0}
    )

    def inputs():
        words = tf.SparseTensor([[0, 0], [1, 0]], ["en", "fr"], [2, 1])
        return {"language": words}, tf.constant([[1], [0]])

    model.fit(input_fn=inputs, steps=1)
    names = [n for n in model.get_variable_names() if n.endswith("language_embedding/weights")]
    before = model.get_variable_value(names[0])
    model.fit(input_fn=inputs, steps=2)
    np.testing.assert_array_equal(model.get_variable_value(names[0]), before)
