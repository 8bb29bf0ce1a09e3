"""Strings as Unicode characters: decode, encode, split, transcode; and strings cut into bytes or n-grams."""

from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32, int64, string
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Enum, Min, Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import expand_dims, reshape, shape
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor, convert_to_tensor_or_ragged_tensor
from thalweg._src.ops.text.string_split import string_split
from thalweg._src.ops.text.strings import each, texts

SPLITS = type_attr("Tsplits", (int32, int64), int64)
ERRORS = Enum("strict", "replace", "ignore")
ENCODING = Enum("UTF-8", "UTF-16-BE", "UTF-32-BE")


def _characters(s: bytes, encoding: str) -> list[tuple[int | None, int]]:
    """The code points of `s` and where each begins; None for what is no character."""
    out: list[tuple[int | None, int]] = []
    at, n = 0, len(s)
    while at < n:
        end = at + 1
        while True:
            try:
                char = s[at:end].decode(encoding)
            except UnicodeDecodeError as error:
                if end < n and error.end == end - at and "invalid" not in error.reason:
                    end += 1
                    continue
                out.append((None, at))
                at += max(1, error.end - error.start)
                break
            if not char and end < n:
                end += 1
                continue
            out += [(ord(c), at) for c in char]
            at = end
            break
    return out


def _codec(name: str) -> str:
    import codecs

    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"Could not create converter for input encoding: {name}") from None


class _Policy:
    """What becomes of characters that are none."""

    def __init__(self, errors: str, replacement: int, controls: bool = False):
        self.errors, self.replacement, self.controls = errors, replacement, controls
        if not 0 <= replacement <= 0x10FFFF:
            raise ValueError("replacement_char out of unicode codepoint range")

    def applied(self, found: list[tuple[int | None, int]]) -> list[tuple[int, int]]:
        out = []
        for code, at in found:
            if code is None and self.errors == "strict":
                raise ValueError("Invalid formatting on input string")
            if code is None or (self.controls and code <= 0x1F):
                if self.errors == "ignore":
                    continue
                code = self.replacement
            out.append((code, at))
        return out


def _encoded(codes: Any, encoding: str, policy: _Policy) -> bytes:
    valid = [(c if 0 <= c <= 0x10FFFF and not 0xD800 <= c <= 0xDFFF else None, 0) for c in codes]
    return "".join(chr(c) for c, _ in policy.applied(valid)).encode(encoding)


# -- ops


def _decoded(x: Any, encoding: str, errors: str, char: int, controls: bool) -> Any:
    policy, codec = _Policy(errors, char, controls), _codec(encoding)
    rows = [policy.applied(_characters(s, codec)) for s in x.ravel()]
    splits = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
    codes = np.array([c for r in rows for c, _ in r], np.int32)
    return splits, codes, np.array([at for r in rows for _, at in r], np.int64)


@op("UnicodeDecode", host=True, numpy_only=True)
def _unicode_decode(
    input: string,
    *,
    input_encoding: str,
    errors: ERRORS = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    Tsplits: SPLITS = int64,
) -> Outputs(row_splits=SPLITS, char_values=int32):
    """The code points of strings, as row splits and values."""
    return _decoded(input, input_encoding, errors, replacement_char, replace_control_characters)[:2]


@op("UnicodeDecodeWithOffsets", host=True, numpy_only=True)
def _unicode_decode_with_offsets(
    input: string,
    *,
    input_encoding: str,
    errors: ERRORS = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    Tsplits: SPLITS = int64,
) -> Outputs(row_splits=SPLITS, char_values=int32, char_to_byte_starts=int64):
    """As UnicodeDecode, and where each character begins."""
    return _decoded(input, input_encoding, errors, replacement_char, replace_control_characters)


def _decode_rule(op):
    n = shapes.size_of(op.inputs[0].dims)
    return [(None if n is None else n + 1,), (None,), (None,)][: len(op.outputs)]


