"""What programs use around a graph: files, flags, text, variables and their scopes, summaries, trees, graphs, modes."""

import logging
import os

import numpy as np

from . import raised


def apart(f):
    """A program in a graph and session of its own, given a folder."""

    def run(tf, folder):
        with tf.Graph().as_default(), tf.Session() as session:
            return f(tf, os.path.join(folder, f.__name__), session)

    return run


@apart
def gfile(tf, folder, session):
    g, found = tf.gfile, []
    g.MkDir(folder)
    g.MakeDirs(os.path.join(folder, "a/b"))
    one, two = os.path.join(folder, "a/one.txt"), os.path.join(folder, "two.txt")
    with g.GFile(one, "w") as f:
        f.write("first\nsecond\n")
    g.Copy(one, two)
    found.append(raised(g.Copy, one, two))
    found.append([g.Exists(two), g.Exists(two + "x"), g.IsDirectory(folder), g.IsDirectory(two), g.Stat(two).length])
    found.append(sorted(name.strip("/") for name in g.ListDirectory(folder)))
    found.append([os.path.relpath(p, folder) for p in g.Glob(os.path.join(folder, "*.txt"))])
    found.append([[os.path.relpath(top, folder), sorted(d), sorted(f)] for top, d, f in g.Walk(folder)])
    g.Rename(two, os.path.join(folder, "three"), overwrite=True)
    g.Remove(one)
    found.append([raised(g.Remove, one), raised(g.ListDirectory, two), raised(g.Stat, two)])
    g.DeleteRecursively(folder)
    return found + [g.Exists(folder)]


@apart
def io_gfile(tf, folder, session):
    g, found = tf.io.gfile, []
    g.mkdir(folder)
    with g.GFile(os.path.join(folder, "x"), "wb") as f:
        f.write(b"12345")
    found.append([g.isdir(folder), g.stat(os.path.join(folder, "x")).length])
    found.append([[os.path.relpath(top, folder), d, f] for top, d, f in g.walk(folder)])
    g.remove(os.path.join(folder, "x"))
    return found + [g.listdir(folder), raised(g.remove, os.path.join(folder, "x"))]


FILES = {"tf.gfile.Copy": gfile, "tf.io.gfile.mkdir": io_gfile}

