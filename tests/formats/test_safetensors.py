"""safetensors: round trips, alignment, and files that contradict themselves."""

import io
import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thalweg._src.formats.errors import DataLoss, Unimplemented
from thalweg._src.formats.safetensors import DTYPES, SafetensorsReader, write_safetensors


def written(tensors, metadata=None):
    stream = io.BytesIO()
    write_safetensors(stream, tensors, metadata)
    return stream.getvalue()


def read(data):
    reader = SafetensorsReader(io.BytesIO(data))
    return {name: reader.read(name) for name in reader.names()}


def test_the_bytes_are_those_of_the_format():
    data = written({"b": np.array([1, 2], np.int16), "a": np.array([[0.5]], np.float32)}, {"made": "here"})
    size = int.from_bytes(data[:8], "little")
    assert size % 8 == 0
    assert json.loads(data[8 : 8 + size]) == {
        "__metadata__": {"made": "here"},
        "a": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]},
        "b": {"dtype": "I16", "shape": [2], "data_offsets": [4, 8]},
    }
    assert data[8 + size :] == b"\x00\x00\x00?\x01\x00\x02\x00"
    assert SafetensorsReader(io.BytesIO(data)).metadata == {"made": "here"}


NATIVE = [d for d in DTYPES.values() if d.isbuiltin == 1]  # hypothesis knows no others


@given(
    st.dictionaries(st.text(max_size=5), st.sampled_from(NATIVE).flatmap(lambda d: hnp.arrays(d, hnp.array_shapes())))
)
def test_tensors_return(tensors):
    result = read(written(tensors))
    assert result.keys() == tensors.keys()
    for name, array in tensors.items():
        assert (result[name].dtype, result[name].shape) == (array.dtype, array.shape)
        assert result[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("name", DTYPES)
def test_every_type_returns(name):
    array = np.array([[0, 1], [2, 3]]).astype(DTYPES[name]).T
    result = read(written({"x": array, "empty": array[:0], "scalar": array[0, 0]}))
    assert result["x"].dtype == array.dtype
    assert result["x"].tolist() == array.tolist()
    assert result["empty"].shape == (0, 2)
    assert result["scalar"].shape == ()
    result["x"][0, 0] = 1  # the caller's own


def test_a_file_cut_anywhere_is_told():
    data = written({"a": np.arange(3), "b": np.zeros(2, ml_dtypes.bfloat16)})
    for cut in range(len(data)):
        with pytest.raises(DataLoss):
            read(data[:cut])
    with pytest.raises(DataLoss, match="the tensors have 28 bytes, the file 29"):
        read(data + b"\0")


def file(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


GOOD = {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ((1 << 40).to_bytes(8, "little"), "cut short or too large"),
        (file(b"{"), "header is not good"),
        (file([1]), "header is not good"),
        (file({"a": 3}), "header is not good"),
        (file({"a": {**GOOD, "dtype": "U9"}}, b"12"), "U9"),
        (file({"a": {**GOOD, "shape": [3]}}, b"12"), "type, shape and offsets differ"),
        (file({"a": {**GOOD, "shape": [-2]}}, b"12"), "natural numbers"),
        (file({"a": {**GOOD, "shape": [2.0]}}, b"12"), "natural numbers"),
        (file({"a": {**GOOD, "shape": [True, 2]}}, b"12"), "natural numbers"),
        (file({"a": GOOD, "b": GOOD}, b"12"), "gap or overlap at 0"),
        (file({"a": {**GOOD, "data_offsets": [1, 3]}}, b"123"), "gap or overlap at 1"),
        (file(b'{"a":%b,"a":%b}' % ((json.dumps(GOOD).encode(),) * 2), b"12"), "twice"),
        (file(b"[" * 100_000), "header is not good"),
    ],
)
def test_a_file_that_contradicts_itself_is_told(data, told):
    with pytest.raises(DataLoss, match=told):
        read(data)


def test_what_the_format_lacks_is_told():
    with pytest.raises(Unimplemented, match="no type for s, an array of object"):
        written({"s": np.array([b""], object)})
    with pytest.raises(ValueError, match="no name for a tensor"):
        written({"__metadata__": np.zeros(1)})
