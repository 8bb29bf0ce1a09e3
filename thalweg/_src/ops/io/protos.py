"""Fields of serialized protocol messages as tensors, and back. The schema is found by the message's name, when the step runs."""

import functools
import math
import struct
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, errors
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import int32, string
from thalweg._src.core.opdef import Min, Mixed, Outputs, Types, op
from thalweg._src.formats import protos
from thalweg._src.formats.wire import put_varint
from thalweg._src.ops.text.strings import texts

# The types of fields in the order of their numbers in a FieldDescriptorProto, and the types of tensors that may hold them.
FIELD_TYPES = (
    "", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message", "bytes",
    "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64",
)  # fmt: skip
HELD_BY: dict[str, tuple[str, ...]] = {
    "double": ("float64",),
    "float": ("float32", "float64"),
    **dict.fromkeys(("int64", "sfixed64", "sint64"), ("int64",)),
    **dict.fromkeys(("uint64", "fixed64"), ("uint64",)),
    **dict.fromkeys(("int32", "sfixed32", "sint32"), ("int32", "int64")),
    **dict.fromkeys(("uint32", "fixed32"), ("uint32", "uint64")),
    "bool": ("bool",),
    "enum": ("int32",),
    **dict.fromkeys(("string", "bytes", "message", "group"), ("string",)),
}
FIXED = {"double": "<d", "float": "<f", "fixed32": "<I", "sfixed32": "<i", "fixed64": "<Q", "sfixed64": "<q"}


@functools.lru_cache(64)
def _descriptor(message_type: str, source: str | bytes) -> Any:
    """The descriptor of a message. Raises InvalidArgumentError where there is none, NotFoundError for a file that is missing."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    if isinstance(source, bytes):
        source = source.decode("latin-1")
    if source in ("", "local://"):
        pools = [protos.GraphDef.DESCRIPTOR.file.pool, descriptor_pool.Default()]
    else:
        if source.startswith("bytes://"):
            content = source[len("bytes://") :].encode("latin-1", "surrogateescape")
        else:
            try:
                with open(source, "rb") as f:
                    content = f.read()
            except OSError as error:
                raise errors.NotFoundError(None, None, f"{source}: {error.strerror}") from None
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(content).file:
            pool.Add(file)
        pools = [pool]
    for pool in pools:
        try:
            return pool.FindMessageTypeByName(message_type)
        except KeyError:
            continue
    raise errors.InvalidArgumentError(None, None, f"No descriptor found for message type {message_type}")


def _fields(message_type: str, names: Any, source: str) -> list[Any]:
    descriptor = _descriptor(message_type, source)
    found = []
    for name in names:
        field = descriptor.fields_by_name.get(name)
        check(field is not None, lambda name=name: f"Unknown field: {name} in message type {message_type}")
        found.append(field)
    return found


def _is_repeated(field: Any) -> bool:
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


def _plain(value: Any) -> Any:
    """A field's value as an element of a tensor: messages are serialized."""
    if isinstance(value, str):
        return value.encode()
    return value.SerializeToString() if hasattr(value, "SerializeToString") else value


def _values(message: Any, field: Any) -> list[Any]:
    """The values of a field that a message has."""
    if _is_repeated(field):
        return [_plain(v) for v in getattr(message, field.name)]
    has = message.HasField(field.name) if field.has_presence else getattr(message, field.name) != field.default_value
    return [_plain(getattr(message, field.name))] if has else []