TEXT = {
    "tf.compat.as_bytes": lambda tf: [
        tf.compat.as_bytes("\u00f6"),
        tf.compat.as_bytes(b"x"),
        raised(tf.compat.as_bytes, 3),
    ],
    "tf.compat.as_text": lambda tf: [tf.compat.as_text(b"x"), tf.compat.as_text("y"), raised(tf.compat.as_text, 3)],
    "tf.compat.as_str": lambda tf: tf.compat.as_str(b"x"),
    "tf.compat.as_str_any": lambda tf: [tf.compat.as_str_any(v) for v in (b"x", "y", 3)],
    "tf.compat.path_to_str": lambda tf: tf.compat.path_to_str("x"),
    "tf.compat.forward_compatible": lambda tf: tf.compat.forward_compatible(2018, 1, 1),
    "tf.dimension_value": lambda tf: [tf.dimension_value(v) for v in (tf.Dimension(3), tf.Dimension(None), 4, None)],
    "tf.dimension_at_index": lambda tf: [
        str(tf.dimension_at_index(shape, 1)) for shape in (tf.TensorShape([2, 3]), tf.TensorShape(None))
    ],
    "tf.Dimension": lambda tf: [str(tf.Dimension(7) // 2), str(tf.Dimension(None) + 1), raised(tf.Dimension, -1)],
    "tf.DeviceSpec": lambda tf: [
        tf.DeviceSpec(job="ps", task=1, device_type="CPU", device_index=0).to_string(),
        tf.DeviceSpec.from_string("/job:worker/replica:2/gpu:1").replica,
    ],
    "tf.DType": lambda tf: [
        tf.DType(1).name,
        tf.DType(3) == tf.int32,
        isinstance(tf.float64, tf.DType),
        raised(tf.DType, -1),
    ],
    "tf.is_tensor": lambda tf: [tf.is_tensor(v) for v in (tf.constant(1), np.zeros(1), 3, tf.Variable(1.0))],
    "tf.get_static_value": lambda tf: [
        tf.get_static_value(tf.constant([1, 2])),
        tf.get_static_value(tf.placeholder(tf.int32)),
    ],
    "tf.make_tensor_proto": lambda tf: tf.make_ndarray(tf.make_tensor_proto(np.float32([[1, 2]]))),
    "tf.make_ndarray": lambda tf: tf.make_ndarray(tf.make_tensor_proto(["a", "b"], shape=[2])),
    "tf.nest.assert_same_structure": lambda tf: [
        raised(tf.nest.assert_same_structure, [1, (2, 3)], other) for other in ([4, (5, 6)], [4, 5], [4, [5, 6]])
    ],
    "tf.nest.map_structure": lambda tf: tf.nest.map_structure(lambda a, b: a + b, {"x": (1, 2)}, {"x": (10, 20)}),
    "tf.nest.pack_sequence_as": lambda tf: tf.nest.pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3]),
    "tf.nest.is_nested": lambda tf: [tf.nest.is_nested(v) for v in ([1], {"a": 1}, "text", 3)],
    "tf.errors.OpError": lambda tf: [
        [e.__name__, e(None, None, "said").error_code, e(None, None, "said").message, issubclass(e, tf.errors.OpError)]
        for e in [getattr(tf.errors, name) for name in KINDS]
    ],
    "tf.errors.error_code_from_exception_type": lambda tf: [
        tf.errors.error_code_from_exception_type(getattr(tf.errors, name)) for name in KINDS
    ],
    "tf.errors.exception_type_from_error_code": lambda tf: [
        tf.errors.exception_type_from_error_code(code).__name__ for code in range(1, 17)
    ],
    "tf.SparseFeature": lambda tf: list(tf.SparseFeature(["i"], "v", tf.float32, [5])),
    "tf.logging.error": lambda tf: logged(tf),
    "tf.feature_column": lambda tf: tf.feature_column.__name__.split(".")[-1],
    "tf.test.is_built_with_cuda": lambda tf: tf.test.is_built_with_cuda(),
    "tf.test.is_gpu_available": lambda tf: tf.test.is_gpu_available(),
    "tf.test.gpu_device_name": lambda tf: tf.test.gpu_device_name(),
    "tf.test.benchmark_config": lambda tf: type(tf.test.benchmark_config()).__name__,
    "tf.test.get_temp_dir": lambda tf: os.path.isdir(tf.test.get_temp_dir()),
    "tf.test.compute_gradient": lambda tf: derived(tf),
    "tf.test.assert_equal_graph_def": lambda tf: compared(tf),
}
KINDS = ["InternalError", "PermissionDeniedError", "ResourceExhaustedError", "UnauthenticatedError", "UnavailableError"]


def logged(tf):
    """What is said at each level of verbosity."""
    heard = []

    class Ear(logging.Handler):
        def emit(self, record):
            if len(record.getMessage()) < 4:  # what is said here, not what TensorFlow says of it
                heard.append([record.levelname, record.getMessage()])

    ear, before = Ear(), tf.logging.get_verbosity()
    logger = logging.getLogger("tensorflow")
    logger.addHandler(ear)
    try:
        for level in (tf.logging.WARN, tf.logging.DEBUG):
            tf.logging.set_verbosity(level)
            tf.logging.debug("d%d", level)
            tf.logging.error("e%d", level)
            tf.logging.fatal("f%d", level)
            tf.logging.log(tf.logging.WARN, "l%d", level)
            tf.logging.vlog(tf.logging.INFO, "v%d", level)
            tf.logging.TaskLevelStatusMessage("t")
    finally:
        logger.removeHandler(ear)
        tf.logging.set_verbosity(before)
    return heard


