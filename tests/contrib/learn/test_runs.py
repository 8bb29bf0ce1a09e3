"""tf.contrib.learn: configurations, what runs an experiment, model functions' ops for tf.estimator, strategies of export."""

import copy
import json

import numpy as np
import pytest

import thalweg as tf

learn = tf.contrib.learn
PROBLEMS, KEYS = learn.estimators.ProblemType, learn.estimators.PredictionKey


def test_configurations_that_are_the_same(monkeypatch, tmp_path):
    config = learn.RunConfig(tf_random_seed=1, save_summary_steps=2)
    assert config.uid() == learn.RunConfig(save_checkpoints_secs=3, keep_checkpoint_max=4).uid()
    assert config.uid(whitelist=[]) != learn.RunConfig(save_summary_steps=3).uid(whitelist=[])
    assert config.uid() != learn.RunConfig(model_dir=str(tmp_path)).uid()
    jobs = {"ps": ["a:1"], "worker": ["b:1", "c:1"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": jobs}))
    ordered = learn.RunConfig()
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": dict(reversed(jobs.items()))}))
    assert learn.RunConfig().uid() == ordered.uid() == copy.deepcopy(ordered).uid()


def test_a_master_that_the_program_names(monkeypatch):
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": {"ps": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}})
    )
    assert learn.RunConfig(master="localhost:0").master == "localhost:0"
    with pytest.raises(ValueError, match="worker is not a valid task_type"):
        learn.RunConfig()


def test_what_a_runner_refuses(tmp_path):
    class Empty(learn.Experiment):
        default = None

        def __init__(self, config=None):
            self._estimator = type("Some", (), {"config": config})()

        def train_and_evaluate(self):
            return "both"

    run = learn.learn_runner.run
    assert run(lambda output_dir: Empty(), "folder") == "both"
    with pytest.raises(TypeError, match="non-callable member default"):
        run(lambda output_dir: Empty(), "folder", "default")
    with pytest.raises(ValueError, match="non-existent task mirage"):
        run(lambda output_dir: Empty(), "folder", "mirage")
    with pytest.raises(ValueError, match="Must specify a model directory"):
        run(lambda run_config, hparams: Empty(run_config), run_config=learn.RunConfig(model_dir=""))
    with pytest.raises(ValueError, match="`hparams` must be `HParams` instance"):
        run(lambda *_: None, run_config=learn.RunConfig(model_dir=str(tmp_path)), hparams=["hparams"])


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (PROBLEMS.LINEAR_REGRESSION, "RegressionOutput"),
        (PROBLEMS.LOGISTIC_REGRESSION, "ClassificationOutput"),
        (PROBLEMS.UNSPECIFIED, "PredictOutput"),
    ],
)
def test_the_ops_of_a_model_as_a_spec(problem, kind):
    told = {KEYS.SCORES: tf.constant([1.0]), KEYS.CLASSES: tf.constant([1])}
    both = {"a": (problem, told), "b": (PROBLEMS.UNSPECIFIED, told)}
    metrics = {"loss": (tf.constant(1.0), tf.no_op()), "m": (tf.constant(2.0), tf.no_op())}
    ops = learn.ModelFnOps("infer", predictions=told, output_alternatives=both, eval_metric_ops=metrics)
    spec = ops.estimator_spec("a")
    assert {type(spec.export_outputs[k]).__name__ for k in ("a", "serving_default")} == {kind}
    assert list(spec.eval_metric_ops) == ["m"]
    assert spec.predictions == told
    with pytest.raises(ValueError, match="Unknown problem_type=9"):
        learn.ModelFnOps("infer", told, output_alternatives={"a": (9, told)}).estimator_spec()


def test_strategies_are_tuples():
    seen = []
    strategy = learn.ExportStrategy("s", lambda estimator, path, checkpoint_path: seen.append(checkpoint_path))
    assert strategy == ("s", strategy.export_fn, None)
    strategy.export(None, "folder", "ckpt", {"loss": 1.0})
    assert seen == ["ckpt"]
    with pytest.raises(ValueError, match="must also accept checkpoint_path"):
        learn.ExportStrategy("s", lambda estimator, path, eval_result: path).export(None, "folder")


def test_dumps_of_two_runs_are_compared():
    first, second = learn.monitors.GraphDump(), learn.monitors.GraphDump()
    first.data[0] = {"a": np.float32(1.0), "b": np.array([1.0, 2.0]), "c": np.array([1.0])}
    second.data[0] = {"a": np.float32(2.0), "b": np.array([1.0, 2.5]), "c": np.array([1.0])}
    same, different = first.compare(second, 0)
    assert same == ["c"]
    assert different["a"] == (1.0, 2.0)
    np.testing.assert_array_equal(different["b"], [0.0, -0.5])
    first.data[0]["d"] = 1
    with pytest.raises(ValueError, match="d missing at step 0"):
        first.compare(second, 0)


def test_metrics_of_a_spec_are_tensors():
    loss = tf.constant(1.0)
    with pytest.raises(TypeError, match=r"eval_metric_ops\[m\] must be Operation or Tensor, given: text"):
        tf.estimator.EstimatorSpec("eval", loss=loss, predictions=loss, eval_metric_ops={"m": (("text",), loss)})
