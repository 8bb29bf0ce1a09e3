"""`tensorflow.compat.v2`: the names that take other arguments there."""

import importlib
import inspect

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat import hook, second


@pytest.fixture(autouse=True)
def v2():
    before = hook.installed()
    hook.install()
    yield importlib.import_module("tensorflow.compat.v2")
    if not before:
        hook.uninstall()


def run(value):
    with tf.Session() as session:
        return session.run(value)


def test_arguments_stand_in_another_order(v2):
    assert run(v2.shape([[1, 2]], tf.int64)).dtype == np.int64
    assert run(v2.argmax([[1, 3], [4, 2]], 1, tf.int32)).tolist() == [1, 0]
    assert run(v2.pad([1], [[1, 1]], "CONSTANT", 7)).tolist() == [7, 1, 7]
    assert run(v2.where([True, False], 1, [5, 6])).tolist() == [1, 6]
    assert run(v2.math.count_nonzero(input=[0, 3, 4])) == 2
    assert run(v2.nn.dropout(tf.ones([4]), 0.0)).tolist() == [1, 1, 1, 1]


def test_signatures_are_those_that_were_recorded(v2):
    assert str(inspect.signature(v2.reduce_sum)) == "(input_tensor, axis=None, keepdims=False, name=None)"
    assert str(inspect.signature(v2.concat)) == "(values, axis, name='concat')"
    with pytest.raises(TypeError):
        v2.reduce_sum([1], keep_dims=True)


def test_what_is_the_same_is_the_same_object(v2):
    assert v2.exp is not None
    assert v2.Session is tf.Session
    assert v2.executing_eagerly is tf.executing_eagerly
    assert importlib.import_module("tensorflow.compat.v2.math").top_k is tf.math.top_k


def test_defaults_that_differ_are_said(v2):
    tf.set_random_seed(1)
    drawn = run(v2.random_normal_initializer(seed=2)([1000]))
    assert abs(float(np.std(drawn)) - 0.05) < 0.01


def test_variables_are_resource_variables(v2):
    v = v2.Variable([1.0], trainable=False, name="v")
    assert v.handle.dtype == tf.resource
    assert v not in tf.trainable_variables()
    assert isinstance(tf.Variable(1.0), v2.Variable)
    assert not isinstance(1.0, v2.Variable)


def test_a_while_loop_gives_back_the_structure_of_its_variables(v2):
    out = v2.while_loop(lambda i: i < 3, lambda i: (i + 1,), [0])
    assert isinstance(out, list | tuple)
    assert len(out) == 1
    assert run(out[0]) == 3


def test_a_name_scope_takes_a_name_alone(v2):
    with v2.name_scope("a") as scope:
        assert scope == "a/"
        assert tf.constant(1).name == "a/Const:0"
    with pytest.raises(ValueError):
        v2.name_scope(None)


def test_every_recorded_function_that_we_have_takes_its_arguments():
    """The arguments that are not passed on are known: they are new in compat.v2."""
    from thalweg._src.compat.signatures import takes

    unknown = []
    for path, signature in second.signatures().items():
        try:
            ours = takes(hook.public_value(second.NAMES.get(path, path)))
        except LookupError:
            continue
        renamed = second.OLD_NAMES.get(path, {})
        if ours is not None and not ours.anything:
            unknown += [f"{path} {name}" for name in signature.parameters if renamed.get(name, name) not in ours.names]
    assert set(unknown) == NEW


NEW = {
    "image.extract_glimpse noise",
    "image.resize antialias",
    "math.bincount name",
    "nest.is_nested seq",
    "nn.dilation2d data_format",
    "nn.erosion2d data_format",
    "nn.erosion2d dilations",
    "nn.erosion2d filters",
    "sparse.reduce_max name",
    "sparse.reduce_max output_is_sparse",
    "sparse.reduce_sum name",
    "sparse.reduce_sum output_is_sparse",
}


