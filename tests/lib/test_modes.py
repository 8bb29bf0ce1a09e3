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


def test_the_placement_of_operations_can_be_asked_for():
    tf.debugging.set_log_device_placement(True)
    assert tf.debugging.get_log_device_placement()
    tf.debugging.set_log_device_placement(False)
    assert not tf.debugging.get_log_device_placement()


def test_the_default_strategy_has_one_replica():
    assert not tf.distribute.has_strategy()
    assert tf.distribute.get_replica_context().num_replicas_in_sync == 1
    with tf.distribute.get_strategy().scope() as strategy:
        assert strategy.experimental_run_v2(lambda a, b: a + b, (1, 2)) == 3


@pytest.mark.parametrize(
    "make", ["MirroredStrategy", "OneDeviceStrategy", "contrib.MirroredStrategy", "ParameterServer"]
)
def test_a_strategy_runs_one_replica_and_is_the_one_in_scope(make):
    strategy = {
        "MirroredStrategy": lambda: tf.distribute.MirroredStrategy(["/gpu:0", "/gpu:1"]),
        "OneDeviceStrategy": lambda: tf.distribute.OneDeviceStrategy("/cpu:0"),
        "contrib.MirroredStrategy": lambda: tf.contrib.distribute.MirroredStrategy(num_gpus=2),
        "ParameterServer": lambda: tf.contrib.distribute.ParameterServerStrategy(),
    }[make]()
    assert strategy.num_replicas_in_sync == 1
    assert tf.distribute.get_replica_context().strategy is tf.distribute.get_strategy()
    with strategy.scope():
        assert tf.distribute.get_strategy() is strategy
        assert tf.distribute.has_strategy()
        assert tf.distribute.in_cross_replica_context()
        assert tf.distribute.get_replica_context() is None
        v = tf.get_variable("v", initializer=2.0)
        iterator = strategy.make_dataset_iterator(tf.data.Dataset.range(3))

        def step(x):
            assert tf.distribute.get_replica_context().strategy is strategy
            return v * tf.cast(x, tf.float32)

        total = strategy.reduce("sum", strategy.experimental_run(step, iterator))
    if make == "OneDeviceStrategy":
        assert v.op.device.lower().endswith("cpu:0")
    with tf.Session() as session:
        session.run([v.initializer, iterator.initializer])
        assert [session.run(total) for _ in range(3)] == [0.0, 2.0, 4.0]
    assert not tf.distribute.has_strategy()
    with pytest.raises(ValueError, match="both"):
        tf.contrib.distribute.MirroredStrategy(num_gpus=1, num_gpus_per_worker=1)


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


def test_versions_are_those_of_the_api_and_of_the_graphs():
    assert tf.VERSION == tf.version.VERSION == tf.__version__
    assert tf.version.VERSION.split(".")[0] == "1"
    assert tf.GIT_VERSION == tf.version.GIT_VERSION
    assert tf.COMPILER_VERSION == tf.version.COMPILER_VERSION
    assert all(isinstance(v, str) for v in (tf.GIT_VERSION, tf.COMPILER_VERSION))
    with tf.Graph().as_default() as graph:
        tf.constant(1.0)
    assert graph.as_graph_def().versions.producer == tf.GRAPH_DEF_VERSION == tf.version.GRAPH_DEF_VERSION


def test_what_is_compiled_against_tensorflow_is_refused():
    for load in (tf.load_library, tf.load_file_system_library):
        with pytest.raises(tf.errors.UnimplementedError, match=r"x\.so"):
            load("x.so")
    for ask in (tf.sysconfig.get_lib, tf.sysconfig.get_compile_flags, tf.sysconfig.get_link_flags):
        with pytest.raises(NotImplementedError, match=r"C\+\+"):
            ask()
    assert tf.sysconfig.CXX11_ABI_FLAG in (0, 1)


def test_modes_that_are_always_so():
    tf.disable_control_flow_v2()
    tf.enable_control_flow_v2()
    assert tf.control_flow_v2_enabled()
    for off in (
        tf.disable_eager_execution,
        tf.disable_v2_behavior,
        tf.disable_v2_tensorshape,
        tf.disable_tensor_equality,
    ):
        off()
    assert not tf.executing_eagerly()
    for on in (tf.enable_v2_tensorshape, tf.enable_tensor_equality):
        with pytest.raises(NotImplementedError, match="TensorFlow 1"):
            on()
    tf.constant(1.0)  # the default graph is in use
    for on in (tf.enable_eager_execution, tf.enable_v2_behavior):
        with pytest.raises(ValueError, match="at program startup"):
            on()


def test_switches_answer_with_what_was_set():
    c = tf.config
    for get, put, value in (
        (c.get_soft_device_placement, c.set_soft_device_placement, False),
        (c.optimizer.get_jit, c.optimizer.set_jit, False),
        (c.threading.get_inter_op_parallelism_threads, c.threading.set_inter_op_parallelism_threads, 3),
        (c.threading.get_intra_op_parallelism_threads, c.threading.set_intra_op_parallelism_threads, 2),
    ):
        before = get()
        put(value)
        assert get() == value
        put(before)
    c.optimizer.set_experimental_options({"debug_stripper": True})
    assert c.optimizer.get_experimental_options() == {"debug_stripper": True}


def test_devices_that_are_hidden_or_divided():
    e = tf.config.experimental
    cpus = e.list_physical_devices("CPU")
    e.set_visible_devices([], "GPU")
    assert e.get_visible_devices("GPU") == []
    assert [d.name for d in e.get_visible_devices("CPU")] == [d.name for d in cpus]
    assert e.get_virtual_device_configuration(cpus[0]) is None
    part = e.VirtualDeviceConfiguration(memory_limit=100)
    with pytest.raises(NotImplementedError, match="divided"):
        e.set_virtual_device_configuration(cpus[0], [part, part])


