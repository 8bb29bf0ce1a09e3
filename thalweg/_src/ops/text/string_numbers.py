"""Between strings and numbers: as_string, string_to_number, hash buckets, fingerprints, base64."""

import base64
import binascii
import re
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import complex64, complex128, float32, float64, int8, int16, int32, int64, string, uint8
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import same_shape
from thalweg._src.core.opdef import Min, op, type_attr
from thalweg._src.formats.hashes import fingerprint64, hash64, siphash
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.text.strings import each, texts

A = type_attr("T", (int8, int16, int32, int64, complex64, complex128, float32, float64, bool_))
OUT = type_attr("out_type", (float32, float64, int32, int64), float32)


# -- numbers to strings


@op("AsString", host=True, numpy_only=True)
def _as_string(
    input: A,
    *,
    T: A,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
) -> string:
    """Numbers as C's printf writes them."""
    if not (T.is_floating or T.is_complex):
        if scientific or shortest:
            raise ValueError(f"scientific and shortest format not supported for datatype DT_{T.name.upper()}")
        if precision >= 0:
            raise ValueError(f"precision not supported for datatype DT_{T.name.upper()}")
    if len(fill) > 1:
        raise ValueError("Fill string must be one or fewer characters")
    if scientific and shortest:
        raise ValueError("Cannot select both scientific and shortest notation")
    if T.is_bool:
        return texts([b"true" if v else b"false" for v in input.ravel()], input.shape)
    kind = "d" if T.is_integer else "g" if shortest else "e" if scientific else "f"
    digits = (f".{precision}" if precision > -1 else "") + kind

    def written(v: Any) -> str:
        flag = fill if fill != "0" or np.isfinite(v) else ""  # C pads infinity with blanks
        return ("%" + (f"{flag}{width}" if width > -1 else "") + digits) % v

    if T.is_complex:
        out = [f"({written(v.real)},{written(v.imag)})" for v in input.ravel().tolist()]
    else:
        out = [written(v) for v in input.ravel().tolist()]
    return texts([s.encode() for s in out], input.shape)


_as_string.shape_rule(same_shape)


@dispatched
def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """Numbers as strings: `precision` digits behind the point, scientific (1e+01) or shortest notation, `width` characters
    padded with `fill`.

    >>> run(tf.as_string([3.14159, 2.0], precision=2))
    array([b'3.14', b'2.00'], dtype=object)
    """
    return _as_string(
        input, precision=precision, scientific=scientific, shortest=shortest, width=width, fill=fill, name=name
    )


# -- strings to numbers


_HEX = re.compile(rb"[+-]?0[xX][0-9a-fA-F]+")


def number(s: bytes, dtype: Any, what: str) -> Any:
    """The number that `s` is; raises ValueError, naming the op `what`, for other strings."""
    text = s.strip()
    try:
        if b"_" in text:  # Python's digit groups are no numbers in C
            raise ValueError
        if dtype.is_floating:
            if b"infinity" in text.lower():
                raise ValueError
            if _HEX.fullmatch(text):
                return dtype._as_numpy.type(int(text, 16))
            return dtype._as_numpy.type(text)
        value = int(text)
        limits = np.iinfo(dtype._as_numpy)
        if text.startswith(b"+") or not limits.min <= value <= limits.max:
            raise ValueError
        return value
    except (ValueError, OverflowError):
        raise ValueError(f"{what} could not correctly convert string: {s.decode('utf-8', 'replace')}") from None


@op("StringToNumber", host=True, numpy_only=True)
def _string_to_number(string_tensor: string, *, out_type: OUT = float32) -> OUT:
    """The numbers that strings are."""
    values = [number(s, out_type, "StringToNumberOp") for s in string_tensor.ravel()]
    return np.array(values, out_type._as_numpy).reshape(string_tensor.shape)


_string_to_number.shape_rule(same_shape)


@dispatched
def string_to_number(
    string_tensor: Any = None, out_type: Any = float32, name: str | None = None, input: Any = None
) -> Tensor:
    """The numbers that strings are; InvalidArgumentError in the run for others.

    >>> run(tf.string_to_number(["5.5", "-1"]))
    array([ 5.5, -1. ], dtype=float32)
    """
    strings = renamed("string_tensor", string_tensor, "input", input)
    return _string_to_number(strings, out_type=dtypes.as_dtype(out_type), name=name)


# -- hashes


def _hashed(x: Any, f: Any, buckets: int) -> Any:
    return np.array([f(s) % buckets for s in x.ravel()], np.int64).reshape(x.shape)


@op("StringToHashBucket", host=True, numpy_only=True)
def _hash_bucket(string_tensor: string, *, num_buckets: Min(int, 1)) -> int64:
    """A number less than `num_buckets` per string, by a hash that may change."""
    return _hashed(string_tensor, hash64, num_buckets)


