"""TensorProtos against those that TensorFlow 1.15 wrote (golden/tensors-1.15.tsv), and round trips."""

import pathlib

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thalweg._src.formats import protos
from thalweg._src.formats.tensors import from_proto, to_proto
from thalweg._src.formats.types import ENUM_OF_NAME, NUMPY_OF_ENUM

GOLDEN = (pathlib.Path(__file__).parent / "golden" / "tensors-1.15.tsv").read_text().splitlines()


def equal(a, b):
    """The same shape, dtype and bits (elements, for objects)."""
    if a.dtype.kind == "O":
        return a.shape == b.shape and a.dtype == b.dtype and a.ravel().tolist() == b.ravel().tolist()
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("line", GOLDEN, ids=lambda line: " ".join(line.split("\t")[:3]))
def test_bytes_are_tensorflows(line):
    text, name, shape, data = line.split("\t")
    enum, shape, data = ENUM_OF_NAME[name], eval(shape), bytes.fromhex(data)
    value = eval(text)
    array = np.array(value).astype(NUMPY_OF_ENUM[enum]) if name != "string" else np.array(value, object)
    proto = to_proto(array, enum, shape)
    assert proto.SerializeToString() == data
    full = from_proto(protos.TensorProto.FromString(data))
    size = full.size
    expected = array.ravel()
    if size > array.size:
        expected = np.concatenate([expected, np.repeat(expected[-1:], size - array.size)])
    assert equal(full, expected.reshape(array.shape if shape is None else shape))


NUMERIC = [name for name, enum in ENUM_OF_NAME.items() if NUMPY_OF_ENUM[enum].kind != "O"]


@pytest.mark.parametrize("name", NUMERIC)
@given(data=st.data())
def test_every_type_returns_bit_by_bit(name, data):
    enum = ENUM_OF_NAME[name]
    dtype = NUMPY_OF_ENUM[enum]
    shape = data.draw(hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
    if dtype == ml_dtypes.bfloat16:
        array = data.draw(hnp.arrays(np.float32, shape)).astype(dtype)
    else:
        elements = {"allow_nan": False} if dtype.kind in "fc" else {}
        array = data.draw(hnp.arrays(dtype, shape, elements=hnp.from_dtype(dtype, **elements)))
    assert equal(from_proto(to_proto(array, enum)), array)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_strings_return_from_both_encodings(strings):
    array = np.empty(len(strings), object)
    array[:] = strings
    assert equal(from_proto(to_proto(array, ENUM_OF_NAME["string"])), array)
    lengths = b"".join(_varint(len(s)) for s in strings)
    content = protos.TensorProto(dtype=protos.DT_STRING, tensor_content=lengths + b"".join(strings))
    content.tensor_shape.dim.add().size = len(strings)
    assert equal(from_proto(content), array)


def _varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def test_text_is_written_as_utf8():
    assert to_proto(np.array("ä", object), ENUM_OF_NAME["string"]).string_val == ["ä".encode()]


def test_no_elements_in_the_message_are_zeros():
    proto = protos.TensorProto(dtype=protos.DT_INT32)
    proto.tensor_shape.dim.add().size = 3
    assert equal(from_proto(proto), np.zeros(3, np.int32))
    proto.dtype = protos.DT_STRING
    assert from_proto(proto).tolist() == [b"", b"", b""]


def test_handles_are_kept():
    handle = protos.ResourceHandleProto(name="v", container="c")
    proto = protos.TensorProto(dtype=protos.DT_RESOURCE, resource_handle_val=[handle])
    array = from_proto(proto)
    assert array.shape == ()
    assert array[()].name == "v"
    assert to_proto(array, protos.DT_RESOURCE).resource_handle_val[0] == handle


def test_the_array_is_writable():
    array = from_proto(to_proto(np.arange(4), protos.DT_INT64))
    array[0] = 9
    assert array.tolist() == [9, 1, 2, 3]


def _proto(dtype, sizes, **fields):
    proto = protos.TensorProto(dtype=dtype, **fields)
    for size in sizes:
        proto.tensor_shape.dim.add().size = size
    return proto


@pytest.mark.parametrize(
    ("proto", "error", "told"),
    [
        (lambda: _proto(0, [1]), TypeError, "type: 0"),
        (lambda: _proto(101, [1]), TypeError, "type: 101"),
        (lambda: _proto(1, [-1]), ValueError, "fully defined"),
        (lambda: _proto(1, [2], tensor_content=b"1234567"), ValueError, "needs 8 bytes of tensor_content, not 7"),
        (lambda: _proto(1, [1], float_val=[1, 2]), ValueError, "has 2"),
        (lambda: _proto(7, [2], tensor_content=b"\x01\x05ab"), ValueError, "need 8 bytes"),
        (lambda: _proto(7, [2], tensor_content=b"\x80"), ValueError, "length of string 0"),
        (lambda: _proto(20, [2]), ValueError, "has none"),
    ],
)
def test_a_message_that_contradicts_itself_is_an_error(proto, error, told):
    with pytest.raises(error, match=told):
        from_proto(proto())


@pytest.mark.parametrize(
    ("array", "enum", "shape", "error", "told"),
    [
        (np.zeros(2), 1, None, TypeError, "float64 can't be a tensor of float32"),
        (np.zeros(3, np.float32), 1, (2,), ValueError, "Needed at most 2, but received 3"),
        (np.array([3], object), 7, None, TypeError, "Expected binary or unicode string, got 3"),
    ],
)
def test_an_array_that_does_not_fit_is_an_error(array, enum, shape, error, told):
    with pytest.raises(error, match=told):
        to_proto(array, enum, shape)
