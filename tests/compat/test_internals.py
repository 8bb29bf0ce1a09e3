"""Internal modules of TensorFlow that programs import, served by the hook."""

import importlib
import unittest

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat import hook


@pytest.fixture(autouse=True)
def served():
    before = hook.installed()
    hook.install()
    yield
    if not before:
        hook.uninstall()


def internal(name):
    return importlib.import_module("tensorflow.python." + name)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("autograph", "convert to_graph stack do_not_convert"),
        ("client.device_lib", "list_local_devices"),
        ("client.timeline", "Timeline"),
        ("data.experimental.ops.threadpool", "override_threadpool PrivateThreadPool"),
        ("data.ops.multi_device_iterator_ops", "MultiDeviceIterator"),
        ("distribute.all_reduce", "build_ring_all_reduce build_shuffle_all_reduce"),
        ("framework.device", "DeviceSpec merge_device"),
        ("framework.meta_graph", "read_meta_graph_file import_scoped_meta_graph stripped_op_list_for_graph"),
        ("ops.collective_ops", "all_reduce broadcast_send"),
        ("platform.flags", "FLAGS DEFINE_enum DEFINE_list BooleanParser"),
        ("tools.optimize_for_inference_lib", "optimize_for_inference"),
        ("training.slot_creator", "create_slot create_zeros_slot"),
        ("framework.tensor_shape", "TensorShape scalar vector matrix"),
        ("framework.tensor_util", "make_tensor_proto make_ndarray constant_value is_tensor"),
        ("layers.utils", "smart_cond constant_value convert_data_format"),
        ("lib.io.file_io", "FileIO read_file_to_string write_string_to_file"),
        ("ops.control_flow_ops", "cond while_loop with_dependencies tuple group"),
        ("ops.constant_op", "constant"),
        ("ops.lookup_ops", "index_table_from_tensor StaticHashTable"),
        ("ops.op_selector", "get_backward_walk_ops"),
        ("ops.rnn_cell", "LSTMCell linear"),
        ("platform.tf_logging", "INFO info set_verbosity"),
        ("training.moving_averages", "ExponentialMovingAverage assign_moving_average"),
        ("util.deprecation", "deprecated deprecated_args"),
        ("util.nest", "is_sequence flatten map_structure"),
        ("util.tf_inspect", "getargspec getfullargspec ismethod"),
        ("ops.variables", "PartitionedVariable Variable global_variables_initializer"),
        ("ops.variable_scope", "variable_creator_scope VariableScope get_variable"),
    ],
)
def test_names_are_there(module, names):
    found = internal(module)
    for name in names.split():
        assert getattr(found, name) is not None


def test_devices():
    devices = internal("client.device_lib").list_local_devices()
    assert devices[0].name == "/device:CPU:0"
    assert devices[0].device_type == "CPU"


def test_shapes_by_rank():
    shapes = internal("framework.tensor_shape")
    assert shapes.scalar().as_list() == []
    assert shapes.matrix(2, None).as_list() == [2, None]
    assert shapes.dimension_at_index(tf.TensorShape([4, 5]), 1).value == 5


def test_conditions_that_are_known_are_decided_at_once():
    utils = internal("layers.utils")
    assert utils.smart_cond(True, lambda: "yes", lambda: "no") == "yes"
    assert utils.smart_cond(tf.constant(False), lambda: "yes", lambda: "no") == "no"
    fed = tf.placeholder(tf.bool, [])
    y = utils.smart_cond(fed, lambda: tf.constant(1), lambda: tf.constant(2))
    with tf.Session() as session:
        assert [session.run(y, {fed: v}) for v in (True, False)] == [1, 2]
    assert utils.convert_data_format("channels_first", 4) == "NCHW"
    assert utils.normalize_tuple(2, 3, "k") == (2, 2, 2)
    with pytest.raises(ValueError, match="tuple of 2"):
        utils.normalize_tuple([1, 2, 3], 2, "k")
    assert [utils.conv_output_length(7, 3, p, 2) for p in ("same", "valid", "full")] == [4, 3, 5]
    assert utils.deconv_output_length(4, 3, "valid", 2) == 9


