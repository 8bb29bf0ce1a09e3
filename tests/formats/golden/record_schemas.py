"""Record the messages of TensorFlow 1.15, one line for each field, for ../test_protos.py.

Run under the oracle: `oracle 1.15 tests/formats/golden/record_schemas.py > tests/formats/golden/schemas-1.15.tsv`.
The wheel lacks `learner.proto` of contrib.boosted_trees. Its messages come from an argument, a set of descriptors that protoc makes of
that file of v1.15.0 (`protoc --include_imports --descriptor_set_out=learner.pb tensorflow/contrib/boosted_trees/proto/learner.proto`).
A line is: full name, field (or enum value), number, type, label, oneof. Enums have type `value`.
"""

import importlib
import sys

from google.protobuf import descriptor_pb2, descriptor_pool

FILES = """
core.example: example example_parser_configuration feature
core.framework: allocation_description attr_value cost_graph device_attributes function graph log_memory node_def op_def
    reader_base resource_handle step_stats summary tensor tensor_description tensor_shape tensor_slice types variable
    versions
core.kernels.boosted_trees: boosted_trees
core.lib.core: error_codes
core.profiler: tfprof_log tfprof_output
core.protobuf: cluster config control_flow debug device_properties graph_debug_info meta_graph
    named_tensor queue_runner rewriter_config saved_model saved_object_graph saver struct tensor_bundle
    tensorflow_server trackable_object_graph verifier_config
core.util: event saved_tensor_slice
contrib.session_bundle: manifest
contrib.training.python.training: hparam
python.training: checkpoint_state
"""
PROJECTOR = "tensorflow.contrib.tensorboard.plugins.projector.projector_config_pb2"
TYPES = (  # FieldDescriptorProto.Type, from 1
    "double float int64 uint64 int32 fixed64 fixed32 bool string group message bytes uint32 enum sfixed32 sfixed64 "
    "sint32 sint64"
)
LABELS = ("optional", "required", "repeated")


def modules():
    folder = ""
    for word in FILES.split():
        if word.endswith(":"):
            folder = word[:-1]
        else:
            yield f"tensorflow.{folder}.{word}_pb2"
    yield PROJECTOR


def enum_lines(enum):
    for value in enum.values:
        yield enum.full_name, value.name, value.number, "value", "-", "-"


def message_lines(message):
    for field in message.fields:
        target = field.message_type or field.enum_type
        kind = TYPES.split()[field.type - 1] + (":" + target.full_name if target else "")
        oneof = field.containing_oneof.name if field.containing_oneof else "-"
        yield message.full_name, field.name, field.number, kind, LABELS[field.label - 1], oneof
    if not message.fields:
        yield message.full_name, "-", 0, "empty", "-", "-"
    for enum in message.enum_types:
        for line in enum_lines(enum):
            yield line
    for nested in message.nested_types:
        for line in message_lines(nested):
            yield line


def described(path):
    """The files of a set of descriptors."""
    pool = descriptor_pool.DescriptorPool()
    with open(path, "rb") as f:
        files = descriptor_pb2.FileDescriptorSet.FromString(f.read()).file
    for file in files:
        pool.Add(file)
    return [pool.FindFileByName(file.name) for file in files if file.name.endswith("learner.proto")]


def main(*sets):
    lines = set()
    files = [importlib.import_module(name).DESCRIPTOR for name in modules()]
    for file in files + [file for path in sets for file in described(path)]:
        for enum in file.enum_types_by_name.values():
            lines.update(enum_lines(enum))
        for message in file.message_types_by_name.values():
            lines.update(message_lines(message))
    for line in sorted(lines):
        print("\t".join(str(word) for word in line))


if __name__ == "__main__":
    main(*sys.argv[1:])
