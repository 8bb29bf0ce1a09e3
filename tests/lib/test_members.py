"""Members of public classes that hardly a program asks for; what they give was read off TensorFlow 1.15."""

import sys

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat.internals.pywrap_tensorflow import EqualGraphDefWrapper
from thalweg._src.lib.graph_differences import difference
from thalweg._src.ops.stateful.variable_store import variable_store


def test_layers_are_not_connected():
    layer = tf.layers.Dense(3)
    x = tf.placeholder(tf.float32, [None, 4])
    layer(x)
    for name in ("input", "output", "input_mask", "output_mask", "input_shape", "output_shape"):
        with pytest.raises(AttributeError, match="connected|inbound|never been called"):
            getattr(layer, name)
        with pytest.raises(RuntimeError, match="never been called"):
            getattr(layer, f"get_{name}_at")(0)
    assert layer.metrics == layer.inbound_nodes == layer.outbound_nodes == []
    assert not layer.dynamic
    assert tf.layers.Dense(3, dynamic=True).dynamic
    assert layer.compute_mask(x) is None
    assert layer.compute_mask(x, x) is x
    assert layer.compute_output_signature(tf.TensorSpec([2, 4], tf.float32)) == tf.TensorSpec([2, 3], tf.float32)
    with pytest.raises(TypeError, match="Only TensorSpec"):
        layer.compute_output_signature([2, 4])
    with pytest.raises(tf.errors.UnimplementedError, match="metrics"):
        layer.add_metric(x, aggregation="mean", name="m")


def test_layers_and_operators_are_parts_of_modules():
    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.dense = tf.layers.Dense(2)
            self.operator = tf.linalg.LinearOperatorIdentity(2)

    net = Net()
    net.dense(tf.zeros([1, 3]))
    assert net.submodules == (net.dense, net.operator)
    assert {v.name for v in net.variables} == {"dense/kernel:0", "dense/bias:0"}
    both = tf.linalg.LinearOperatorComposition([net.operator, net.operator])
    assert both.submodules == (net.operator,)
    assert both.variables == both.trainable_variables == ()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Normal", ["loc", "scale"]),
        ("Uniform", ["low", "high"]),
        ("Laplace", ["loc", "scale"]),
        ("Beta", ["concentration1", "concentration0"]),
        ("StudentT", ["df", "loc", "scale"]),
        ("Gamma", ["concentration", "rate"]),
        ("Exponential", ["rate"]),
        ("Bernoulli", ["logits"]),
    ],
)
def test_shapes_of_parameters(name, parameters):
    kind = getattr(tf.distributions, name)
    assert {n: s.as_list() for n, s in kind.param_static_shapes([2, 3]).items()} == {n: [2, 3] for n in parameters}
    made = kind.param_shapes(tf.TensorShape([2, 3]).as_list())
    assert [t.op.name for t in made.values()] == ["DistributionParamShapes_1/Const"] * len(parameters)
    with pytest.raises(ValueError, match="fully-defined"):
        kind.param_static_shapes(tf.placeholder(tf.int32, [2]))
    with pytest.raises(NotImplementedError):
        tf.distributions.Categorical.param_static_shapes([2])


def test_indexed_slices_spec():
    spec = tf.IndexedSlicesSpec([3, 4])
    assert repr(spec) == (
        "IndexedSlicesSpec(TensorShape([Dimension(3), Dimension(4)]), tf.float32, tf.int64, None, TensorShape([Dimension(None)]))"
    )
    slices = tf.IndexedSlices(tf.zeros([2, 4]), tf.constant([0, 1], tf.int64), tf.constant([3, 4]))
    assert not spec.is_compatible_with(slices)
    assert tf.IndexedSlicesSpec([None, 4], dense_shape_dtype=tf.int32).is_compatible_with(slices)
    made = spec.most_specific_compatible_type(tf.IndexedSlicesSpec([5, 4]))
    assert made == tf.IndexedSlicesSpec([None, 4])
    assert made.value_type is tf.IndexedSlices


def test_small_members():
    ragged = tf.ragged.constant([[1], [2, 3]])
    assert tf.RaggedTensorSpec.from_value(ragged) == tf.RaggedTensorSpec([2, None], tf.int32)
    assert tf.TensorArray(tf.float32, 3, dynamic_size=True).dynamic_size
    frame = tf.constant(1).op.traceback_with_start_lines[-1]
    assert len(frame) == 5
    assert frame[-1] <= frame[1]
    assert tf.config.experimental.VirtualDeviceConfiguration(3) == (3,)
    options = tf.data.Options()
    options.experimental_optimization.autotune_buffers = True
    assert "inject_prefetch" in options._static_optimizations()
    assert not tf.compat.forward_compatible(2030, 1, 1)
    with tf.compat.forward_compatibility_horizon(2030, 1, 1):
        assert tf.compat.forward_compatible(2029, 1, 1)
    with tf.errors.raise_exception_on_not_ok_status() as status:
        assert status is None
    profiler = tf.profiler.Profiler()
    for view in (profiler.profile_graph, profiler.profile_python):
        with pytest.raises(tf.errors.UnimplementedError, match="no view"):
            view({})


def test_compiled_values_come_as_a_list():
    def compiled(f):
        return tf.xla.experimental.compile(f, [tf.constant(1)])

    one, two = compiled(lambda a: a + 1), compiled(lambda a: (a + 1, a))
    assert isinstance(one, list)
    assert isinstance(two, list)
    assert one[0].op.name == "output_0"
    assert isinstance(compiled(lambda a: {"x": a})["x"], tf.Tensor)
    assert isinstance(compiled(lambda a: tf.no_op()), tf.Operation)
    with tf.Session() as sess:
        assert sess.run([one, two]) == [[2], [2, 1]]