def test_a_convolution_of_the_programs_own():
    convolutional, nn_ops = internal("layers.convolutional"), internal("ops.nn_ops")

    class Doubled(convolutional._Conv):
        def build(self, input_shape):
            shape = (*self.kernel_size, int(input_shape[-1]), self.filters)
            self.kernel = 2.0 * self.add_variable(name="kernel", shape=shape, initializer=tf.ones_initializer())
            self.bias = None
            self._convolution_op = nn_ops.Convolution(
                input_shape,
                filter_shape=self.kernel.get_shape(),
                dilation_rate=self.dilation_rate,
                strides=self.strides,
                padding=self.padding.upper(),
                data_format="NWC",
            )
            self.built = True

    layer = Doubled(rank=1, filters=2, kernel_size=2, dilation_rate=2, use_bias=False)
    y = layer(tf.constant([[[1.0], [2.0], [3.0], [4.0]]]))
    assert convolutional.Conv1D is tf.layers.Conv1D
    assert nn_ops.conv2d is tf.nn.conv2d
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y).tolist() == [[[8.0, 8.0], [12.0, 12.0]]]
    assert [v.name for v in layer.trainable_variables] == ["doubled/kernel:0"]


def test_arguments_below_decorators():
    inspect, functions = internal("util.tf_inspect"), internal("util.function_utils")
    decorator = internal("util.tf_decorator")

    def f(a, b=2, *c):
        return a

    wrapped = decorator.make_decorator(f, lambda *args: f(*args))
    assert inspect.getargspec(wrapped) == (["a", "b"], "c", None, (2,))
    assert functions.fn_args(wrapped) == ("a", "b")
    assert decorator.unwrap(wrapped) == ([], f)


def test_what_of_the_debugger_is_absent_says_so():
    debug = internal("debug")
    assert debug.has_inf_or_nan(None, np.array([1.0, np.nan]))
    assert not debug.has_inf_or_nan(None, np.array([1, 2]))
    with pytest.raises(NotImplementedError, match="tfdbg"):
        debug.TensorBoardDebugWrapperSession(None, "localhost:6064")


def test_decorators_of_test_cases():
    test_util = internal("framework.test_util")

    class Case(test_util.TensorFlowTestCase):
        @test_util.run_in_graph_and_eager_modes
        def test_graph(self):
            assert not tf.executing_eagerly()

        @test_util.run_v2_only
        def test_v2(self):
            self.fail()

    result = unittest.TestResult()
    for name in ("test_graph", "test_v2"):
        Case(name).run(result)
    assert not result.failures + result.errors
    assert len(result.skipped) == 1


def test_resources_are_in_collections():
    resources = internal("ops.resources")
    ready = tf.Variable(False)
    resources.register_resource(ready, tf.assign(ready, True).op, ready)
    make = resources.initialize_resources(resources.shared_resources())
    missing = resources.report_uninitialized_resources()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(missing).tolist() == [ready.name.encode()]
        session.run(make)
        assert session.run(missing).tolist() == []


def test_hooks_around_a_plain_session():
    made = internal("training.monitored_session")
    step = tf.Variable(0)
    one = tf.assign_add(step, 1)
    hook = tf.train.StopAtStepHook(last_step=2)
    tf.train.get_or_create_global_step()
    hook.begin()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        hooked = made._HookedSession(session, [hook])
        assert hooked.run(one) == 1
        assert not hooked.should_stop()


def test_a_pure_variable_scope_opens_no_name_scope():
    scopes = internal("ops.variable_scope")
    with scopes._pure_variable_scope("inner", dtype=tf.float64) as scope:
        v, c = tf.get_variable("v", [1]), tf.constant(1.0, name="c")
    assert (v.name, v.dtype.base_dtype, c.name) == ("inner/v:0", tf.float64, "c:0")
    with scopes._pure_variable_scope(scope, reuse=True):
        assert tf.get_variable("v", [1], dtype=tf.float64) is v
    assert scopes.variable_creator_scope is tf.variable_creator_scope
    assert scopes.get_variable is tf.get_variable


