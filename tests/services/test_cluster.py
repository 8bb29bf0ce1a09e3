"""Programs of several processes: parameter servers that are other processes, a worker that is this one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.runtime.servers import free_port

pytest.importorskip("grpc")
pytestmark = pytest.mark.timeout(120)
TASK = Path(__file__).with_name("task.py")


class Cluster:
    """A parameter server in a process of its own, and a worker in this one."""

    def __init__(self):
        self.start()
        self.worker = tf.train.Server(self.spec, job_name="worker", task_index=0)
        self.target = self.worker.target

    def start(self):
        """Find a port that stays free until the parameter server has it."""
        for _ in range(5):
            self.spec = {"ps": [f"localhost:{free_port()}"], "worker": ["localhost:0"]}
            if self.start_ps():
                return
        raise AssertionError("no port stays free")

    def start_ps(self):
        command = [sys.executable, str(TASK), "ps", "0", json.dumps(self.spec)]
        self.ps = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self.ps.stdout.readline() == "ready\n"

    def stop_ps(self):
        self.ps.kill()
        self.ps.communicate()

    @property
    def ps_target(self):
        return "grpc://" + self.spec["ps"][0]

    def device(self):
        return tf.device(tf.train.replica_device_setter(cluster=self.spec, worker_device="/job:worker/task:0"))


@pytest.fixture(scope="module")
def shared():
    cluster = Cluster()
    yield cluster
    cluster.stop_ps()


@pytest.fixture
def cluster(shared):
    with tf.Graph().as_default():
        yield shared
    tf.Session.reset(shared.ps_target)
    tf.Session.reset(shared.target)


def regression():
    """A small model: (its loss, a step of training, the number of the step)."""
    x = tf.constant(np.linspace(-1, 1, 12).reshape(6, 2).astype("f"))
    w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer())
    b = tf.get_variable("b", [], initializer=tf.zeros_initializer())
    step = tf.train.get_or_create_global_step()
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - 3.0))
    return loss, tf.train.AdamOptimizer(0.1).minimize(loss, global_step=step), step


def test_training_gives_what_one_process_gives(cluster):
    with cluster.device():
        loss, train, step = regression()
    init = tf.global_variables_initializer()
    with tf.Session(cluster.target) as sess:
        sess.run(init)
        got = [sess.run([train, loss, step])[1:] for _ in range(4)]
        places = {str(c.colour) for c in sess.plan.clusters}
    with tf.Graph().as_default(), tf.Session() as sess:
        loss, train, step = regression()
        sess.run(tf.global_variables_initializer())
        losses = []
        for _ in range(4):
            losses.append(sess.run(loss))
            sess.run(train)
    assert "/job:ps/replica:0/task:0" in places
    np.testing.assert_allclose([v for v, _ in got], losses, rtol=1e-6)
    assert [int(n) for _, n in got] == [0, 1, 2, 3]  # a fetch reads a variable of another task as the step begins