def derived(tf):
    with tf.Graph().as_default(), tf.Session():
        x = tf.constant([1.0, 2.0])
        theory, numbers = tf.test.compute_gradient(x, [2], x * x, [2], x_init_value=np.float32([1.0, 2.0]))
        return [theory, np.round(numbers, 2), bool(tf.test.compute_gradient_error(x, [2], x * x, [2]) < 1e-2)]


def compared(tf):
    def graph(value):
        with tf.Graph().as_default() as g:
            tf.constant(value, name="c")
            return g.as_graph_def()

    check = tf.test.assert_equal_graph_def
    return [raised(check, graph(1.0), graph(1.0)), raised(check, graph(1.0), graph(2.0))]


@apart
def collections(tf, folder, session):
    tf.add_to_collection("a", 1)
    tf.add_to_collections(["a", "b"], 2)
    tf.get_collection_ref("a").append(3)
    tf.add_to_collections("c", 4)
    return [tf.get_collection(k) for k in "abc"] + [tf.get_default_session() is session]


@apart
def names(tf, folder, session):
    with tf.colocate_with(tf.constant(1.0, name="a").op):
        b = tf.constant(2.0, name="b")
    tf.set_random_seed(5)
    tf.constant(0)
    return [b.op.colocation_groups(), list(tf.get_seed(3)), list(tf.get_seed(None))]


@apart
def resets(tf, folder, session):
    return raised(tf.reset_default_graph)


@apart
def converted(tf, folder, session):
    class Meters(object):
        def __init__(self, value):
            self.value = value

    def convert(value, dtype=None, name=None, as_ref=False):
        return tf.constant(value.value, dtype=dtype, name=name)

    tf.register_tensor_conversion_function(Meters, convert)
    return session.run(tf.add(Meters(2.0), 1.0))


@apart
def own_gradient(tf, folder, session):
    @tf.RegisterGradient("PublicTables")
    def _(op, g):
        return 42.0 * g

    x = tf.constant(2.0)
    with tf.get_default_graph().gradient_override_map({"Square": "PublicTables"}):
        y = tf.square(x)
    tf.NotDifferentiable("PublicTablesNone")
    zeros = tf.gradients(tf.constant(1.0), x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    g = tf.gradients(y, x, aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE)
    return session.run([g, zeros]) + [raised(tf.RegisterGradient("PublicTables"), own_gradient)]


@apart
def scopes(tf, folder, session):
    found = []
    with tf.variable_op_scope([tf.constant(1.0)], "one", "default"):
        found.append(tf.get_variable("v", [1]).name)
        scope = tf.get_variable_scope()
        found.append([scope.name, scope.reuse is True, isinstance(scope, tf.VariableScope)])
    with tf.op_scope([tf.constant(1.0)], "named", "default"):
        found.append(tf.constant(1.0, name="c").name)
    local = tf.get_local_variable("l", [], initializer=tf.zeros_initializer())
    tf.Variable(1.0, collections=[tf.GraphKeys.MODEL_VARIABLES, tf.GraphKeys.GLOBAL_VARIABLES], name="m")
    v = tf.Variable(2.0, name="averaged")
    tf.train.ExponentialMovingAverage(0.5).apply([v])
    found.append([[x.name for x in f()] for f in (tf.local_variables, tf.model_variables, tf.moving_average_variables)])
    with tf.variable_scope("plain", regularizer=tf.no_regularizer):
        tf.get_variable("w", [])
    found.append(len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)))
    session.run(tf.variables_initializer([local]))
    found.append(sorted(n.decode() for n in session.run(tf.report_uninitialized_variables())))
    found.append([raised(session.run, tf.assert_variables_initialized([v])), session.run(local)])
    session.run([tf.initialize_variables([v]), tf.initialize_local_variables(), tf.initialize_all_tables()])
    return found + [session.run(v)]


@apart
def partitions(tf, folder, session):
    found = []
    for partitioner in (
        tf.fixed_size_partitioner(3, axis=1),
        tf.variable_axis_size_partitioner(40, axis=0),
        tf.min_max_variable_partitioner(max_partitions=4, min_slice_size=64),
    ):
        found.append(list(partitioner(shape=tf.TensorShape([8, 9]), dtype=tf.float32)))
    slices = tf.create_partitioned_variables([4, 3], [2, 1], tf.constant_initializer(2.0), name="parts")
    session.run(tf.global_variables_initializer())
    return found + [[v.name for v in slices], session.run(slices), found and slices[1]._get_save_slice_info().spec]


