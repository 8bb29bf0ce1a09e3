"""Servers of this process, cluster specs, and the placing of variables on parameter servers."""

import threading

import pytest

import thalweg as tf

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def test_sessions_of_one_target_share_variables_and_queues():
    server = tf.train.Server.create_local_server()
    v = tf.Variable(1.0, name="v")
    q = tf.FIFOQueue(3, tf.float32, (), shared_name="q")
    private = tf.FIFOQueue(3, tf.float32, ())
    with tf.Session(server.target) as sess:
        sess.run(v.initializer)
        sess.run([tf.assign_add(v, 2.0), q.enqueue(5.0), private.enqueue(6.0)])
    with tf.Session(server.target) as sess:
        assert sess.run(v) == 3.0
        assert sess.run(q.dequeue()) == 5.0
        assert sess.run(private.size()) == 0
    with tf.Session() as sess, pytest.raises(tf.errors.FailedPreconditionError):
        sess.run(v)


def test_iterators_and_tables_without_a_name_to_share_belong_to_the_session():
    server = tf.train.Server.create_local_server()
    sizes = []
    for elements in ([0, 1, 2], (1.0, 2.0)):  # operations of the same names, elements of other types
        with tf.Graph().as_default(), tf.Session(server.target) as sess:
            dataset = tf.data.Dataset.from_tensors(elements)
            iterator = dataset.make_initializable_iterator()
            sess.run(iterator.initializer)
            assert len(sess.run(iterator.get_next())) == len(sess.run(dataset.make_one_shot_iterator().get_next()))
            for checkpoint in (False, True):
                table = tf.contrib.lookup.MutableHashTable(tf.int64, tf.int64, -1, checkpoint=checkpoint)
                sizes.append(sess.run(table.size()))
                sess.run(table.insert([1], [2]))
    assert sizes == [0, 0, 0, 1]  # a table that goes into checkpoints is shared by its operation's name


def test_each_server_keeps_its_own():
    v = tf.Variable(1.0)
    targets = [tf.train.Server.create_local_server() for _ in range(2)]
    tf.Session(targets[0].target).run(v.initializer)
    with pytest.raises(tf.errors.FailedPreconditionError):
        tf.Session(targets[1].target).run(v)


def test_random_streams_belong_to_the_session():
    server = tf.train.Server.create_local_server()
    x = tf.random_uniform([], seed=3)
    first = tf.Session(server.target).run(x)
    assert tf.Session(server.target).run(x) == first


def test_another_shape_of_a_variable_is_seen_by_all():
    server = tf.train.Server.create_local_server()
    v = tf.Variable([1.0], validate_shape=False)
    double = v * 2.0
    one, two = tf.Session(server.target), tf.Session(server.target)
    one.run(v.initializer)
    assert one.run(double).tolist() == two.run(double).tolist() == [2.0]
    two.run(tf.assign(v, [1.0, 2.0], validate_shape=False))
    assert one.run(double).tolist() == two.run(double).tolist() == [2.0, 4.0]


def test_reset_forgets_and_aborts():
    server = tf.train.Server.create_local_server()
    with tf.container("a"):
        a = tf.Variable(1.0)
    b = tf.Variable(2.0)
    sess = tf.Session(server.target)
    sess.run(tf.global_variables_initializer())
    tf.Session.reset(server.target, ["a"])
    with pytest.raises(tf.errors.AbortedError):
        sess.run(b)
    again = tf.Session(server.target)
    assert again.run(b) == 2.0
    with pytest.raises(tf.errors.FailedPreconditionError):
        again.run(a)


def test_closing_one_session_leaves_the_others_waiting():
    server = tf.train.Server.create_local_server()
    q = tf.FIFOQueue(3, tf.float32, (), shared_name="q")
    take = q.dequeue()
    one, two = tf.Session(server.target), tf.Session(server.target)
    out = []
    thread = threading.Thread(target=lambda: out.append(one.run(take)))
    thread.start()
    two.run(q.size())
    two.close()
    thread.join(0.2)
    assert thread.is_alive()
    tf.Session(server.target).run(q.enqueue(7.0))
    thread.join(20)
    assert out == [7.0]


