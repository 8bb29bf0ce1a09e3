"""Ragged tensors as variants: one for a whole, or one for each row, as datasets pass them on."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.dtypes import int32, int64, variant
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import Many, Min, Outputs, op, type_attr
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor, convert_to_tensor_or_ragged_tensor

SPLITS = type_attr("Tsplits", (int32, int64))
VALUES = type_attr("Tvalues")


class Ragged:
    """The row splits of a ragged tensor, outermost first, and its values."""

    def __init__(self, splits: list[Any], values: Any):
        self.splits, self.values = splits, values

    def rows(self) -> list["Ragged"]:
        """The parts along the first axis."""
        if not self.splits:
            return [Ragged([], v) for v in self.values]
        first, *inner = self.splits
        return [self._part(int(a), int(b), inner) for a, b in zip(first[:-1], first[1:], strict=True)]

    def _part(self, start: int, end: int, inner: list[Any]) -> "Ragged":
        splits = []
        for s in inner:
            own = s[start : end + 1]
            start, end = int(own[0]), int(own[-1])
            splits.append(own - own[0])
        return Ragged(splits, self.values[start:end])


def stacked(parts: list[Ragged], dtype: Any) -> Ragged:
    """Parts as rows of one."""
    depth = len(parts[0].splits) if parts else 0
    if any(len(p.splits) != depth for p in parts):
        raise ValueError("Variants to join differ in their number of ragged dimensions")
    splits = []
    for level in range(depth + 1):
        lengths = [
            np.array([len(p.splits[0]) - 1 if depth else len(p.values)]) if level == 0 else np.diff(p.splits[level - 1])
            for p in parts
        ]
        flat = np.concatenate([np.zeros(1, dtype), *lengths])
        splits.append(np.cumsum(flat).astype(dtype))
    return Ragged(splits, np.concatenate([p.values for p in parts]) if parts else np.zeros(0))


@op("RaggedTensorToVariant", host=True, foldable=False)
def _to_variant(
    rt_nested_splits: Many(SPLITS, "RAGGED_RANK", 1), rt_dense_values: VALUES, *, batched_input: bool
) -> variant:
    """A ragged tensor as a variant, or with `batched_input` its rows as a vector of them."""
    whole = Ragged(list(rt_nested_splits), rt_dense_values)
    if not batched_input:
        out = np.empty((), object)
        out[()] = whole
        return out
    rows = whole.rows()
    out = np.empty(len(rows), object)
    out[:] = rows
    return out


@_to_variant.shape_rule
def _(node):
    if not node.attrs["batched_input"]:
        return [()]
    first = node.inputs[0].dims
    return [(None if first is None or first[0] is None else first[0] - 1,)]


@op("RaggedTensorFromVariant", host=True, foldable=False)
def _from_variant(
    encoded_ragged: variant,
    *,
    input_ragged_rank: Min(int, -1),
    output_ragged_rank: Min(int, 1),
    Tvalues: VALUES,
    Tsplits: SPLITS,
) -> Outputs(output_nested_splits=Many(SPLITS, "output_ragged_rank"), output_dense_values=VALUES):
    """What variants hold as one ragged tensor; the axes of the variants come first."""
    kind = Tsplits.numpy_dtype
    flat = [x.item() if isinstance(x, np.ndarray) else x for x in encoded_ragged.ravel()]
    for level in range(encoded_ragged.ndim):
        size = encoded_ragged.shape[encoded_ragged.ndim - 1 - level]
        flat = [stacked(flat[i : i + size], kind) for i in range(0, len(flat), size)] if size else []
    found = flat[0] if flat else Ragged([np.zeros(1, kind)] * output_ragged_rank, np.zeros(0, Tvalues.numpy_dtype))
    return [s.astype(kind) for s in found.splits], found.values


_from_variant.shape_rule(lambda node: [(None,)] * node.attrs["output_ragged_rank"] + [None])
_to_variant.not_differentiable()
_from_variant.not_differentiable()


def ragged_to_variant(value: Any, *, batched: bool) -> Tensor:
    """A ragged tensor as a variant, or its rows as a vector of them."""
    value = convert_to_tensor_or_ragged_tensor(value)
    splits = list(value.nested_row_splits) if isinstance(value, RaggedTensor) else []
    flat = value.flat_values if splits else value
    return _to_variant(splits, flat, batched_input=batched)


def ragged_from_variant(encoded: Any, dtype: Any, rank: int, splits_dtype: Any) -> Any:
    """What `ragged_to_variant` made, with the axes of `encoded` in front."""
    outer = encoded.dims
    depth = -1 if outer is None else rank - len(outer)
    out = _from_variant(
        encoded,
        input_ragged_rank=max(depth, -1),
        output_ragged_rank=rank,
        Tvalues=dtypes.as_dtype(dtype),
        Tsplits=dtypes.as_dtype(splits_dtype),
    )
    if not rank:
        return out.output_dense_values
    return RaggedTensor.from_nested_row_splits(out.output_dense_values, out.output_nested_splits, validate=False)