def test_the_open_variable_scope_is_in_a_collection():
    current = tf.get_collection_ref(internal("ops.variable_scope")._VARSCOPE_KEY)
    before = current[0]
    assert before is tf.get_variable_scope()
    current[0] = tf.VariableScope(None, name="there")
    try:
        assert tf.get_variable("v", [1]).op.name == "there/v"
    finally:
        current[0] = before
    assert tf.get_variable("v", [1]).op.name == "v"


def test_a_decorator_that_tells_of_its_arguments_has_its_say():
    inspect = internal("util.tf_inspect")

    def decorated(*args, **kwargs):
        """Whatever comes."""

    def below(x, y=1):
        """What is below."""

    decorated.__wrapped__ = below
    assert inspect.getargspec(decorated).args == ["x", "y"]

    def adapter(x, training=False):
        """Another form of it."""

    adapter.__wrapped__ = below
    assert inspect.getargspec(adapter).args == ["x", "training"]
    assert inspect.getargspec(tf.nn.relu).args == ["features", "name"]


def test_tools_of_checkpoints(tmp_path, capsys):
    from tensorflow.python.tools import freeze_graph, inspect_checkpoint

    x = tf.placeholder(tf.float32, [None, 2], name="x")
    w, v = tf.Variable([[1.0], [2.0]], name="w"), tf.Variable(3.0, use_resource=True, name="v")
    tf.add(tf.matmul(x, w), v, name="y")
    prefix, frozen = str(tmp_path / "model"), str(tmp_path / "frozen.pb")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        tf.train.Saver().save(sess, prefix)
    tf.train.write_graph(tf.get_default_graph(), str(tmp_path), "graph.pb", as_text=False)
    names = ("y", "save/restore_all", "save/Const:0", frozen, True, "")
    for graph, meta in ((str(tmp_path / "graph.pb"), None), (None, prefix + ".meta")):
        freeze_graph.freeze_graph(graph, None, True, prefix, *names, input_meta_graph=meta)
        graph_def = tf.GraphDef.FromString((tmp_path / "frozen.pb").read_bytes())
        assert not [n.op for n in graph_def.node if "Variable" in n.op or n.op == "VarHandleOp"]
        with tf.Graph().as_default(), tf.Session() as sess:
            (y,) = tf.import_graph_def(graph_def, return_elements=["y:0"])
            assert sess.run(y, {"import/x:0": [[1.0, 1.0]]}) == 6.0
    with pytest.raises(ValueError, match="doesn't exist"):
        freeze_graph.freeze_graph(str(tmp_path / "graph.pb"), None, True, "nothing", *names)
    with pytest.raises(OSError, match="does not exist"):
        freeze_graph.freeze_graph("nothing", None, True, prefix, *names)
    capsys.readouterr()
    inspect_checkpoint.print_tensors_in_checkpoint_file(prefix, "v", False)
    inspect_checkpoint.print_tensors_in_checkpoint_file(prefix, "", False, True, "w")
    inspect_checkpoint.print_tensors_in_checkpoint_file("nothing", "v", False)
    said = capsys.readouterr().out
    assert "tensor_name:  v\n3.0\n# Total number of params: 3\n" in said
    assert (
        "tensor_name:  w\n# Excluding 1 tensors (2 params) that match w when counting.\n# Total number of params: 1"
        in said
    )


def test_resource_variable_ops():
    from tensorflow.python.ops import resource_variable_ops as ops

    v, w = ops.ResourceVariable([1.0, 2.0]), tf.Variable(1.0)
    assert [ops.is_resource_variable(x) for x in (v, w, 3)] == [True, False, False]
    change = ops.resource_scatter_add(v.handle, [1], [5.0])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(change)
        assert sess.run(ops.read_variable_op(v.handle, dtype=tf.float32)).tolist() == [1.0, 7.0]


