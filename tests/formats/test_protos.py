"""The schemas against TensorFlow 1.15's (golden/schemas-1.15.tsv, recorded by record_schemas.py), and their privacy."""

import hashlib
import importlib.util
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from thalweg._src.formats import protos
from thalweg._src.formats.schema import TYPES, SchemaError, compile_schemas

HERE = pathlib.Path(__file__).parent
GOLDEN = [tuple(line.split("\t")) for line in (HERE / "golden" / "schemas-1.15.tsv").read_text().splitlines()]

# The tree that contrib's boosted trees may begin with, whose messages are called as those of tf.estimator's trees are.
LEFT_OUT = {("tensorflow.boosted_trees.learner.LearnerConfig", f"each_tree_start{x}") for x in ("", "_num_layers")}


def _enum_lines(enum):
    return {(enum.full_name, value.name, str(value.number), "value", "-", "-") for value in enum.values}


def _message_lines(message):
    lines = set()
    # The DescriptorProto is the one place where all versions of protobuf tell the label.
    for field, facts in zip(message.fields, _facts(message).field, strict=True):
        target = field.message_type or field.enum_type
        kind = TYPES.split()[field.type - 1] + (f":{target.full_name}" if target else "")
        oneof = field.containing_oneof.name if field.containing_oneof else "-"
        label = "repeated" if facts.label == facts.LABEL_REPEATED else "optional"
        lines.add((message.full_name, field.name, str(field.number), kind, label, oneof))
    if not message.fields:
        lines.add((message.full_name, "-", "0", "empty", "-", "-"))
    return lines.union(*map(_enum_lines, message.enum_types), *map(_message_lines, message.nested_types))


def test_every_message_and_enum_is_tensorflows():
    lines = set()
    for name in dir(protos):
        descriptor = getattr(getattr(protos, name), "DESCRIPTOR", None)
        if hasattr(descriptor, "values"):
            lines |= _enum_lines(descriptor)
        elif hasattr(descriptor, "fields"):
            lines |= _message_lines(descriptor)
    assert lines == {line for line in GOLDEN if line[:2] not in LEFT_OUT}


def test_short_names_are_unique():
    # Names are served without their package, so a clash would hide one of two messages.
    full = {line[0] for line in GOLDEN}
    packages = ("tensorflow.error.", "tensorflow.serving.", "tensorflow.tfprof.", "tensorflow.")
    short = [next(name.removeprefix(p) for p in packages if name.startswith(p)) for name in sorted(full)]
    assert len(set(short)) == len(short)


def test_nothing_of_protobuf_is_imported_before_the_first_name():
    program = (
        "import sys; from thalweg._src.formats import protos; assert 'google.protobuf' not in sys.modules; "
        "protos.NodeDef; assert 'google.protobuf' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_threads_that_ask_at_once_get_the_same_classes():
    program = (
        "from concurrent.futures import ThreadPoolExecutor; from thalweg._src.formats import protos\n"
        "with ThreadPoolExecutor(8) as pool: made = list(pool.map(lambda _: protos.NodeDef, range(8)))\n"
        "assert len(set(made)) == 1 and made[0] is protos.NodeDef"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_messages_do_not_meet_those_of_the_default_pool():
    other = descriptor_pb2.FileDescriptorProto(name="elsewhere.proto", package="tensorflow", syntax="proto3")
    other.message_type.add(name="VersionDef").field.add(name="unlike", number=9, type=9, label=1)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(other.SerializeToString())  # would raise if ours were there
    assert [f.name for f in pool.FindMessageTypeByName("tensorflow.VersionDef").fields] == ["unlike"]
    assert protos.VersionDef(producer=3).producer == 3


def test_names_values_and_nested_messages():
    value = protos.AttrValue(list=protos.AttrValue.ListValue(type=[protos.DT_FLOAT, protos.DataType.Value("DT_HALF")]))
    assert list(value.list.type) == [1, 19]
    assert protos.DataType.Name(120) == "DT_RESOURCE_REF"
    assert protos.SaverDef.V2 == protos.SaverDef.CheckpointFormatVersion.Value("V2") == 2
    with pytest.raises(AttributeError, match="NoSuchDef"):
        _ = protos.NoSuchDef


def test_map_fields_and_any():
    node = protos.NodeDef(name="a")
    node.attr["T"].type = protos.DT_INT64
    meta = protos.MetaGraphDef()
    meta.meta_info_def.any_info.Pack(node)
    again = protos.MetaGraphDef.FromString(meta.SerializeToString())
    unpacked = protos.NodeDef()
    assert again.meta_info_def.any_info.Unpack(unpacked)
    assert unpacked == node
    assert again.meta_info_def.any_info.type_url == "type.googleapis.com/tensorflow.NodeDef"


def _facts(descriptor):
    proto = descriptor_pb2.DescriptorProto()
    descriptor.CopyToProto(proto)
    return proto


def _fill_message():
    spec = importlib.util.spec_from_file_location("fill_message", HERE / "golden" / "fill_message.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fill


@pytest.mark.parametrize(
    "line", (HERE / "golden" / "bytes-1.15.tsv").read_text().splitlines(), ids=lambda line: line.split()[0]
)
def test_a_full_message_has_tensorflows_bytes(line):
    name, length, digest = line.split("\t")
    message = getattr(protos, name)()
    _fill_message()(message, _facts)
    data = message.SerializeToString()
    assert (len(data), hashlib.sha1(data).hexdigest()) == (int(length), digest)
    assert type(message).FromString(data) == message


HEAD = 'syntax = "proto3"; package p; '


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "message A { int32 x = 1 }", "'}' where"),
        (HEAD + "message A { Missing x = 1; }", r"p\.A\.x: no message or enum 'Missing'"),
        (HEAD + "message A { int32 x = 1;", "the end"),
        (HEAD + "service S {}", "'service'"),
        (HEAD + "message A {\n int32 x = $; }", "line 2: unexpected"),
        ('syntax = "proto2";', "proto2"),
    ],
)
def test_what_the_language_lacks_is_an_error(text, told):
    with pytest.raises(SchemaError, match=told):
        compile_schemas({"a.proto": text})


def test_the_innermost_scope_wins():
    text = HEAD + "message V { int32 x = 1; } message A { message V { string s = 1; } V v = 1; .p.V w = 2; }"
    with pytest.raises(SchemaError):  # a leading dot is not in the language
        compile_schemas({"a.proto": text})
    fields = compile_schemas({"a.proto": text.replace(".p.V", "p.V")}).FindMessageTypeByName("p.A").fields_by_name
    assert fields["v"].message_type.full_name == "p.A.V"
    assert fields["w"].message_type.full_name == "p.V"


def test_booleans_of_numpy_are_integers():
    assert protos.Int64List(value=np.array([True, False])).value == [1, 0]
    assert protos.Int64List(value=iter([np.bool_(1), 3])).value == [1, 3]
    assert protos.Int64List(value=None).value == protos.Int64List().value == []
    with pytest.raises(TypeError):
        protos.Int64List(value=["a"])
