"""TensorBoard's own plugins that make summaries: programs call them, and they call `tensorflow`."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorboard")

PROGRAM = """
import json, sys
import tensorflow as tf
from tensorboard.plugins.hparams import api_pb2, summary as hparams_summary
from tensorboard.plugins.pr_curve import summary as pr_summary

labels = tf.constant([True, False, True, True, False])
predictions = tf.constant([0.9, 0.3, 0.4, 0.8, 0.6])
pr_summary.op(name="pr", labels=labels, predictions=predictions, num_thresholds=5)
with tf.Session() as session, tf.summary.FileWriter(sys.argv[1]) as writer:
    data = session.run(tf.summary.merge_all())
    writer.add_summary(data, 1)
    writer.add_summary(hparams_summary.session_start_pb({"rate": 0.1, "units": 16}))
    writer.add_summary(hparams_summary.session_end_pb(api_pb2.STATUS_SUCCESS))
value = tf.Summary.FromString(data).value[0]
print(json.dumps([value.tag, value.metadata.plugin_data.plugin_name, tf.make_ndarray(value.tensor).tolist()]))
"""


def test_precision_recall_curves_and_hyperparameters(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "thalweg", "run", str(tmp_path / "program.py"), str(tmp_path / "logs")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    tag, plugin, table = json.loads(ran.stdout.splitlines()[-1])
    assert (tag, plugin) == ("pr/pr_curves", "pr_curves")
    labels, p = np.array([1, 0, 1, 1, 0]), np.array([0.9, 0.3, 0.4, 0.8, 0.6])
    at = np.linspace(0, 1, 5)
    right = [int((labels[p >= t]).sum()) for t in at]
    wrong = [int((1 - labels[p >= t]).sum()) for t in at]
    np.testing.assert_allclose(table[0], right)
    np.testing.assert_allclose(table[1], wrong)
    np.testing.assert_allclose(table[5], np.array(right) / 3, rtol=1e-6)  # recall
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path / "logs")).Reload()
    assert set(found.PluginTagToContent("hparams")) == {"_hparams_/session_start_info", "_hparams_/session_end_info"}
    assert set(found.PluginTagToContent("pr_curves")) == {"pr/pr_curves"}