def test_generated_functions():
    nn, array = internal("ops.gen_nn_ops"), internal("ops.gen_array_ops")
    x = tf.constant([[[[1.0], [2.0]], [[4.0], [3.0]]]])
    ones = tf.ones([1, 1, 1, 1])
    for name in ("_max_pool_grad", "max_pool_grad"):
        largest = nn.max_pool(x, [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
        back = getattr(nn, name)(x, largest, ones, [1, 2, 2, 1], [1, 1, 1, 1], padding="VALID", name="back")
        with tf.Session() as sess:
            assert sess.run(back).ravel().tolist() == [0.0, 0.0, 1.0, 0.0]
    assert array._unique([1, 1, 2])._fields == ("y", "idx")
    with pytest.raises(AttributeError, match="no_such_function"):
        nn.no_such_function  # noqa: B018


def test_names_beside_the_public_ones(caplog):
    assert internal("platform.test").mock.patch.dict
    assert internal("framework.ops").EagerTensor.__name__ == "EagerTensor"
    deprecation = internal("util.deprecation")
    old = deprecation.deprecated(None, "another")(lambda: 3)
    with deprecation.silence():
        assert old() == 3
    assert not caplog.records
    with pytest.raises(ValueError):
        importlib.import_module("tensorflow.python.autograph").to_graph(len)


def test_rows_in_place():
    ops = internal("ops.inplace_ops")
    x = tf.zeros([3, 2])
    made = [ops.alias_inplace_update(x, 1, [1.0, 2.0]), ops.alias_inplace_add(x, [0, 2], tf.ones([2, 2]))]
    made.append(ops.alias_inplace_sub(x, None, tf.ones([3, 2])))
    with tf.Session() as sess:
        changed, added, less = sess.run(made)
    assert changed.tolist() == [[0, 0], [1, 2], [0, 0]]
    assert added.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert (less == -1).all()


def test_parts_of_graphs_by_name():
    util = internal("framework.graph_util_impl")
    with tf.Graph().as_default() as graph:
        tf.add(tf.exp(tf.constant(1.0, name="a"), name="b"), 1.0, name="c")
        tf.constant(2.0, name="d")
    inputs, nodes, places = util._extract_graph_summary(graph.as_graph_def())
    assert inputs["c"] == ["b", "c/y"]
    assert nodes["b"].op == "Exp"
    assert places["a"] == 0
    assert util._bfs_for_reachable_nodes(["b"], inputs) == {"a", "b"}


def test_names_of_contrib():
    cells = importlib.import_module("tensorflow.contrib.rnn.python.ops.core_rnn_cell")
    assert cells._linear is importlib.import_module("tensorflow").nn.rnn_cell._linear
    assert cells.EmbeddingWrapper is tf.contrib.rnn.EmbeddingWrapper
    assert cells._Linear
    with tf.Graph().as_default():
        x = tf.ones([2, 3])
        y = cells._linear([x, x], 4, True, bias_start=0.5, scope="of_0_12")
        assert [v.op.name for v in tf.global_variables()] == ["of_0_12/kernel", "of_0_12/bias"]
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            assert sess.run(y, {x: np.zeros([2, 3])}).tolist() == [[0.5] * 4] * 2
    inner, other = tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.GRUCell(4)
    wrapper = tf.nn.rnn_cell.DropoutWrapper(inner)
    assert wrapper._cell is inner
    wrapper._cell = other
    assert wrapper.output_size == 4
    assert tf.contrib.rnn.core_rnn_cell.MultiRNNCell is tf.contrib.rnn.MultiRNNCell
    slim = importlib.import_module("tensorflow").contrib.slim
    assert slim.init_ops.zeros_initializer is tf.zeros_initializer
    assert not hasattr(slim, "no_such_ops")
    cudnn = importlib.import_module("tensorflow.contrib.cudnn_rnn.python.ops.cudnn_rnn_ops")
    assert cudnn.CUDNN_RNN_BIDIRECTION == "bidirectional"
    assert cudnn.CudnnGRU
    assert importlib.import_module("tensorflow.contrib.hooks").ProfilerHook is tf.train.ProfilerHook


def test_old_columns_by_the_names_of_their_classes():
    from tensorflow.contrib.layers.python.layers import feature_column as internal_columns

    columns = tf.contrib.layers.feature_column
    sparse = columns.sparse_column_with_keys("word", ["a", "b"])
    varying = columns._real_valued_var_len_column("numbers", default_value=0)
    assert isinstance(varying, internal_columns._RealValuedVarLenColumn)
    assert isinstance(columns.bucketized_column(columns.real_valued_column("x"), [1.0]), columns._BucketizedColumn)
    assert sparse.lookup_config == columns._SparseIdLookupConfig(keys=("a", "b"), vocab_size=2, default_value=-1)
    assert varying.config["numbers"] == tf.FixedLenSequenceFeature([], tf.float32, True, 0.0)


def test_heads_by_the_names_that_they_had_first():
    from tensorflow.contrib.learn.python.learn.estimators import head

    assert head._multi_class_head is tf.contrib.learn.multi_class_head
    assert isinstance(head._multi_class_head(3), head._MultiClassHead)
    assert isinstance(head._regression_head(label_dimension=2), head.Head)


def test_initializers_of_2_x_give_the_same_numbers_for_a_seed():
    ours = internal("ops.init_ops_v2")
    # as TensorFlow 1.15 gives them
    want = {
        ours.TruncatedNormal(seed=3): [-0.03357924, 0.08380252, -0.04721227, 0.03039695, -0.02095366, -0.02478872],
        ours.RandomNormal(seed=3): [-0.03357924, 0.08380252, -0.04721227, 0.03039695, 0.06263925, 0.06762262],
        ours.RandomUniform(seed=3): [-0.03040872, 0.04393453, 0.00322752, 0.0341041, -0.03171884, -0.03810858],
        ours.GlorotNormal(seed=3): [-0.48287305, 1.20508921, -0.67891753, 0.43711135, -0.30131587, -0.35646439],
        ours.Orthogonal(seed=4): [-0.32356524, -0.87095481, 0.36978811, 0.63158906, -0.48980531, -0.60098743],
        ours.he_uniform(seed=5): [-1.51778471, 1.14893544, 1.64051926, -0.53779912, 0.0360496, -0.49494243],
    }
    with tf.Graph().as_default(), tf.Session() as sess:
        for initializer, values in want.items():
            np.testing.assert_allclose(sess.run(initializer([2, 3], dtype=tf.float32)).ravel(), values, rtol=1e-5)


def test_slices_of_one_row_are_summed():
    optimizer = internal("training.optimizer")
    with tf.Graph().as_default(), tf.Session() as sess:
        summed = optimizer._deduplicate_indexed_slices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([3, 1, 3]))
        values, rows = sess.run(summed)
    assert values.tolist() == [[5.0], [2.0]]
    assert rows.tolist() == [3, 1]


def test_confusion_over_batches():
    confusion = internal("ops.metrics_impl")._streaming_confusion_matrix
    with tf.Graph().as_default(), tf.Session() as sess:
        total, update = confusion(tf.constant([0, 1, 1]), tf.constant([0, 1, 0]), 2)
        sess.run(tf.local_variables_initializer())
        sess.run([update, update])
        sess.run(update)
        assert sess.run(total).tolist() == [[2, 0], [2, 2]]


def test_schemas_of_ops():
    registry = internal("framework.op_def_registry")
    assert [a.name for a in registry.get_registered_ops()["MatMul"].input_arg] == ["a", "b"]
    assert registry.get("Conv2D").output_arg[0].name == "output"
    assert registry.get("NoSuchOp") is None
