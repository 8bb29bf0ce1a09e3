"""Bytes to tensors and back: decode_raw, decode_csv, parse_tensor, serialize_tensor, decode_compressed, JSON examples."""

import gzip
import itertools
import zlib
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, shapes
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import (
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
)
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Mixed, TypesOf, op, type_attr
from thalweg._src.formats import protos, tensors
from thalweg._src.ops.arguments import formerly, named_at, renamed
from thalweg._src.ops.text.string_numbers import number
from thalweg._src.ops.text.strings import each

RAW = type_attr(
    "out_type", (float16, float32, float64, int32, uint16, uint8, int16, int8, int64, complex64, complex128, bool_)
)
PADDED = type_attr("out_type", (float16, float32, float64, int32, uint16, uint8, int16, int8, int64))
OUT = type_attr("out_type")


# -- raw bytes


def _unpacked(data: bytes, dtype: Any, little_endian: bool) -> Any:
    order = "<" if little_endian else ">"
    return np.frombuffer(data, np.dtype(dtype._as_numpy).newbyteorder(order)).astype(dtype._as_numpy)


@op("DecodeRaw", host=True, numpy_only=True)
def _decode_raw(bytes: string, *, out_type: RAW, little_endian: bool = True) -> RAW:
    """The numbers whose bytes strings are."""
    size = out_type.size
    flat = bytes.ravel()
    length = len(flat[0]) if len(flat) else 0
    for i, s in enumerate(flat):
        if len(s) != length:
            raise ValueError(
                f"DecodeRaw requires input strings to all be the same size, but element {i} has size {length} != {len(s)}"
            )
    if length % size:
        raise ValueError(
            f"Input to DecodeRaw has length {length} that is not a multiple of {size}, the size of {out_type.name}"
        )
    joined = flat[0] if len(flat) == 1 else b"".join(flat)
    return _unpacked(joined, out_type, little_endian).reshape(*bytes.shape, length // size)


@op("DecodePaddedRaw", host=True, numpy_only=True)
def _decode_padded_raw(
    input_bytes: string, fixed_length: int32, *, out_type: PADDED, little_endian: bool = True
) -> PADDED:
    """The numbers whose bytes strings are, which are cut or filled up with zeros to one length."""
    length, size = int(fixed_length), out_type.size
    if length <= 0 or length % size:
        raise ValueError(f"fixed_length ({length}) must be a positive multiple of the size of out_type ({size})")
    rows = [_unpacked(s[:length].ljust(length, b"\0"), out_type, little_endian) for s in input_bytes.ravel()]
    out = np.stack(rows) if rows else np.zeros((0, length // size), out_type._as_numpy)
    return out.reshape(*input_bytes.shape, length // size)


@_decode_raw.shape_rule
def _(op):
    dims = op.inputs[0].dims
    return [None if dims is None else (*dims, None)]


@_decode_padded_raw.shape_rule
def _(op):
    x, length = op.inputs
    n = infer.constant_value(length)
    if n is not None and (n <= 0 or n % op.attrs["out_type"].size):
        raise ValueError(f"fixed_length ({n}) must be a positive multiple of the size of out_type")
    return [None if x.dims is None else (*x.dims, None if n is None else int(n) // op.attrs["out_type"].size)]


def decode_raw(
    input_bytes: Any = None,
    out_type: Any = None,
    little_endian: bool = True,
    name: str | None = None,
    bytes: Any = None,
    *,
    fixed_length: Any = None,
) -> Tensor:
    """The numbers of type `out_type` whose bytes the strings are: [...] -> [..., bytes / size].

    With `fixed_length`, an argument of `tf.compat.v2`, strings are cut or filled up with zeros to so many bytes. Raises
    InvalidArgumentError in the run for strings of different lengths, or whose length does not fit.

    >>> run(tf.decode_raw(["ab"], tf.uint8))
    array([[97, 98]], dtype=uint8)
    """
    data = renamed("input_bytes", input_bytes, "bytes", bytes)
    if out_type is None:
        raise ValueError("decode_raw_v1() missing 1 positional argument: 'out_type'")
    how = {"out_type": dtypes.as_dtype(out_type), "little_endian": little_endian, "name": name}
    return _decode_raw(data, **how) if fixed_length is None else _decode_padded_raw(data, fixed_length, **how)


# -- CSV

_FIELDS = (float32, float64, int32, int64, string)
FIELDS = TypesOf(*_FIELDS, minimum=1)


@op("DecodeCSV", host=True, numpy_only=True)
def _decode_csv(
    records: string,
    record_defaults: Mixed("OUT_TYPE", 1, allowed=_FIELDS),
    *,
    OUT_TYPE: FIELDS,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    select_cols: list[int] = (),
) -> Mixed("OUT_TYPE", 1):
    """The fields of records as columns."""
    if len(field_delim) != 1:
        raise ValueError("field_delim should be only 1 char")
    for i, d in enumerate(record_defaults):
        if d.ndim > 1:
            raise ValueError("Each record default should be at most rank 1")
        if d.size > 1:
            raise ValueError(f"There should only be 1 default per field but field {i} has {d.size}")
    columns: list[list[Any]] = [[] for _ in OUT_TYPE]
    na, count = na_value.encode(), len(OUT_TYPE)
    for i, record in enumerate(records.ravel()):
        fields = _fields(record, field_delim.encode(), use_quote_delim)
        if select_cols:
            fields = [fields[c] for c in select_cols if c < len(fields)]
        if len(fields) != count:
            raise ValueError(f"Expect {count} fields but have {len(fields)} in record {i}")
        for j, text in enumerate(fields):
            columns[j].append(_field(text, na, OUT_TYPE[j], record_defaults[j], i, j))
    out = []
    for column, dtype in zip(columns, OUT_TYPE, strict=True):
        values = np.empty(len(column), dtype._as_numpy)
        values[:] = column
        out.append(values.reshape(records.shape))
    return out


def _field(text: bytes, na: bytes, dtype: Any, default: Any, i: int, j: int) -> Any:
    if not text or text == na:
        if default.size == 0:
            raise ValueError(f"Field {j} is required but missing in record {i}!")
        return default.item()
    if dtype == string:
        return text
    try:
        return number(text, dtype, "DecodeCSV")
    except ValueError:
        raise ValueError(
            f"Field {j} in record {i} is not a valid {_C_NAMES.get(dtype, dtype.name)}: {text.decode('utf-8', 'replace')}"
        ) from None


_C_NAMES = {float32: "float", float64: "double"}


def _fields(record: bytes, delimiter: bytes, quotes: bool) -> list[bytes]:
    """The fields of one record (RFC 4180); line ends before a field are skipped."""
    out: list[bytes] = []
    at, n = 0, len(record)
    while at < n:
        if record[at] in b"\r\n":
            at += 1
        elif quotes and record[at] == ord('"'):
            text, at = _quoted(record, at + 1, delimiter)
            out.append(text)
        else:
            end = record.find(delimiter, at)
            text = record[at : n if end < 0 else end]
            if b"\n" in text or b"\r" in text or (quotes and b'"' in text):
                raise ValueError("Unquoted fields cannot have quotes/CRLFs inside")
            out.append(text)
            at += len(text) + 1
    return [*out, b""] if record.endswith(delimiter) else out


def _quoted(record: bytes, at: int, delimiter: bytes) -> tuple[bytes, int]:
    """The field that begins behind a quote, and where the next one begins. Two quotes inside stand for one."""
    text = b""
    while True:
        end = record.find(b'"', at)
        if end < 0:
            raise ValueError("Quoted field has to end with quote followed by delim or end")
        text += record[at:end]
        after = record[end + 1 : end + 2]
        if after in (b"", delimiter):
            return text, end + 2
        if after != b'"':
            raise ValueError("Quote inside a string has to be escaped by another quote")
        text, at = text + b'"', end + 2


@_decode_csv.shape_rule
def _(op):
    records, *defaults = op.inputs
    for d in defaults:
        shapes.of_rank_at_most(d.dims, 1)
        if d.dims and d.dims[0] is not None and d.dims[0] > 1:
            raise ValueError("Shape of a default must be a length-0 or length-1 vector, or a scalar.")
    return [records.dims] * len(op.outputs)


@formerly("records record_defaults field_delim name", when=named_at(3))  # until 1.3
def decode_csv(
    records: Any,
    record_defaults: Any,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
    select_cols: Any = None,
) -> list[Tensor]:
    """The fields of CSV records as tensors, one per column, of the shape of `records`.

    `record_defaults`: per column what stands for an empty field (of the column's type), or an empty list where the field is
    required. Raises ValueError for `select_cols` that are not ascending, InvalidArgumentError in the run for records that
    do not fit.

    >>> run(tf.decode_csv(["1,a", ",b"], [[0], [""]]))
    [array([1, 0], dtype=int32), array([b'a', b'b'], dtype=object)]
    """
    if select_cols is not None:
        if any(a >= b for a, b in itertools.pairwise(select_cols)):
            raise ValueError("select_cols is not strictly increasing.")
        if select_cols[0] < 0:
            raise ValueError("select_cols contains negative values.")
        if len(select_cols) != len(record_defaults):
            raise ValueError("Length of select_cols and record_defaults do not match.")
    return _decode_csv(
        records,
        record_defaults,
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        select_cols=select_cols,
        name=name,
    )


# -- tensors as strings


@op("SerializeTensor", host=True, numpy_only=True)
def _serialize_tensor(tensor: type_attr("T"), *, T: type_attr("T")) -> string:
    """A tensor as a serialized TensorProto."""
    data = tensors.to_proto(tensor, T.as_datatype_enum).SerializeToString()
    out = np.empty((), object)
    out[()] = data
    return out


@op("ParseTensor", host=True, numpy_only=True)
def _parse_tensor(serialized: string, *, out_type: OUT) -> OUT:
    """The tensor of a serialized TensorProto."""
    if serialized.ndim:
        raise ValueError(f"Expected `serialized` to be a scalar, got shape: {shapes.text(serialized.shape)}")
    try:
        proto = protos.TensorProto.FromString(serialized.item())
        array = tensors.from_proto(proto)
    except Exception as error:
        raise ValueError(
            f"Could not parse `serialized` as TensorProto: '{serialized.item().decode(errors='backslashreplace'):.80}' ({error})"
        ) from None
    if proto.dtype != out_type.as_datatype_enum:
        raise ValueError(
            f"Type mismatch between parsed tensor ({dtypes.as_dtype(proto.dtype).name}) and dtype ({out_type.name})"
        )
    return array


_serialize_tensor.shape_rule(lambda op: [()])


_parse_tensor.shape_rule(lambda op: [None])


def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """`tensor` as a string, a serialized TensorProto."""
    return _serialize_tensor(tensor, name=name)


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """The tensor that a string, a serialized TensorProto, holds. InvalidArgumentError in the run for another type."""
    return _parse_tensor(serialized, out_type=dtypes.as_dtype(out_type), name=name)


# -- other forms


@op("DecodeCompressed", host=True, numpy_only=True)
def _decode_compressed(bytes: string, *, compression_type: str = "") -> string:
    """Strings without their compression."""
    if compression_type not in ("", "ZLIB", "GZIP"):
        raise ValueError("Only ZLIB, GZIP or NONE are supported compressions")
    if not compression_type:
        return bytes
    return each(zlib.decompress if compression_type == "ZLIB" else gzip.decompress, bytes)


@dispatched
def decode_compressed(bytes: Any, compression_type: str = "", name: str | None = None) -> Tensor:
    """Strings that were compressed by ZLIB or GZIP, as they were."""
    return _decode_compressed(bytes, compression_type=compression_type, name=name)


@op("DecodeJSONExample", host=True, numpy_only=True)
def decode_json_example(json_examples: string) -> string:
    """tf.train.Example protos in JSON as serialized ones. Raises InvalidArgumentError in the run for what is none."""
    from google.protobuf import json_format

    def convert(text: bytes) -> bytes:
        try:
            return json_format.Parse(text, protos.Example()).SerializeToString()
        except json_format.ParseError as error:
            raise ValueError(f"Error while parsing JSON: {error}") from None

    return each(convert, json_examples)


for _unchanged in (_decode_compressed, decode_json_example):
    _unchanged.shape_rule(lambda op: [op.inputs[0].dims])
for _op in (
    _decode_raw, _decode_padded_raw, _decode_csv, _serialize_tensor, _parse_tensor, _decode_compressed, decode_json_example,
):  # fmt: skip
    _op.not_differentiable()