def test_one_replica_reduces_to_itself():
    d = tf.distribute
    assert not d.in_cross_replica_context()
    assert d.get_loss_reduction() is d.ReduceOp.MEAN
    strategy = d.get_strategy()
    assert isinstance(strategy, d.Strategy)
    assert isinstance(d.get_replica_context(), d.ReplicaContext)
    x = tf.constant([1.0, 3.0])
    with tf.Session() as session:
        assert session.run([strategy.reduce(op, x, axis=0) for op in (d.ReduceOp.SUM, "mean")]) == [4.0, 2.0]
    assert d.get_replica_context().all_reduce("sum", x) is x
    with pytest.raises(ValueError, match="MAX"):
        strategy.reduce("max", x)


def test_one_core_runs_what_many_would():
    x = tf.constant([1.0, 2.0])
    (out,) = tf.tpu.replicate(lambda a: [a * 2.0], [[x]])
    beside = tf.tpu.outside_compilation(tf.add, x, y=1.0)
    with tf.Session() as session:
        doubled, added = session.run([out, beside])
    assert (doubled[0].tolist(), added.tolist()) == ([2.0, 4.0], [2.0, 3.0])
    with pytest.raises(tf.errors.UnimplementedError, match="2 cores"):
        tf.tpu.replicate(lambda a: a, [[x], [x]])
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(tf.train.ClusterSpec({"worker": ["a:1"]}))
    assert isinstance(resolver, tf.distribute.cluster_resolver.ClusterResolver)
    with pytest.raises(NotImplementedError):
        tf.distribute.cluster_resolver.ClusterResolver().cluster_spec()


def test_names_that_are_there_for_old_programs(tmp_path):
    with tf.errors.raise_exception_on_not_ok_status() as status:
        assert status is None
    assert tf.resource_loader.readahead_file_path("x") == "x"
    with tf.Session() as session:
        out, index = session.run(tf.listdiff([1, 2, 3, 4], [2, 4]))
        stitched = session.run(tf.parallel_dynamic_stitch([[0, 2], [1]], [[1.0, 3.0], [2.0]]))
        rows = session.run(tf.IndexedSlices(tf.ones([1, 2]), tf.constant([3])))
    assert (out.tolist(), index.tolist(), stitched.tolist()) == ([1, 3], [0, 2], [1.0, 2.0, 3.0])
    assert isinstance(rows, tf.IndexedSlicesValue)
    assert rows.indices.tolist() == [3]


def test_a_summary_of_a_tensor_keeps_its_description():
    made = tf.summary.tensor_summary("n", tf.constant([1.0]), display_name="shown").op.node_def
    with pytest.raises(ValueError, match="Const"):
        tf.summary.get_summary_description(tf.constant(1.0).op.node_def)
    assert made.op == "TensorSummaryV2"
    old = tf.NodeDef(op="TensorSummary")
    old.attr["description"].s = b'{"type_hint": "text"}'
    assert tf.summary.get_summary_description(old).type_hint == "text"


def test_main_runs_the_tests_of_a_program(monkeypatch):
    ran = []

    class Small(tf.test.TestCase):
        def test_one(self):
            ran.append(self.evaluate(tf.constant(1.0)))

    module = type(tf)("program")
    module.Small = Small
    monkeypatch.setitem(__import__("sys").modules, "__main__", module)
    with pytest.raises(SystemExit) as ended:
        tf.test.main(["program"])
    assert ended.value.code in (0, False)
    assert ran == [1.0]


def test_main_runs_the_benchmarks_that_are_asked_for(capsys):
    ran = []

    class Times(tf.test.Benchmark):
        def benchmark_sum(self):
            ran.append("sum")
            self.report_benchmark(name="sum", iters=3, wall_time=0.5)

        def benchmark_product(self):
            ran.append("product")

    tf.test.main(["program", "--benchmarks=Times.benchmark_s"])
    assert ran == ["sum"]
    assert "name: Times.sum  iters: 3  wall_time: 0.5" in capsys.readouterr().err


def test_main_parses_the_flags_of_the_program(monkeypatch):
    tf.flags.DEFINE_integer("modes_count", 1, "")
    seen = []

    class Small(tf.test.TestCase):
        def test_one(self):
            seen.append(tf.flags.FLAGS["modes_count"].value)

        def test_other(self):
            seen.append("not asked for")

    module = type(tf)("program")
    module.Small = Small
    monkeypatch.setitem(__import__("sys").modules, "__main__", module)
    with pytest.raises(SystemExit):
        tf.test.main(["program", "--modes_count=5", "Small.test_one"])
    assert seen == [5]


def test_flags_are_defined_read_and_reset():
    tf.flags.DEFINE_bool("modes_loud", False, "")
    tf.flags.DEFINE_float("modes_rate", 0.5, "")
    tf.flags.DEFINE_string("modes_name", default_value="x", docstring="as 0.x called it")
    flags = tf.flags.FLAGS
    flags(["program", "--modes_loud", "--modes_rate=2"])
    assert (flags.modes_loud, flags.modes_rate, flags.modes_name) == (True, 2.0, "x")
    for name in ("modes_loud", "modes_rate", "modes_name"):
        delattr(flags, name)


def test_the_style_of_keras_is_for_good(monkeypatch):
    monkeypatch.setattr("thalweg._src.lib.layers.base._keras_style", False)
    tf.layers.experimental.set_keras_style()
    first, second = tf.layers.Dense(1, name="d"), tf.layers.Dense(1, name="d")
    for layer in (first, second):
        layer(tf.ones([1, 1]))
    assert [w.name for w in second.weights] == ["d_1/kernel:0", "d_1/bias:0"]
