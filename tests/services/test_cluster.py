"""Programs of several processes: parameter servers that are other processes, workers that are this one."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.runtime.servers import free_port

pytest.importorskip("grpc")
pytestmark = pytest.mark.timeout(150)
HERE = Path(__file__).parent


def program(name, *args):
    """A process that runs a program of this folder, and whether it has begun well."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / name), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline() == "ready\n"


class Cluster:
    """A parameter server in a process of its own, and two workers in this one."""

    def __init__(self):
        begun = False
        for _ in range(5):  # until a port that is free stays so
            self.address = f"localhost:{free_port()}"
            self.spec = {"ps": [self.address], "worker": ["localhost:0", "localhost:0"]}
            begun = begun or self.start()
            if begun:
                break
        assert begun
        self.workers = [tf.train.Server(self.spec, job_name="worker", task_index=i) for i in range(2)]
        self.target = self.workers[0].target
        self.ps_target = f"grpc://{self.address}"

    def start(self):
        self.ps, begun = program("task.py", "ps", "0", json.dumps(self.spec))
        return begun

    def stop(self):
        self.ps.kill()
        self.ps.communicate()

    def device(self, worker=0):
        """Variables on the parameter server, all else on a worker."""
        setter = tf.train.replica_device_setter(cluster=self.spec, worker_device=f"/job:worker/task:{worker}")
        return tf.device(setter)


@pytest.fixture(scope="module")
def shared():
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(shared):
    with tf.Graph().as_default():
        yield shared
    tf.Session.reset(shared.ps_target)


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
    with tf.Session(cluster.target) as sess:
        sess.run(tf.global_variables_initializer())
        got = [sess.run([train, loss, step])[1:] for _ in range(4)]
        places = [str(c.colour) for c in sess.plan.clusters]
    with tf.Graph().as_default(), tf.Session() as sess:
        loss, train, step = regression()
        sess.run(tf.global_variables_initializer())
        losses = []
        for _ in range(4):
            losses.append(sess.run(loss))
            sess.run(train)
    ps = "/job:ps/replica:0/task:0"
    assert len(places) == 3
    assert places[0] == places[2] == ps != places[1]  # variables are read, a step is computed, they are updated
    np.testing.assert_allclose([v for v, _ in got], losses, rtol=1e-6)
    assert [int(n) for _, n in got] == [0, 1, 2, 3]  # a variable of another task is read as the step begins


def test_two_workers_share_what_is_on_the_parameter_server(cluster):
    counts = []
    for worker in range(2):
        with tf.Graph().as_default(), cluster.device(worker):
            total = tf.get_variable("total", [], initializer=tf.zeros_initializer())
            with tf.device(f"/job:worker/task:{worker}"):
                local = tf.get_local_variable("local", [], initializer=tf.zeros_initializer())
            add = [total.assign_add(1.0, use_locking=True), local.assign_add(1.0)]
            sess = tf.Session(cluster.workers[worker].target)
            sess.run([tf.local_variables_initializer(), *([total.initializer] if worker == 0 else [])])
            threads = [threading.Thread(target=lambda s=sess, a=add: [s.run(a) for _ in range(10)]) for _ in range(2)]
            counts.append((sess, threads, total, local))
    for _, threads, _, _ in counts:
        for thread in threads:
            thread.start()
    for _, threads, _, _ in counts:
        for thread in threads:
            thread.join()
    assert [sess.run(total) for sess, _, total, _ in counts] == [40.0, 40.0]
    assert [sess.run(local) for sess, _, _, local in counts] == [20.0, 20.0]
    for sess, *_ in counts:
        sess.close()


