"""Feature columns and estimators: what TensorFlow 1.15 made of the programs in tests/oracle, and what refuses, saves and exports."""

import json
import os

import numpy as np
import pytest

import thalweg as tf
from tests.conftest import GOLDEN
from tests.oracle.estimator_programs import PROGRAMS

EXPECTED = json.loads((GOLDEN / "estimators.json").read_text())


def same(found, expected, path=""):
    """Numbers to 2e-3 relative to one, everything else exactly."""
    if isinstance(expected, dict):
        assert sorted(found) == sorted(expected), path
        for key in expected:
            same(found[key], expected[key], f"{path}/{key}")
    elif isinstance(expected, list) and expected and not isinstance(expected[0], str):
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3, err_msg=path)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=2e-3, abs=2e-3), path
    else:
        assert found == expected, path


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_programs(name):
    same(json.loads(json.dumps(PROGRAMS[name](tf))), EXPECTED[name], name)


def line_model(features, labels, mode, params):
    w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
    predictions = w * features["x"]
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})
    loss = tf.reduce_mean(tf.square(predictions - labels))
    optimizer = tf.train.GradientDescentOptimizer(params["rate"])
    metrics = {"mae": tf.metrics.mean_absolute_error(labels, predictions)}
    train = optimizer.minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train, eval_metric_ops=metrics)


X = np.arange(4, dtype=np.float32)


def batches(labels=True, epochs=None):
    return tf.estimator.inputs.numpy_input_fn({"x": X}, 2 * X if labels else None, 2, epochs, False)


def made(folder, **how):
    return tf.estimator.Estimator(line_model, str(folder), params={"rate": 0.1}, **how)


def receiver():
    x = tf.placeholder(tf.float32, [None], name="x")
    return tf.estimator.export.ServingInputReceiver({"x": x}, {"x": x})


def test_train_evaluate_predict_and_go_on(tmp_path):
    estimator = made(tmp_path)
    estimator.train(batches(), steps=20)
    metrics = estimator.evaluate(batches(epochs=1))
    assert metrics["global_step"] == 20
    assert metrics["mae"] < 1e-4
    rows = list(estimator.predict(batches(labels=False, epochs=1)))
    np.testing.assert_allclose([row["y"] for row in rows], 2 * X, atol=1e-4)
    assert estimator.get_variable_names() == ["global_step", "w"]
    again = made(tmp_path).train(batches(), max_steps=25)
    assert again.get_variable_value("global_step") == 25
    assert again.train(batches(), max_steps=25).latest_checkpoint().endswith("model.ckpt-25")


def test_warm_start(tmp_path):
    made(tmp_path / "a").train(batches(), steps=20)
    started = made(tmp_path / "b", warm_start_from=str(tmp_path / "a"))
    assert started.evaluate(batches(epochs=1))["mae"] < 1e-4


def test_export_is_served(tmp_path):
    estimator = made(tmp_path / "model").train(batches(), steps=20)
    path = estimator.export_savedmodel(str(tmp_path / "export"), receiver, assets_extra={"n/x.txt": __file__})
    assert sorted(os.listdir(path)) == [b"assets.extra", b"saved_model.pb", b"variables"]
    with tf.Graph().as_default(), tf.Session() as session:
        meta = tf.saved_model.loader.load(session, ["serve"], path)
        signature = meta.signature_def["serving_default"]
        found = session.run(signature.outputs["y"].name, {signature.inputs["x"].name: [3.0]})
    np.testing.assert_allclose(found, [6.0], atol=1e-4)


def test_train_and_evaluate_exports_at_the_end(tmp_path):
    estimator = made(tmp_path, config=tf.estimator.RunConfig(save_checkpoints_steps=10))
    spec = tf.estimator.EvalSpec(
        batches(epochs=1), steps=None, throttle_secs=0, exporters=tf.estimator.FinalExporter("last", receiver)
    )
    metrics, exports = tf.estimator.train_and_evaluate(estimator, tf.estimator.TrainSpec(batches(), 30), spec)
    assert metrics["global_step"] == 30
    assert len(exports) == 1
    assert os.listdir(tmp_path / "export" / "last") == [os.path.basename(exports[0]).decode()]


def test_best_exporter_exports_when_it_gets_better(tmp_path):
    exporter = tf.estimator.BestExporter(serving_input_receiver_fn=receiver)
    estimator = made(tmp_path).train(batches(), steps=1)
    path = str(tmp_path / "best")
    how = {"checkpoint_path": None, "is_the_final_export": False}
    assert exporter.export(estimator, path, eval_result={"loss": 1.0}, **how)
    assert exporter.export(estimator, path, eval_result={"loss": 2.0}, **how) is None


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ({"model_fn": None}, ValueError, "model_fn must be provided"),
        ({"model_fn": lambda labels: None}, ValueError, "must include features"),
        ({"model_fn": lambda features, extra: None}, ValueError, "not expected args"),
        ({"model_fn": lambda features: None, "params": {}}, ValueError, "does not include params"),
        ({"model_fn": line_model, "config": {}}, ValueError, "must be an instance of `RunConfig`"),
    ],
)
def test_what_estimators_refuse(args, error, words, tmp_path):
    with pytest.raises(error, match=words):
        tf.estimator.Estimator(model_dir=str(tmp_path), **args)


