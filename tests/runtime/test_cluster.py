"""Servers of one cluster in one process."""

import pytest

import thalweg as tf
from thalweg._src.runtime.servers import free_port


def test_tasks_of_one_process_share_variables():
    workers, (ps,) = tf.test.create_local_cluster(2, 1)
    with tf.device("/job:ps/task:0"):
        v = tf.Variable(3.0)
    with tf.device("/job:worker/task:1"):
        more = tf.assign_add(v, 1.0)
    with tf.Session(workers[0].target) as session:
        session.run(v.initializer)
        assert session.run(more) == 4.0
    with tf.Session(workers[1].target) as session:
        assert session.run(v) == 4.0
    with tf.Session(ps.target) as session:
        assert session.run(more) == 5.0


def test_a_task_that_is_not_there_is_waited_for():
    pytest.importorskip("grpc")
    server = tf.train.Server({"worker": [f"localhost:{free_port()}" for _ in range(2)]}, "worker", 0)
    with tf.device("/job:worker/task:1"):
        x = tf.constant(1.0) + 1.0
    config = tf.ConfigProto(operation_timeout_in_ms=500)
    with tf.Session(server.target, config=config) as session, pytest.raises(tf.errors.DeadlineExceededError):
        session.run(x)


def test_clusters_keep_apart():
    first, second = tf.test.create_local_cluster(1, 0)[0][0], tf.test.create_local_cluster(1, 0)[0][0]
    v = tf.Variable(1.0)
    with tf.Session(first.target) as session:
        session.run(v.initializer)
    with tf.Session(second.target) as session, pytest.raises(tf.errors.FailedPreconditionError):
        session.run(v)