def test_a_client_that_is_no_task(cluster):
    v = tf.Variable([b"a", b"b"])
    half = tf.constant([1.5, 2.5], tf.bfloat16)
    x = tf.placeholder(tf.int32, [None])
    config = tf.ConfigProto(device_filters=["/job:ps"])
    with tf.Session(cluster.ps_target, config=config) as sess:
        sess.run(v.initializer)
        assert sess.run([v, x * 2], {x: np.arange(3)})[1].tolist() == [0, 2, 4]
        assert sess.run(tf.gather(v, 1)) == b"b"
        assert sess.run(half + 1).dtype == tf.bfloat16.as_numpy_dtype
        assert {d.name[:23] for d in sess.list_devices()} == {"/job:ps/replica:0/task:0"[:23]}
        with tf.device("/job:worker/task:0"), pytest.raises(tf.errors.InvalidArgumentError, match="Cannot assign"):
            sess.run(x + 1, {x: [1]})
        y = x * 3
        with pytest.raises(tf.errors.UnimplementedError, match="partial run"):
            sess.partial_run(sess.partial_run_setup([y], [x]), y, {x: [1]})
    with tf.Session(cluster.ps_target) as sess:
        assert sess.run(v).tolist() == [b"a", b"b"]


def test_what_fails_there_names_the_operation_here(cluster):
    with tf.device("/job:ps/task:0"):
        v, w = tf.Variable(1.0), tf.Variable(2.0)
        i = tf.placeholder(tf.int32)
        chosen = tf.gather([1.0, 2.0], i)
        both = tf.group(v.assign_add(1.0), w.assign_add(chosen))
    with tf.Session(cluster.target) as sess:
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value Variable"):
            sess.run(v + 1.0)
        sess.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match="test_cluster.py") as caught:
            sess.run(both, {i: 7})
        assert caught.value.op is chosen.op
        sess.run(both, {i: 1})
        assert sess.run([v, w])[1] == 4.0


def test_branches_tables_and_embeddings_on_the_parameter_server(cluster):
    with cluster.device():
        v = tf.Variable(1.0)
        p = tf.placeholder(tf.bool)
        grown = tf.cond(p, lambda: tf.assign_add(v, 5.0), lambda: tf.identity(v))
        rows = tf.get_variable("rows", [10, 2], initializer=tf.ones_initializer(), use_resource=True)
        looked_up = tf.reduce_sum(tf.nn.embedding_lookup(rows, [1, 7, 7]))
        train = tf.train.GradientDescentOptimizer(0.5).minimize(looked_up)
    with tf.device("/job:ps/task:0"):
        words = tf.contrib.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([1, 2], tf.int64))
        table = tf.contrib.lookup.HashTable(words, -1)
        cell = tf.nn.rnn_cell.BasicRNNCell(2, activation=lambda x: x + 1.0)
        outputs, _ = tf.nn.dynamic_rnn(cell, tf.zeros([1, 3, 2]), initial_state=tf.zeros([1, 2]))
        cell_is_identity = tf.group(cell.variables[0].assign(np.eye(4, 2, -2)))
    with tf.Session(cluster.target) as sess:
        sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
        assert [sess.run(grown, {p: True}), sess.run(grown, {p: False})] == [6.0, 6.0]
        sess.run(cell_is_identity)
        assert sess.run(outputs)[0, :, 0].tolist() == [1.0, 2.0, 3.0]  # its arrays have no device of their own
        sess.run(train)
        assert sess.run(rows)[[1, 7, 0], 0].tolist() == [0.5, 0.0, 1.0]
        assert sess.run(table.lookup(tf.constant(["b", "z"]))).tolist() == [2, -1]


def test_waiting_there_holds_up_nobody(cluster):
    with tf.device("/job:ps/task:0"):
        queue = tf.FIFOQueue(10, tf.float32, (), shared_name="q")
    take, put, size = queue.dequeue(), queue.enqueue(7.0), queue.size()
    one, two = (tf.Session(worker.target) for worker in cluster.workers)
    out = []

    def wait():
        try:
            out.append(one.run(take))
        except tf.errors.OpError as error:
            out.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert two.run(size) == 0
    assert thread.is_alive()
    two.run(put)
    thread.join()
    assert out == [7.0]
    thread = threading.Thread(target=wait)
    thread.start()
    two.run(size)
    one.close()  # what waits there is withdrawn, and takes no element
    thread.join()
    assert isinstance(out[1], tf.errors.CancelledError)
    two.run(put)
    assert two.run(size) == 1
    two.close()