@op("StringToHashBucketFast", host=True, numpy_only=True)
def _hash_bucket_fast(input: string, *, num_buckets: Min(int, 1)) -> int64:
    """A number less than `num_buckets` per string, by FarmHash."""
    return _hashed(input, fingerprint64, num_buckets)


@op("StringToHashBucketStrong", host=True, numpy_only=True)
def _hash_bucket_strong(input: string, *, num_buckets: Min(int, 1), key: list[int]) -> int64:
    """A number less than `num_buckets` per string, by SipHash under a key of two numbers."""
    if len(key) != 2:
        raise ValueError("Key must have 2 elements")
    return _hashed(input, lambda s: siphash(key, s), num_buckets)


for _bucket in (_hash_bucket, _hash_bucket_fast, _hash_bucket_strong):
    _bucket.shape_rule(same_shape)


@dispatched
def string_to_hash_bucket(
    string_tensor: Any = None, num_buckets: Any = None, name: str | None = None, input: Any = None
) -> Tensor:
    """A bucket of `num_buckets` for each string; equal strings get equal ones. `string_to_hash_bucket_fast` is better."""
    return _hash_bucket(renamed("string_tensor", string_tensor, "input", input), num_buckets=num_buckets, name=name)


@dispatched
def string_to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """A bucket of `num_buckets` for each string, by FarmHash: TensorFlow's own numbers.

    >>> run(tf.string_to_hash_bucket_fast(["a", "b"], 10))
    array([9, 2])
    """
    return _hash_bucket_fast(input, num_buckets=num_buckets, name=name)


@dispatched
def string_to_hash_bucket_strong(input: Any, num_buckets: int, key: Any, name: str | None = None) -> Tensor:
    """A bucket of `num_buckets` for each string, by SipHash under a `key` of two numbers, which resists inputs made to
    collide.
    """
    return _hash_bucket_strong(input, num_buckets=num_buckets, key=key, name=name)


@op("Fingerprint", host=True, numpy_only=True)
def _fingerprint(data: type_attr("T"), method: string) -> uint8:
    """[n, 8]: the fingerprint of each row."""
    if method.item() != b"farmhash64":
        raise ValueError(f"Unsupported method: {method.item().decode()}")
    if data.ndim < 1:
        raise ValueError("input must be at least one-dimensional")
    rows = data.reshape(data.shape[0], -1)
    if data.dtype == object:
        prints = [fingerprint64(s) for s in rows.ravel()]
        if rows.shape[1] > 1:  # strings of a row are fingerprinted each, and their fingerprints together
            parts = np.array(prints, "<u8").reshape(rows.shape)
            prints = [fingerprint64(row.tobytes()) for row in parts]
    else:
        prints = [fingerprint64(row.tobytes()) for row in rows]
    return np.array(prints, "<u8").view(np.uint8).reshape(len(rows), 8)


@_fingerprint.shape_rule
def _(op):
    x, method = op.inputs
    shapes.of_rank_at_least(x.dims, 1)
    shapes.of_rank(method.dims, 0)
    return [(None if x.dims is None else x.dims[0], 8)]


def fingerprint(data: Any, method: Any = "farmhash64", name: str | None = None) -> Tensor:
    """[n, 8] bytes: a fingerprint of each of the n rows of `data`, by FarmHash."""
    return _fingerprint(data, method, name=name)


# -- base64, in the alphabet that is safe in URLs


@op("EncodeBase64", host=True, numpy_only=True)
def _encode_base64(input: string, *, pad: bool = False) -> string:
    """Strings as base64."""
    encode = base64.urlsafe_b64encode
    return each(encode if pad else lambda s: encode(s).rstrip(b"="), input)


_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _decoded(s: bytes) -> bytes:
    body = s.rstrip(b"=")
    missing = len(s) - len(body)
    if missing and (len(s) % 4 or missing > 2):
        raise ValueError("Invalid character found in base64.")
    if len(body) % 4 == 1:
        raise ValueError("Base64 string length cannot be 1 modulo 4.")
    if not _ALPHABET.issuperset(body):
        raise ValueError("Invalid character found in base64.")
    try:
        return base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4))
    except binascii.Error as error:
        raise ValueError(f"Invalid character found in base64: {error}") from None


@op("DecodeBase64", host=True, numpy_only=True)
def decode_base64(input: string) -> string:
    """The strings that base64 strings (in the alphabet for URLs) stand for, with or without padding.

    Raises InvalidArgumentError in the run for what is no base64.
    """
    return each(_decoded, input)


for _base64 in (_encode_base64, decode_base64):
    _base64.shape_rule(same_shape)


@dispatched
def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Tensor:
    """Strings as base64 in the alphabet for URLs, padded with `=` on demand."""
    return _encode_base64(input, pad=pad, name=name)


for _op in (
    _as_string, _string_to_number, _hash_bucket, _hash_bucket_fast, _hash_bucket_strong, _fingerprint,
    _encode_base64, decode_base64,
):  # fmt: skip
    _op.not_differentiable()