def test_what_specs_refuse():
    mode, spec = tf.estimator.ModeKeys, tf.estimator.EstimatorSpec
    with pytest.raises(ValueError, match="Missing loss"):
        spec(mode.EVAL)
    with pytest.raises(ValueError, match="Missing train_op"):
        spec(mode.TRAIN, loss=tf.constant(1.0))
    with pytest.raises(ValueError, match="Loss must be scalar"):
        spec(mode.EVAL, loss=tf.constant([1.0, 2.0]))
    with pytest.raises(ValueError, match="Missing predictions"):
        spec(mode.PREDICT)
    with pytest.raises(TypeError, match="SessionRunHook"):
        spec(mode.EVAL, loss=tf.constant(1.0), evaluation_hooks=[1])
    elsewhere = tf.Graph()
    with elsewhere.as_default():
        other = tf.constant(1.0)
    with pytest.raises(ValueError, match="must be from the default graph"):
        spec(mode.EVAL, loss=other)


def test_a_cluster_of_the_environment(monkeypatch):
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 1}}))
    config = tf.estimator.RunConfig()
    assert (config.master, config.task_id, config.is_chief) == ("grpc://c:1", 1, False)
    assert (config.num_ps_replicas, config.num_worker_replicas, config.global_id_in_cluster) == (1, 3, 2)
    assert config.replace(tf_random_seed=3).tf_random_seed == 3
    with pytest.raises(ValueError, match="Replacing master is not supported"):
        config.replace(master="x")


def test_stopping_early(tmp_path):
    estimator = made(tmp_path)
    estimator.train(batches(), steps=1)
    estimator.evaluate(batches(epochs=1))
    hook = tf.contrib.estimator.stop_if_lower_hook(estimator, "loss", 1e9, run_every_secs=None, run_every_steps=1)
    fresh = tf.estimator.Estimator(line_model, str(tmp_path / "fresh"), params={"rate": 0.1})
    fresh.train(batches(), hooks=[hook], steps=10)
    assert fresh.get_variable_value("global_step") == 1


def test_metrics_added(tmp_path):
    added = tf.estimator.add_metrics(made(tmp_path), lambda labels: {"mean": tf.metrics.mean(labels)})
    assert added.train(batches(), steps=1).evaluate(batches(epochs=1))["mean"] == pytest.approx(3.0)


def test_several_heads(tmp_path):
    heads = [
        tf.contrib.estimator.multi_label_head(3, name="labels"),
        tf.contrib.estimator.regression_head(name="number"),
    ]
    model = tf.contrib.estimator.DNNEstimator(
        tf.contrib.estimator.multi_head(heads),
        hidden_units=[2],
        feature_columns=[tf.feature_column.numeric_column("x")],
        model_dir=str(tmp_path),
    )

    def inputs():
        labels = {"labels": tf.constant([[1, 0, 1], [0, 0, 1]]), "number": tf.constant([[1.0], [2.0]])}
        return {"x": tf.constant([[1.0], [2.0]])}, labels

    metrics = model.train(inputs, steps=2).evaluate(inputs, steps=1)
    assert {"auc/labels", "average_loss/number", "loss"} <= set(metrics)
    assert metrics["loss"] == pytest.approx(metrics["loss/labels"] + metrics["loss/number"], rel=1e-4)
    assert sorted(next(model.predict(inputs))) == [
        ("labels", "logits"),
        ("labels", "probabilities"),
        ("number", "predictions"),
    ]


def test_tables_as_input():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]})
    inputs = tf.estimator.inputs.pandas_input_fn(table, table["a"] * 2, batch_size=2, shuffle=False)
    features, target = inputs()
    with tf.train.MonitoredSession() as session:
        found, labels = session.run([features, target])
    assert found["a"].tolist() == [1.0, 2.0]
    assert found["b"].tolist() == [b"x", b"y"]
    assert labels.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda fc: fc.numeric_column(3), ValueError, "key must be a string"),
        (lambda fc: fc.numeric_column("a", shape=0), ValueError, "greater than 0"),
        (lambda fc: fc.numeric_column("a", dtype=tf.string), ValueError, "convertible to float"),
        (lambda fc: fc.numeric_column("a", default_value="x"), TypeError, "compatible with dtype"),
        (lambda fc: fc.bucketized_column(fc.numeric_column("a"), [2, 1]), ValueError, "sorted"),
        (lambda fc: fc.categorical_column_with_hash_bucket("a", 0), ValueError, "at least 1"),
        (lambda fc: fc.categorical_column_with_vocabulary_list("a", ["x", "x"]), ValueError, "Duplicate"),
        (lambda fc: fc.categorical_column_with_identity("a", 2, 2), ValueError, "not in range"),
        (lambda fc: fc.crossed_column(["a"], 3), ValueError, "length > 1"),
        (lambda fc: fc.crossed_column(["a", fc.numeric_column("b")], 3), ValueError, "Unsupported key type"),
        (lambda fc: fc.embedding_column(fc.categorical_column_with_identity("a", 2), 0), ValueError, "dimension"),
        (lambda fc: fc.input_layer({"a": [[1]]}, []), ValueError, "must not be empty"),
        (lambda fc: fc.input_layer({"a": [[1]]}, [fc.categorical_column_with_identity("a", 2)]), ValueError, "Dense"),
        (lambda fc: fc.input_layer({}, [fc.numeric_column("a")]), ValueError, "not in features dictionary"),
    ],
)
def test_what_columns_refuse(make, error, words):
    with pytest.raises(error, match=words):
        make(tf.feature_column)