def test_a_worker_that_dies_takes_nothing_along(cluster):
    queue = tf.FIFOQueue(1000, tf.float32, (), shared_name="waited")
    put, size = queue.enqueue(1.0), queue.size()
    with tf.Session(cluster.ps_target) as sess:
        sess.run(size)
        client, begun = program("client.py", cluster.ps_target)
        assert begun
        time.sleep(0.5)
        client.kill()
        client.communicate()
        for _ in range(500):  # it may take a while until its place in the line is seen to be empty
            sess.run(put)
            if sess.run(size) > 0:
                break
            time.sleep(0.05)
        assert sess.run(size) > 0


def test_synchronous_replicas(cluster):
    """Two workers, whose gradients are averaged, until they are stopped."""
    sessions, threads = [], []
    for worker in range(2):
        with tf.Graph().as_default(), cluster.device(worker):
            w = tf.get_variable("weight", [], initializer=tf.zeros_initializer())
            step = tf.train.get_or_create_global_step()
            opt = tf.train.SyncReplicasOptimizer(
                tf.train.GradientDescentOptimizer(1.0), replicas_to_aggregate=2, total_num_replicas=2
            )
            train = opt.minimize(w * 3.0, global_step=step)
            session = tf.Session(cluster.workers[worker].target)
            if worker == 0:
                session.run([tf.global_variables_initializer(), opt.chief_init_op])
                session.run(opt.get_init_tokens_op())
                threads += opt.get_chief_queue_runner().create_threads(session, daemon=True)
            else:
                session.run(opt.local_step_init_op)
        sessions.append(session)

        def work(session=session, train=train):
            with contextlib.suppress(tf.errors.CancelledError, RuntimeError):  # closed within a step, or between two
                while True:
                    session.run(train)

        threads.append(threading.Thread(target=work, daemon=True))
    for thread in threads:
        thread.start()
    with tf.Session(cluster.target, graph=w.graph) as look:
        while look.run(step) < 5:
            time.sleep(0.01)
        for session in sessions:
            session.close()
        for thread in threads:
            thread.join()
        weight, steps = look.run([w, step])
    assert weight == -3.0 * steps


def test_training_goes_on_from_the_checkpoint_when_the_parameter_server_was_restarted(tmp_path):
    cluster = Cluster()
    with tf.Graph().as_default(), cluster.device():
        v = tf.get_variable("v", [], initializer=tf.zeros_initializer())
        step = tf.train.get_or_create_global_step()
        train = tf.group(v.assign_add(2.0), step.assign_add(1))
        hooks = [
            tf.train.CheckpointSaverHook(str(tmp_path), save_steps=5),
            tf.train.StopAtStepHook(last_step=12),
        ]
        scaffold = tf.train.Scaffold()
        creator = tf.train.ChiefSessionCreator(scaffold, cluster.target, checkpoint_dir=str(tmp_path))
        seen = []
        with tf.train.MonitoredSession(creator, hooks) as session:
            while not session.should_stop():
                seen.append(session.run([train, step])[1])
                if seen[-1] == 7 and seen.count(7) == 1:
                    cluster.stop()
                    assert cluster.start()
        with tf.Session(cluster.ps_target) as raw:
            assert raw.run([v, step]) == [24.0, 12]
    cluster.stop()
    assert seen[:8] == list(range(8))
    assert 0 < seen[8] <= 7
    assert seen[8:] == list(range(seen[8], 12))


def test_a_parameter_server_that_dies_ends_the_step(cluster):
    own = Cluster()
    with tf.device("/job:ps/task:0"):
        v = tf.Variable(1.0)
        take = tf.FIFOQueue(1, tf.float32, ()).dequeue()
    with tf.Session(own.target) as sess:
        sess.run(v.initializer)
        threading.Timer(0.5, own.stop).start()
        with pytest.raises(tf.errors.UnavailableError, match="/job:ps/replica:0/task:0"):
            sess.run(take)
        with pytest.raises(tf.errors.UnavailableError):
            sess.run(v)