def test_the_scope_of_a_variable_takes_its_arguments_in_order():
    scope = tf.VariableScope(False, name="s")
    v = scope.get_variable(variable_store(), "v", [2], tf.float32, tf.ones_initializer(), None, False, False)
    assert v.name == "s/v:0"
    assert v not in tf.trainable_variables()
    local = tf.get_local_variable("w", [1], tf.float32, None, None, False, None, None, None, True, True)
    assert tf.local_variables() == [local]


def test_stubs():
    class Clock:
        now = 1

        @staticmethod
        def tick():
            return "tick"

    stubs = tf.test.StubOutForTesting()
    stubs.Set(Clock, "now", 2)
    stubs.Set(Clock, "tick", lambda: "tock")
    stubs.SmartSet(Clock, "now", 3)
    assert (Clock.now, Clock.tick()) == (3, "tock")
    stubs.CleanUp()
    assert (Clock.now, Clock().tick()) == (1, "tick")
    with pytest.raises(AttributeError):
        stubs.SmartSet(Clock, "then", 1)


class _Case(tf.test.TestCase):
    def runTest(self):
        pass


def test_assertions_of_commands_and_structures():
    case = _Case()
    case.assertCommandSucceeds([sys.executable, "-c", "print('hi')"], [b"h."])
    case.assertCommandFails([sys.executable, "-c", "raise SystemExit('no')"], ["no"])
    with pytest.raises(AssertionError, match="error code 3"):
        case.assertCommandSucceeds([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(AssertionError, match="expected to fail"):
        case.assertCommandFails([sys.executable, "-c", ""], [b""])
    case.assertSameStructure({"a": [1, 2]}, {"a": [1, 2]})
    with pytest.raises(AssertionError, match=r"a\['a'\]\[1\] is 2 but b\['a'\]\[1\] is 3"):
        case.assertSameStructure({"a": [1, 2]}, {"a": [1, 3]})
    with pytest.raises(AssertionError, match="lacks"):
        case.assertSameStructure({"a": 1}, {"b": 1})


def test_differences_of_graphs():
    def graph(**more):
        node = {"name": "c", "op": "Add", "input": ["a", "b:0", "^d", "^e"], **more}
        return tf.GraphDef(node=[{"name": "a", "op": "NoOp"}, node])

    one = graph()
    same = graph(input=["a:0", "b", "^e", "^d"])
    same.node[1].attr["_output_shapes"].i = 1
    same.node.reverse()
    same.versions.producer = 9
    tf.test.assert_equal_graph_def(one, same)
    assert difference(one, same) == ""
    assert EqualGraphDefWrapper(one.SerializeToString(), graph(op="Sub").SerializeToString()).startswith(
        "Node named 'c'"
    )
    for more, words in (
        ({"op": "Sub"}, "has op 'Add'"),
        ({"device": "/cpu:0"}, "has device"),
        ({"input": ["b", "a", "^d", "^e"]}, "has inputs"),
        ({"input": ["a", "b", "^d"]}, "has inputs"),
        ({"attr": {"T": {"i": 1}}}, "has attr 'T'"),
        ({"name": "x"}, "Did not find expected node 'x'"),
    ):
        assert words in difference(one, graph(**more))
    assert difference(one, tf.GraphDef()) == "Found unexpected node 'a'"


def test_assertions_of_graphs(monkeypatch, tmp_path):
    case = _Case()
    case.assertProtoEqualsVersion("", tf.Graph().as_graph_def())
    with pytest.raises(AssertionError):
        case.assertProtoEqualsVersion("node { name: 'a' op: 'NoOp' }", tf.Graph().as_graph_def())
    one, other = (
        tf.GraphDef.FromString(tf.GraphDef(node=[{"name": "t", "op": "HashTableV2"}]).SerializeToString()) for _ in "ab"
    )
    one.node[0].attr["shared_name"].s = b"table_1"
    tf.test.assert_equal_graph_def(one, other, hash_table_shared_name=True)
    with pytest.raises(AssertionError):
        tf.test.assert_equal_graph_def(one, other)
    part = tf.GraphDef(node=[{"name": "t", "op": "Const"}])
    part.node[0].attr["value"].tensor.string_val.append(b"_temp_" + b"0" * 32 + b"/part")
    tf.test.assert_equal_graph_def(part, tf.GraphDef(node=[{"name": "t", "op": "Const"}]), checkpoint_v2=True)
    monkeypatch.setenv("TEST_SRCDIR", str(tmp_path))
    assert tf.test.test_src_dir_path("a") == str(tmp_path / "org_tensorflow/tensorflow/a")


def test_captured_writes(capfd):
    with capfd.disabled(), _Case().captureWritesToStream(sys.__stderr__) as written:
        print("hello", file=sys.__stderr__)
    assert written.contents() == "hello\n"


def test_names_of_arguments():
    x = tf.placeholder(tf.float32, [None, 3])
    assert tf.ensure_shape(x=x, shape=[2, None], name="e").shape.as_list() == [2, 3]
    zeros = tf.linalg.LinearOperatorZeros(2)
    with tf.Session() as sess:
        assert np.array_equal(sess.run(zeros.add_to_tensor(mat=tf.eye(2))), np.eye(2))
        ragged = tf.ragged.map_flat_values(op=tf.square, x=tf.ragged.constant([[1], [2, 3]]))
        assert sess.run(ragged).to_list() == [[1], [4, 9]]
    assert tf.nest.is_nested(seq=[1])
    assert tf.TensorSpec([2], tf.int32).is_compatible_with(spec_or_tensor=tf.zeros([2], tf.int32))