@op("DecodeProtoV2", host=True)
def _decode_proto(
    bytes: string,
    *,
    message_type: str,
    field_names: list[str],
    output_types: Min(Types, 0),
    descriptor_source: str = "local://",
    message_format: str = "binary",
    sanitize: bool = False,
) -> Outputs(sizes=int32, values=Mixed("output_types", 0)):
    """How often each message has each field, [..., fields], and the fields' values, [..., most], filled up with defaults."""
    from google.protobuf import message, message_factory, text_format

    fields = _fields(message_type, field_names, descriptor_source)
    check(len(fields) == len(output_types), "field_names and output_types attributes must have the same length")
    for field, dtype in zip(fields, output_types, strict=True):
        check(
            dtype.name in HELD_BY[FIELD_TYPES[field.type]],
            lambda f=field, t=dtype: f"Unexpected output type for {f.full_name}: {FIELD_TYPES[f.type]} to {t.name}",
        )
    check(message_format in ("binary", "text"), lambda: f"format must be one of binary or text, got {message_format}")
    kind = message_factory.GetMessageClass(_descriptor(message_type, descriptor_source))
    rows = []
    for data in bytes.ravel():
        try:
            parsed = kind.FromString(data) if message_format == "binary" else text_format.Parse(data.decode(), kind())
        except (message.DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
            what = f"Unable to parse a {message_format} message of type {message_type}: {error}"
            raise errors.DataLossError(None, None, what) from None
        rows.append([_values(parsed, field) for field in fields])
    sizes = np.array([[len(v) for v in row] for row in rows], np.int32).reshape((*bytes.shape, len(fields)))
    columns = []
    for i, (field, dtype) in enumerate(zip(fields, output_types, strict=True)):
        default = b"" if dtype == string else 0 if _is_repeated(field) else field.default_value
        most = max([1, *[len(row[i]) for row in rows]])
        column = np.empty((len(rows), most), dtype.numpy_dtype)
        column[...] = _plain(default)
        for at, row in enumerate(rows):
            for j, value in enumerate(row[i]):
                column[at, j] = value
        columns.append(column.reshape((*bytes.shape, most)))
    return sizes, columns


def _wire(field: Any, kind: str, value: Any) -> bytes:
    """A value of a field without its tag."""
    if kind in FIXED:
        return struct.pack(FIXED[kind], value)
    if kind in ("string", "bytes", "message"):
        return put_varint(len(value)) + value
    if kind == "group":
        return value + put_varint(field.number << 3 | 4)
    number = int(value)
    if kind in ("sint32", "sint64"):
        number = number << 1 ^ number >> 63
    return put_varint(number & (1 << 64) - 1)


def _wire_type(kind: str) -> int:
    if kind in FIXED:
        return 1 if struct.calcsize(FIXED[kind]) == 8 else 5
    return {"string": 2, "bytes": 2, "message": 2, "group": 3}.get(kind, 0)


def _encoded(field: Any, values: Any) -> bytes:
    kind = FIELD_TYPES[field.type]
    parts = [_wire(field, kind, v) for v in values]
    if not parts:
        return b""
    if getattr(field, "is_packed", False):
        joined = b"".join(parts)
        return put_varint(field.number << 3 | 2) + put_varint(len(joined)) + joined
    tag = put_varint(field.number << 3 | _wire_type(kind))
    return b"".join(tag + part for part in parts)


@op("EncodeProto", host=True)
def _encode_proto(
    sizes: int32,
    values: Mixed("Tinput_types", 1),
    *,
    field_names: list[str],
    message_type: str,
    descriptor_source: str = "local://",
    Tinput_types: Min(Types, 1),
) -> Outputs(bytes=string):
    """Serialized messages of the fields' first values, as many of each as `sizes` says."""
    fields = _fields(message_type, field_names, descriptor_source)
    check(len(fields) == len(values), "Length of inputs list must match field_names")
    outer = None
    for field, value, dtype in zip(fields, values, Tinput_types, strict=True):
        kind = FIELD_TYPES[field.type]
        check(
            dtype.name in HELD_BY[kind],
            lambda f=field, t=dtype, k=kind: (
                f"Incompatible type for field {f.name}.  Saw dtype: {t.name} but field type is: {k}"
            ),
        )
        check(value.ndim > 0, lambda v=value: f"Expected value to be at least a vector, saw shape: {list(v.shape)}")
        check(outer in (None, value.shape[:-1]), "Values must match up to the last dimension")
        outer = value.shape[:-1]
    wanted = (*outer, len(fields))
    check(
        sizes.shape == wanted,
        lambda: (
            f"sizes should be batch_size + [len(field_names)].  Saw: {list(sizes.shape)} but expected: {list(wanted)}"
        ),
    )
    order = sorted(range(len(fields)), key=lambda i: fields[i].number)
    counts = sizes.reshape(-1, len(fields))
    columns = [v.reshape(math.prod(outer), -1) for v in values]
    out = [
        b"".join(_encoded(fields[i], columns[i][at, : row[i]].tolist()) for i in order) for at, row in enumerate(counts)
    ]
    return texts(out, outer)


@_decode_proto.shape_rule
def _(node):
    dims = node.inputs[0].dims
    fields = len(node.attrs["output_types"])
    sizes = None if dims is None else (*dims, fields)
    return [sizes, *[None if dims is None else (*dims, None)] * fields]


@_encode_proto.shape_rule
def _(node):
    dims = node.inputs[1].dims
    return [None if dims is None else dims[:-1]]


_decode_proto.not_differentiable()
_encode_proto.not_differentiable()


def decode_proto(
    bytes, message_type, field_names, output_types, descriptor_source="local://", message_format="binary", sanitize=False,
    name=None,
):  # fmt: skip
    """(sizes, values) of fields of serialized messages.

    `sizes` [..., fields] tells how often each field is there, `values` are tensors [..., most], one for each field, filled up with the
    field's default. `descriptor_source` is "local://" for messages of TensorFlow and of this process, the path of a serialized
    FileDescriptorSet, or its bytes after "bytes://".
    """
    return _decode_proto(
        bytes,
        message_type=message_type,
        field_names=list(field_names),
        output_types=[dtypes.as_dtype(t) for t in output_types],
        descriptor_source=descriptor_source,
        message_format=message_format,
        sanitize=sanitize,
        name=name,
    )


def encode_proto(sizes, values, field_names, message_type, descriptor_source="local://", name=None):
    """Serialized messages of type `message_type`: of each field as many values as `sizes` says. See `decode_proto`."""
    return _encode_proto(
        sizes,
        list(values),
        field_names=list(field_names),
        message_type=message_type,
        descriptor_source=descriptor_source,
        name=name,
    )