@apart
def templates(tf, folder, session):
    scale = tf.make_template("scale", lambda x: x * tf.get_variable("w", initializer=3.0))
    values = [scale(tf.constant(v)) for v in (1.0, 2.0)]
    session.run(tf.global_variables_initializer())
    return [session.run(values), [v.name for v in scale.variables], scale.var_scope.name]


@apart
def scattered(tf, folder, session):
    v = tf.get_variable("v", initializer=np.zeros([2, 3], np.float32), use_resource=False)
    session.run(v.initializer)
    return session.run(tf.batch_scatter_update(v, [[0], [2]], [[5.0], [7.0]]))


@apart
def kinds(tf, folder, session):
    v = tf.get_variable(
        "v", [], aggregation=tf.VariableAggregation.MEAN, synchronization=tf.VariableSynchronization.ON_WRITE
    )
    return [str(v.aggregation), str(v.synchronization), raised(tf.get_variable, "w", [], aggregation=7)]


@apart
def frozen(tf, folder, session):
    v = tf.get_variable("v", initializer=3.0)
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.identity(tf.stop_gradient(x * v), name="y")
    z = tf.add(y, 1.0, name="z")
    session.run(v.initializer)
    g = tf.graph_util
    made = g.convert_variables_to_constants(session, session.graph_def, ["y"])
    part = g.extract_sub_graph(session.graph_def, ["x"])
    lean = g.remove_training_nodes(made)
    types = [sorted((n.name, n.op) for n in d.node) for d in (made, part, lean)]
    shape = g.tensor_shape_from_node_def_name(session.graph, "z").as_list()
    return types + [shape, g.must_run_on_cpu(z.op), g.must_run_on_cpu(tf.constant("a").op)]


GRAPHS = {
    "tf.add_to_collection": collections,
    "tf.colocate_with": names,
    "tf.reset_default_graph": resets,
    "tf.register_tensor_conversion_function": converted,
    "tf.RegisterGradient": own_gradient,
    "tf.NotDifferentiable": lambda tf: raised(tf.NotDifferentiable, 7),
    "tf.get_variable_scope": scopes,
    "tf.fixed_size_partitioner": partitions,
    "tf.make_template": templates,
    "tf.batch_scatter_update": scattered,
    "tf.VariableAggregation": kinds,
    "tf.graph_util.extract_sub_graph": frozen,
}


@apart
def summaries(tf, folder, session):
    x = tf.constant([1.0, 2.0, 4.0])
    tf.summary.histogram("h", x)
    tf.summary.text("t", tf.constant("words"))
    tf.summary.tensor_summary("n", x, display_name="shown", summary_description="described")
    merged = tf.summary.merge_all()
    summary = tf.Summary.FromString(session.run(merged))
    found = [[v.tag, v.WhichOneof("value"), v.metadata.plugin_data.plugin_name] for v in summary.value]
    os.makedirs(folder)
    first = tf.summary.FileWriterCache.get(folder)
    found.append(first is tf.summary.FileWriterCache.get(folder))
    tf.summary.FileWriterCache.clear()
    return found


SUMMARIES = {"tf.summary.initialize": lambda tf: raised(tf.summary.initialize), "tf.summary.histogram": summaries}


def modes(tf):
    """Switches, each put back."""
    found = [tf.resource_variables_enabled(), tf.executing_eagerly()]
    tf.enable_resource_variables()
    found.append(tf.resource_variables_enabled())
    tf.disable_resource_variables()
    found.append(tf.resource_variables_enabled())
    return found


MODES = {"tf.enable_resource_variables": modes}
TABLES = {"files": FILES, "text": TEXT, "graphs": GRAPHS, "summaries": SUMMARIES, "modes": MODES}
