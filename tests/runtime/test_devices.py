"""Devices: placement by strings and functions, soft placement, and a graph on two devices (XLA splits the processor in two)."""

import os
import subprocess
import sys
import textwrap

import pytest

import thalweg as tf

TWO = textwrap.dedent(
    """
    import numpy as np
    import thalweg as tf

    x = tf.placeholder(tf.float32, [2])
    with tf.device("/cpu:0"):
        v = tf.Variable(np.float32([1, 2]), name="v")
        a = x + v
    with tf.device("/cpu:1"):
        w = tf.Variable(np.float32([10, 20]), name="w")
        b = a * w
    loss = tf.reduce_sum(b)
    with tf.device("/cpu:1"):
        step_w = tf.assign_sub(w, 0.5 * tf.gradients(loss, w)[0])
    step_v = tf.assign_sub(v, 0.5 * tf.gradients(loss, v)[0])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run([b, loss], {x: [1, 1]}))
        print(sorted({c.colour.id for c in sess.plan.clusters}))
        sess.run([step_v.op, step_w.op], {x: [1, 1]})
        print(sess.run([v, w]))
        print([next(iter(sess._store.values[k].devices())).id for k in ("v", "w")])
        print(len(sess.list_devices()))
    """
)


def test_a_graph_on_two_devices(tmp_path):
    env = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "THALWEG_CACHE": "off",
    }
    done = subprocess.run(
        [sys.executable, "-c", TWO], env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].replace("np.float32", "") == "[array([20., 60.], dtype=float32), (80.0)]"
    assert lines[1] == "[0, 1]"
    assert lines[2] == "[array([-4., -8.], dtype=float32), array([ 9. , 18.5], dtype=float32)]"
    assert lines[3] == "[0, 1]"
    assert lines[4] == "2"


def test_device_strings_merge():
    with tf.device("/job:worker/task:1"):
        with tf.device("/gpu:2"):
            a = tf.constant(1.0)
        with tf.device("/device:CPU:*"):
            b = tf.constant(1.0)
        with tf.device(None):
            c = tf.constant(1.0)
        with tf.device(lambda op: "/cpu:0" if op.type == "Const" else "/gpu:0"):
            d = tf.constant(1.0)
            e = tf.identity(d)
    assert a.device == "/job:worker/task:1/device:GPU:2"
    assert b.device == "/job:worker/task:1/device:CPU:*"
    assert c.device == ""
    assert d.device == "/job:worker/task:1/device:CPU:0"
    assert e.device == "/job:worker/task:1/device:GPU:0"


def test_a_device_that_is_not_there():
    with tf.device("/gpu:7"):
        a = tf.constant(1.0) + 1.0
    with (
        tf.Session() as sess,
        pytest.raises(tf.errors.InvalidArgumentError, match="Cannot assign a device for operation"),
    ):
        sess.run(a)
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        assert sess.run(a) == 2.0


def test_log_device_placement(capsys):
    a = tf.constant(1.0, name="a") + 1.0
    with tf.Session(config=tf.ConfigProto(log_device_placement=True)) as sess:
        sess.run(a)
    assert "a: (Const): " in capsys.readouterr().out