def test_a_task_that_is_not_there_is_waited_for():
    cluster = {"ps": ["localhost:1"], "worker": ["localhost:0"]}
    server = tf.train.Server(cluster, job_name="worker", task_index=0)
    with tf.device("/job:ps/task:0"):
        v = tf.Variable(1.0)
    config = tf.ConfigProto(operation_timeout_in_ms=100)
    with (
        tf.Session(server.target, config=config) as sess,
        pytest.raises(tf.errors.DeadlineExceededError, match="/job:ps/replica:0/task:0 did not answer"),
    ):
        sess.run(v)
    with tf.Session("grpc://localhost:1", config=config) as sess, pytest.raises(tf.errors.DeadlineExceededError):
        sess.run(v)


def test_server_def():
    cluster = tf.train.ClusterSpec({"ps": ["a:1"], "worker": {1: "b:2"}})
    assert cluster.as_dict() == {"ps": ["a:1"], "worker": {1: "b:2"}}
    assert tf.train.ClusterSpec(cluster.as_cluster_def()) == cluster
    assert cluster.job_tasks("worker") == [None, "b:2"]
    server = tf.train.Server(cluster, job_name="worker", task_index=1, start=False)
    assert (server.server_def.job_name, server.server_def.task_index) == ("worker", 1)
    with pytest.raises(ValueError, match="explicit `job_name`"):
        tf.train.Server(cluster)
    with pytest.raises(TypeError, match="must be a dictionary"):
        tf.train.ClusterSpec(["a"])


def test_variables_go_round_the_parameter_servers():
    cluster = {"ps": ["a:1", "b:1"], "worker": ["c:1"]}
    with tf.device(tf.train.replica_device_setter(cluster=cluster, worker_device="/job:worker/task:0")):
        v, w, u = (tf.Variable(float(i)) for i in range(3))
        total = v + w + u
    assert [x.device for x in (v, w, u)] == ["/job:ps/task:0", "/job:ps/task:1", "/job:ps/task:0"]
    assert total.device == "/job:worker/task:0"
    assert tf.train.replica_device_setter() is None


def cluster_of(*servers):
    named = tf.train.ClusterDef()
    job = named.job.add(name="renamed")
    for i, server in enumerate(servers):
        job.tasks[i] = server.target.removeprefix("grpc://")
    return tf.ConfigProto(cluster_def=named)


def test_a_session_that_brings_its_cluster():
    servers = [tf.train.Server.create_local_server() for _ in range(2)]
    config = cluster_of(*servers)
    with tf.Graph().as_default() as graph:
        with tf.device("/job:renamed/task:1"):
            x = tf.constant(17)
            y = x + 1
    with tf.Session(servers[0].target, graph, config) as session:
        names = [d.name for d in session.list_devices() if d.device_type == "CPU"]
        assert names == [f"/job:renamed/replica:0/task:{i}/device:CPU:0" for i in range(2)]
        metadata = tf.RunMetadata()
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        assert session.run([x, y], options=options, run_metadata=metadata) == [17, 18]
    ran = {(s.device, n.node_name) for s in metadata.step_stats.dev_stats for n in s.node_stats}
    assert {(names[1], "Const"), (names[1], "add")} <= ran
    with pytest.raises(tf.errors.InvalidArgumentError, match="does not contain the target"):
        tf.Session(tf.train.Server.create_local_server().target, graph, config)


@pytest.mark.parametrize("shared", [False, True])
def test_variables_of_sessions_that_bring_their_cluster(shared):
    server = tf.train.Server.create_local_server()
    config = cluster_of(server)
    config.experimental.share_session_state_in_clusterspec_propagation = shared
    with tf.Graph().as_default():
        v = tf.Variable(3.0)
        first, second = tf.Session(server.target, config=config), tf.Session(server.target, config=config)
        with first, second:
            first.run(v.initializer)
            if shared:
                assert second.run(v) == 3.0
            else:
                with pytest.raises(tf.errors.FailedPreconditionError):
                    second.run(v)
