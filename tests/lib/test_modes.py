"""What TensorFlow can be told of its modes, devices and libraries, and what thalweg answers."""

import pytest

import thalweg as tf


def test_compiled_libraries_are_refused_by_name():
    with pytest.raises(tf.errors.UnimplementedError, match=r"zero_out\.so.*py_func"):
        tf.load_op_library("./zero_out.so")
    with pytest.raises(NotImplementedError, match="headers"):
        tf.sysconfig.get_include()


def test_devices_are_those_of_sessions():
    physical = tf.config.experimental.list_physical_devices("CPU")
    assert physical[0].device_type == "CPU"
    tf.config.experimental.set_memory_growth(physical[0], True)
    assert tf.config.experimental.get_memory_growth(physical[0])
    assert len(tf.config.experimental.list_logical_devices("CPU")) == len(physical)


def test_the_default_strategy_has_one_replica():
    assert not tf.distribute.has_strategy()
    assert tf.distribute.get_replica_context().num_replicas_in_sync == 1
    with tf.distribute.get_strategy().scope() as strategy:
        assert strategy.experimental_run_v2(lambda a, b: a + b, (1, 2)) == 3
    with pytest.raises(NotImplementedError, match="one replica"):
        tf.distribute.MirroredStrategy(["/gpu:0", "/gpu:1"])


def test_files_under_the_names_of_os(tmp_path):
    f = tf.io.gfile
    f.makedirs(tmp_path / "a" / "b")
    with f.GFile(str(tmp_path / "a" / "x.txt"), "w") as out:
        out.write("words")
    f.copy(str(tmp_path / "a" / "x.txt"), str(tmp_path / "a" / "y.txt"))
    assert sorted(f.listdir(str(tmp_path / "a"))) == ["b", "x.txt", "y.txt"]
    assert f.glob(str(tmp_path / "a" / "*.txt")) == [str(tmp_path / "a" / n) for n in ("x.txt", "y.txt")]
    with pytest.raises(tf.errors.AlreadyExistsError):
        f.rename(str(tmp_path / "a" / "x.txt"), str(tmp_path / "a" / "y.txt"))
    f.rmtree(str(tmp_path / "a"))
    assert not f.exists(str(tmp_path / "a"))


def test_py_function_gets_arrays_with_the_method_numpy():
    y = tf.py_function(lambda x, n: x.numpy() * n.numpy(), [tf.constant([1.0, 2.0]), 3.0], tf.float32)
    with tf.Session() as session:
        assert session.run(y).tolist() == [3.0, 6.0]


def test_a_benchmark_times_runs(capsys):
    class Small(tf.test.Benchmark):
        def benchmark_add(self):
            with tf.Session() as session:
                return self.run_op_benchmark(session, tf.constant(1.0) + 2.0, min_iters=3, mbs=1.0)

    told = Small().benchmark_add()
    assert told["iters"] == 3
    assert told["name"] == "Small.benchmark_add"
    assert told["wall_time"] > 0
    assert "Small.benchmark_add" in capsys.readouterr().err


def test_losses_are_averaged_over_the_batch():
    losses = tf.constant([1.0, 2.0, 6.0])
    with tf.Session() as session:
        assert session.run(tf.nn.compute_average_loss(losses)) == 3.0
        weighted = tf.nn.compute_average_loss(losses, sample_weight=[1.0, 0.0, 0.5], global_batch_size=8)
        assert session.run(weighted) == 0.5
        assert session.run(tf.nn.scale_regularization_loss(losses)) == 9.0
    with pytest.raises(ValueError, match="rank 1"):
        tf.nn.compute_average_loss(tf.constant(1.0))


def test_a_loop_runs_until_the_supervisor_stops_and_begins_anew_when_aborted(tmp_path):
    step = tf.train.get_or_create_global_step()
    count = tf.assign_add(step, 1)
    supervisor = tf.train.Supervisor(logdir=str(tmp_path), save_summaries_secs=0)
    aborted = []

    def train(session, most):
        if session.run(count) == 2 and not aborted:
            aborted.append(True)
            raise tf.errors.AbortedError(None, None, "once")
        if session.run(step) >= most:
            supervisor.request_stop()

    tf.train.basic_train_loop(supervisor, train, args=[4])
    assert aborted
