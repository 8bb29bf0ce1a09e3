"""SyncReplicasOptimizer: one replica that gives several gradients, and replicas on threads."""

import threading

import numpy as np
import pytest

import thalweg as tf

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def test_one_replica_gives_all_gradients():
    """Two gradients make a step; one that was computed before the step is dropped."""
    x = tf.Variable([1.0, 2.0])
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.1), 2, total_num_replicas=1)
    train = optimizer.minimize(tf.reduce_sum(x * x), global_step=step)
    hook = optimizer.make_session_run_hook(is_chief=True, num_tokens=2)
    with tf.train.MonitoredTrainingSession(hooks=[hook]) as sess:
        for _ in range(4):  # two tokens are there at first, each step gives two more
            sess.run(train)
        value, steps = sess.run([x, step])
    assert steps >= 1
    np.testing.assert_allclose(value, np.array([1.0, 2.0]) * 0.8**steps, rtol=1e-6)


def test_replicas_on_threads_apply_the_mean():
    server = tf.train.Server.create_local_server()
    x = tf.Variable(0.0)
    scale = tf.placeholder(tf.float32, [])
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(1.0), 2)
    train = optimizer.minimize(x * scale, global_step=step)
    tokens = optimizer.get_init_tokens_op(0)
    init = tf.global_variables_initializer()
    chief = tf.Session(server.target)
    chief.run(init)
    chief.run(optimizer.chief_init_op)
    chief.run(tokens)
    coord = tf.train.Coordinator()
    threads = optimizer.get_chief_queue_runner().create_threads(chief, coord, start=True, daemon=True)

    def replica(gradient):
        with tf.Session(server.target, graph=x.graph) as sess:
            for _ in range(3):
                sess.run(train, {scale: gradient})

    replicas = [threading.Thread(target=replica, args=(g,), daemon=True) for g in (1.0, 3.0)]
    for thread in replicas:
        thread.start()
    for thread in replicas:
        thread.join(30)
        assert not thread.is_alive()
    assert chief.run([step, x]) == [3, -6.0], "three steps of the mean of 1 and 3"
    coord.request_stop()
    coord.join(threads, stop_grace_period_secs=10)


def test_errors():
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(1.0), 5, total_num_replicas=2)
    with pytest.raises(ValueError, match="at least one variable"):
        optimizer.apply_gradients([])
    with pytest.raises(ValueError, match="Global step is required"):
        optimizer.minimize(tf.Variable(1.0) * 2.0)
    with pytest.raises(ValueError, match="after apply_gradients"):
        optimizer.get_init_tokens_op()
    optimizer.minimize(tf.Variable(1.0) * 2.0, global_step=tf.train.get_or_create_global_step())
    with pytest.raises(ValueError, match="Too few tokens"):
        optimizer.get_init_tokens_op(1)


def test_the_spelling_of_0_12():
    one = tf.train.GradientDescentOptimizer(1.0)
    opt = tf.train.SyncReplicasOptimizer(one, replicas_to_aggregate=2, total_num_replicas=3, replica_id=1)
    assert tf.train.SyncReplicasOptimizerV2(one, 2, 3)._tokens_per_step == opt._tokens_per_step == 3
