"""Strings cut into parts, as sparse tensors: string_split and strings.split."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int64, string
from thalweg._src.core.opdef import Outputs, op
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.text.strings import texts


def _pieces(s: bytes, delimiter: bytes, skip_empty: bool) -> list[bytes]:
    """`s` cut at each byte that is in `delimiter`; into bytes where that is empty."""
    if not s:
        return []
    if not delimiter:
        return [s[i : i + 1] for i in range(len(s))]
    out, begin = [], 0
    for i, b in enumerate(s):
        if b in delimiter:
            out.append(s[begin:i])
            begin = i + 1
    out.append(s[begin:])
    return [p for p in out if p] if skip_empty else out


def _pieces_at(s: bytes, separator: bytes, most: int) -> list[bytes]:
    """As Python's `split`: at white space where `separator` is empty, into at most `most` + 1 parts."""
    if most == 0:
        return [s]
    most = -1 if most < 0 else most
    if separator:
        return s.split(separator, most)
    parts = s.split(None, most)
    return [*parts, b""] if len(parts) == most else parts  # what is left behind the last cut is a part


def _as_sparse(x: Any, cut: Callable[[bytes], list[bytes]]) -> Any:
    if x.ndim != 1:
        raise ValueError(f"input must be a vector, got shape: {shapes.text(x.shape)}")
    rows = [cut(s) for s in x]
    at = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    values = [p for row in rows for p in row]
    dims = np.array([len(rows), max(map(len, rows), default=0)], np.int64)
    return np.array(at, np.int64).reshape(-1, 2), texts(values, (len(values),)), dims


@op("StringSplit", host=True, numpy_only=True)
def _string_split(input: string, delimiter: string, *, skip_empty: bool = True) -> Outputs(
    indices=int64, values=string, shape=int64
):
    """The parts of each string of a vector between the characters of `delimiter`."""
    _scalar(delimiter, "delimiter")
    return _as_sparse(input, lambda s: _pieces(s, delimiter.item(), skip_empty))


@op("StringSplitV2", host=True, numpy_only=True)
def _string_split_v2(input: string, sep: string, *, maxsplit: int = -1) -> Outputs(
    indices=int64, values=string, shape=int64
):
    """The parts of each string of a vector between `sep`, as Python's `split` makes them."""
    _scalar(sep, "sep")
    return _as_sparse(input, lambda s: _pieces_at(s, sep.item(), maxsplit))


def _scalar(x: Any, what: str) -> None:
    if x.ndim:
        raise ValueError(f"{what} must be a scalar, got shape: {shapes.text(x.shape)}")


def _split_rule(op):
    shapes.of_rank(op.inputs[0].dims, 1)
    shapes.of_rank(op.inputs[1].dims, 0)
    return [(None, 2), (None,), (2,)]


for _split in (_string_split, _string_split_v2):
    _split.shape_rule(_split_rule)
    _split.not_differentiable()


def _as_sparse_only(result_type: str) -> None:
    if result_type not in ("SparseTensor", "RaggedTensor"):
        raise ValueError("result_type must be 'RaggedTensor' or 'SparseTensor'.")


def string_split(
    source: Any,
    sep: Any = None,
    skip_empty: bool = True,
    delimiter: Any = None,
    result_type: str = "SparseTensor",
    name: str | None = None,
) -> Any:
    """The parts of each string of the vector `source` between the characters of `sep` (a space): [n] -> sparse [n, most].

    Each character of `sep` separates; an empty one cuts into bytes. Empty parts are left out unless `skip_empty` is False.
    With `result_type="RaggedTensor"` the rows are a RaggedTensor.

    >>> run(tf.string_split(["hello world", "a b c"])).values
    array([b'hello', b'world', b'a', b'b', b'c'], dtype=object)
    """
    separator = renamed("sep", sep, "delimiter", delimiter)
    _as_sparse_only(result_type)
    with name_scope(name, "StringSplit", [source]):
        separator = to_tensor(" " if separator is None else separator, string)
        source = to_tensor(source, string)
        return _result(_string_split(source, separator, skip_empty=skip_empty), result_type)


def _result(parts: Any, result_type: str) -> Any:
    sparse = SparseTensor(*parts)
    if result_type == "SparseTensor":
        return sparse
    from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor

    return RaggedTensor.from_sparse(sparse)


def string_split_by(
    input: Any = None,
    sep: Any = None,
    maxsplit: int = -1,
    result_type: str = "SparseTensor",
    source: Any = None,
    name: str | None = None,
) -> Any:
    """The parts of each string of the vector `input` between `sep`, as Python's `split` makes them: at white space where
    there is no `sep`, at most `maxsplit` times.
    """
    source = renamed("input", input, "source", source)
    _as_sparse_only(result_type)
    from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor, convert_to_tensor_or_ragged_tensor

    source = convert_to_tensor_or_ragged_tensor(source, string)
    rank = source.shape.ndims
    if rank == 1 and not isinstance(source, RaggedTensor):
        sep = to_tensor("" if sep is None else sep, string)
        return _result(_string_split_v2(source, sep, maxsplit=maxsplit, name=name), result_type)
    ragged = _split_ragged(source, sep, maxsplit)
    return ragged.to_sparse() if result_type == "SparseTensor" else ragged


def _split_ragged(source: Any, sep: Any, most: int) -> Any:
    """The parts of the strings of a tensor of any rank, with a new ragged axis."""
    from thalweg._src.ops.arrays.stacking import stack
    from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor

    if isinstance(source, RaggedTensor):
        return source.with_flat_values(_split_ragged(source.flat_values, sep, most))
    rank = source.shape.ndims
    if rank == 0:
        return _split_ragged(stack([source]), sep, most)[0]
    if rank in (1, None):
        return string_split_by(source, sep, most, "RaggedTensor") if rank else _unknown_rank(source, sep, most)
    return _split_ragged(RaggedTensor.from_tensor(source), sep, most)


def _unknown_rank(source: Any, sep: Any, most: int) -> Any:
    sep = to_tensor("" if sep is None else sep, string)
    return _result(_string_split_v2(source, sep, maxsplit=most), "RaggedTensor")