def test_modules():
    class Inner(tf.Module):
        def __init__(self):
            super().__init__()
            with self.name_scope:
                self.w = tf.Variable(1.0, name="w")
                self.frozen = tf.Variable(2.0, trainable=False, name="frozen")

        @tf.Module.with_name_scope
        def __call__(self, x):
            return tf.identity(x)

    class OuterLayer(tf.Module):
        def __init__(self, name=None):
            super().__init__(name)
            self.parts = {"b": [Inner()], "a": tf.Variable(0.0)}

    outer = OuterLayer()
    inner = outer.parts["b"][0]
    assert outer.name == "outer_layer"
    assert outer.submodules == (inner,)
    assert outer.variables == (outer.parts["a"], inner.frozen, inner.w)
    assert outer.trainable_variables == (outer.parts["a"], inner.w)
    assert inner.w.name == "inner/w:0"
    assert inner(1).name == "inner/Identity:0"
    assert next(p for p, leaf in outer._flatten(with_path=True) if leaf is inner.w) == ("parts", "b", 0, "w")
    with pytest.raises(ValueError):
        tf.Module("not a name")


def test_variable_creators():
    made = []

    def creator(make, **arguments):
        made.append(make(**{**arguments, "name": "x_" + arguments["name"]}))
        return made[-1]

    with tf.variable_creator_scope(creator):
        a, b = tf.Variable(1.0, name="a"), tf.get_variable("b", [2])
    assert [v.name for v in made] == [a.name, b.name] == ["x_a:0", "x_b:0"]
    assert tf.Variable(1.0, name="c").name == "c:0"
    assert len(made) == 2


def test_defun_with_a_gradient_of_its_own():
    function = importlib.import_module("tensorflow.python.framework.function")

    @function.Defun(tf.float32, tf.float32, python_grad_func=lambda op, g: (g * op.inputs[1], None))
    def second_of(x, y):
        return tf.identity(y)

    x, y = tf.constant(2.0), tf.constant(5.0)
    z = second_of(x, y)
    assert run([z, tf.gradients(z, x)[0]]) == [5.0, 5.0]
    assert z.op.name.startswith("second_of")
    assert tf.gradients(z, y) == [None]
    with pytest.raises(ValueError, match="number of arguments"):
        second_of(x)


def test_old_generated_protos_are_built_from_their_descriptors(tmp_path):
    from google.protobuf import descriptor_pb2

    from thalweg._src.compat import old_protos

    file = descriptor_pb2.FileDescriptorProto(name="thalweg_old.proto", package="old", syntax="proto3")
    message = file.message_type.add(name="Point")
    message.field.add(name="x", number=1, type=5, label=1)
    file.enum_type.add(name="Kind").value.add(name="PLAIN", number=0)
    path = tmp_path / "old_pb2.py"
    path.write_text(
        "from google.protobuf import descriptor as _descriptor\n"
        f"DESCRIPTOR = _descriptor.FileDescriptor(name='thalweg_old.proto', serialized_pb={file.SerializeToString()!r})\n"
        "_POINT = _descriptor.Descriptor(name='Point')\n"
    )
    source = path.read_bytes()
    names = {"__name__": "old_pb2"}
    assert old_protos.is_old(source)
    exec(old_protos.built(source, str(path)), names)
    assert names["Point"].FromString(names["Point"](x=3).SerializeToString()).x == 3
    assert names["PLAIN"] == 0


def test_old_generated_protos_that_import_tensorflow_s_hold_ours(tmp_path):
    from google.protobuf import descriptor_pb2

    from thalweg._src.compat import old_protos

    file = descriptor_pb2.FileDescriptorProto(name="thalweg_list.proto", package="old", syntax="proto3")
    file.dependency.append("tensorflow/core/example/example.proto")
    message = file.message_type.add(name="Listed")
    message.field.add(name="examples", number=1, type=11, type_name=".tensorflow.Example", label=3)
    source = f"DESCRIPTOR = _descriptor.FileDescriptor(name='x', serialized_pb={file.SerializeToString()!r})\n"
    names = {"__name__": "list_pb2"}
    exec(old_protos.built(source.encode(), "list_pb2.py"), names)
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(1.0)
    listed = names["Listed"](examples=[example])
    assert isinstance(names["Listed"].FromString(listed.SerializeToString()).examples[0], tf.train.Example)