@op("UnicodeEncode", host=True, numpy_only=True)
def _unicode_encode(
    input_values: int32,
    input_splits: SPLITS,
    *,
    errors: ERRORS = "replace",
    output_encoding: ENCODING,
    replacement_char: int = 65533,
) -> string:
    """Rows of code points as strings."""
    policy = _Policy(errors, replacement_char)
    ends = input_splits.tolist()
    if not ends or ends[0] != 0 or any(b < a for a, b in zip(ends[:-1], ends[1:], strict=True)):
        raise ValueError("Values in input_splits must be equal or in ascending order, from 0 on")
    codes = input_values.tolist()
    if ends[-1] > len(codes):
        raise ValueError("Values in input_splits must be less than or equal to input_tensor length")
    rows = [_encoded(codes[a:b], output_encoding, policy) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    return texts(rows, (len(rows),))


@_unicode_encode.shape_rule
def _(op):
    shapes.of_rank(op.inputs[0].dims, 1)
    n = shapes.of_rank(op.inputs[1].dims, 1)[0]
    return [(None if n is None else n - 1,)]


@op("UnicodeTranscode", host=True, numpy_only=True)
def _unicode_transcode(
    input: string,
    *,
    input_encoding: str,
    output_encoding: ENCODING,
    errors: ERRORS = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
) -> string:
    """Strings in another encoding."""
    policy, codec = _Policy(errors, replacement_char, replace_control_characters), _codec(input_encoding)

    def convert(s: bytes) -> bytes:
        return "".join(chr(c) for c, _ in policy.applied(_characters(s, codec))).encode(output_encoding)

    return each(convert, input)


_unicode_transcode.shape_rule(lambda op: [op.inputs[0].dims])


@op("StringNGrams", host=True, numpy_only=True)
def _string_ngrams(
    data: string,
    data_splits: SPLITS,
    *,
    separator: str,
    ngram_widths: Min(list[int], 0),
    left_pad: str,
    right_pad: str,
    pad_width: int,
    preserve_short_sequences: bool,
) -> Outputs(ngrams=string, ngrams_splits=SPLITS):
    """The n-grams of each row of strings."""
    between, left, right = (t.encode() if isinstance(t, str) else t for t in (separator, left_pad, right_pad))
    ends, out, splits = data_splits.tolist(), [], [0]
    for a, b in zip(ends[:-1], ends[1:], strict=True):
        row, made = list(data[a:b]), 0
        for width in ngram_widths:
            pad = width - 1 if pad_width < 0 else min(pad_width, width - 1)
            padded = [left] * pad + row + [right] * pad
            grams = [between.join(padded[i : i + width]) for i in range(max(0, len(padded) - width + 1))]
            made += len(grams)
            out += grams
        if preserve_short_sequences and not made and row:
            out.append(between.join(row))
        splits.append(len(out))
    return texts(out, (len(out),)), np.array(splits, data_splits.dtype)


_string_ngrams.shape_rule(lambda op: [(None,), op.inputs[1].dims])
for _decode in (_unicode_decode, _unicode_decode_with_offsets):
    _decode.shape_rule(_decode_rule)
for _op in (_unicode_decode, _unicode_decode_with_offsets, _unicode_encode, _unicode_transcode, _string_ngrams):
    _op.not_differentiable()


# -- functions


def _decode_any(x: Any, attrs: dict[str, Any], *, with_offsets: bool) -> tuple[Any, Any]:
    """Code points and offsets: a vector for a scalar, ragged for tensors."""
    x = convert_to_tensor_or_ragged_tensor(x, name="input")
    rank = x.shape.ndims
    if rank is None:
        raise ValueError("Rank of `input` must be statically known.")
    if rank > 1 and not isinstance(x, RaggedTensor):
        x = RaggedTensor.from_tensor(x, ragged_rank=rank - 1)
    flat = reshape(x.flat_values if isinstance(x, RaggedTensor) else x, [-1])
    if with_offsets:
        splits, codes, starts = _unicode_decode_with_offsets(flat, **attrs)
    else:
        (splits, codes), starts = _unicode_decode(flat, **attrs), None
    if rank == 0:
        return codes, starts
    parts = [None if p is None else RaggedTensor.from_row_splits(p, splits, validate=False) for p in (codes, starts)]
    if rank > 1:
        parts = [None if p is None else x.with_flat_values(p) for p in parts]
    return parts[0], parts[1]


def unicode_decode(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """The code points of each string: a vector for one string, else a RaggedTensor with a new last axis.

    `errors`: what becomes of bytes that are no characters: "replace" them by `replacement_char`, "ignore" them, or
    InvalidArgumentError in the run for "strict".
    """
    with name_scope(name, "UnicodeDecode", None):
        attrs = _attrs(input_encoding, errors, replacement_char, replace_control_characters)
        return _decode_any(input, attrs, with_offsets=False)[0]


def _attrs(encoding: str, errors: str, char: int, controls: bool) -> dict[str, Any]:
    return {
        "input_encoding": encoding,
        "errors": errors,
        "replacement_char": char,
        "replace_control_characters": controls,
    }


def unicode_decode_with_offsets(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> tuple[Any, Any]:
    """(code points, offsets): as `unicode_decode`, and the byte at which each character begins."""
    with name_scope(name, "UnicodeDecodeWithOffsets", None):
        attrs = _attrs(input_encoding, errors, replacement_char, replace_control_characters)
        return _decode_any(input, attrs, with_offsets=True)


def unicode_encode(
    input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Code points as strings: the last axis, which may be ragged, becomes a string.

    Raises ValueError for a scalar, and for a tensor of unknown rank.
    """
    attrs = {"output_encoding": output_encoding, "errors": errors, "replacement_char": replacement_char}
    with name_scope(name, "UnicodeEncode", None):
        x = convert_to_tensor_or_ragged_tensor(input)
        rank = x.shape.ndims
        if rank is None:
            raise ValueError("Rank of input_tensor must be statically known.")
        if rank == 0:
            raise ValueError("input_tensor's rank must be at least 1.")
        if isinstance(x, RaggedTensor):
            if x.flat_values.shape.ndims > 1:
                return x.with_flat_values(unicode_encode(x.flat_values, **attrs))
            if x.ragged_rank > 1:
                return x.with_values(unicode_encode(x.values, **attrs))
            return _unicode_encode(x.values, x.row_splits, **attrs)
        if rank == 1:
            splits = stack([0, shape(x)[0]])
            return reshape(_unicode_encode(x, splits, **attrs), [])
        if rank == 2:
            return unicode_encode(RaggedTensor.from_tensor(x), **attrs)
        flat = reshape(x, stack([-1, shape(x)[-1]]))
        return reshape(unicode_encode(flat, **attrs), shape(x)[:-1])


def _each_character(codes: Any, encoding: str, errors: str, char: int) -> Any:
    flat = codes.flat_values if isinstance(codes, RaggedTensor) else codes
    characters = unicode_encode(expand_dims(flat, -1), encoding, errors, char)
    return codes.with_flat_values(characters) if isinstance(codes, RaggedTensor) else characters


def unicode_split(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD, name: str | None = None
) -> Any:
    """The characters of each string, as strings: a vector for one string, else a RaggedTensor."""
    with name_scope(name, "UnicodeSplit", None):
        codes, _ = _decode_any(input, _attrs(input_encoding, errors, replacement_char, False), with_offsets=False)
        return _each_character(codes, input_encoding, errors, replacement_char)


def unicode_split_with_offsets(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD, name: str | None = None
) -> tuple[Any, Any]:
    """(characters, offsets): as `unicode_split`, and the byte at which each character begins."""
    with name_scope(name, "UnicodeSplitWithOffsets", None):
        attrs = _attrs(input_encoding, errors, replacement_char, False)
        codes, starts = _decode_any(input, attrs, with_offsets=True)
        return _each_character(codes, input_encoding, errors, replacement_char), starts


def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Tensor:
    """Strings in another encoding: UTF-8, UTF-16-BE or UTF-32-BE."""
    attrs = _attrs(input_encoding, errors, replacement_char, replace_control_characters)
    return _unicode_transcode(input, output_encoding=output_encoding, **attrs, name=name)


def string_bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of each string, as strings: a vector for one string, else a RaggedTensor."""
    with name_scope(name, "StringsByteSplit", None):
        x = convert_to_tensor_or_ragged_tensor(input, name="input")
        if isinstance(x, RaggedTensor):
            return x.with_flat_values(string_bytes_split(x.flat_values))
        rank = x.shape.ndims
        if rank is None:
            raise ValueError("input must have a statically-known rank.")
        if rank == 0:
            return string_bytes_split(stack([x]))[0]
        if rank == 1:
            return string_split(x, delimiter="", skip_empty=False, result_type="RaggedTensor")
        return string_bytes_split(RaggedTensor.from_tensor(x))


def string_ngrams(
    data: Any,
    ngram_width: Any,
    separator: str = " ",
    pad_values: Any = None,
    padding_width: int | None = None,
    preserve_short_sequences: bool = False,
    name: str | None = None,
) -> Any:
    """The n-grams of the strings along the last axis of `data`, joined by `separator`.

    `pad_values`: one string, or one for each end, with which rows are padded, `padding_width` times or as far as it takes.
    """
    with name_scope(name, "StringNGrams", None):
        pads = ("", "") if pad_values is None else pad_values
        left, right = pads if isinstance(pads, list | tuple) else (pads, pads)
        if not all(isinstance(p, str | bytes) for p in (left, right)):
            raise TypeError("pad_values must be a string, tuple of strings, or None.")
        if padding_width is not None and padding_width < 1:
            raise ValueError("padding_width must be greater than 0.")
        if padding_width is not None and pad_values is None:
            raise ValueError("pad_values must be provided if padding_width is set.")
        widths = list(ngram_width) if isinstance(ngram_width, list | tuple) else [ngram_width]
        attrs = {
            "separator": separator,
            "ngram_widths": widths,
            "left_pad": left,
            "right_pad": right,
            "pad_width": (-1 if padding_width is None else padding_width) if pad_values is not None else 0,
            "preserve_short_sequences": preserve_short_sequences,
        }
        return _ngrams_of(convert_to_tensor_or_ragged_tensor(data, dtype=string, name="data"), attrs)


def _ngrams_of(x: Any, attrs: dict[str, Any]) -> Any:
    rank = x.shape.ndims
    if rank is None:
        raise ValueError("Rank of data must be known.")
    if rank == 0:
        raise ValueError("Data must have rank>0")
    if isinstance(x, RaggedTensor):
        if x.ragged_rank > 1 or x.flat_values.shape.ndims > 1:
            return x.with_values(_ngrams_of(x.values, attrs))
        grams, splits = _string_ngrams(x.values, x.row_splits, **attrs)
        return RaggedTensor.from_row_splits(grams, splits, validate=False)
    if rank == 1:
        splits = to_tensor([0], int64)
        splits = concat([splits, [shape(x, out_type=int64)[0]]], 0)
        return _string_ngrams(x, splits, **attrs).ngrams
    ragged = _ngrams_of(RaggedTensor.from_tensor(x, ragged_rank=rank - 1), attrs)
    return ragged.to_tensor()
