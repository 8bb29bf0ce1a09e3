"""What inputs of an estimator look like: so that later ones can be compared, and placeholders made."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays.constants import placeholder
from thalweg._src.ops.io.parsing import FixedLenFeature, VarLenFeature, parse_example
from thalweg._src.ops.late import math
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_placeholder


class TensorSignature(collections.namedtuple("TensorSignature", ["dtype", "shape", "is_sparse"])):
    """The type and shape of a tensor."""

    def __new__(cls, tensor: Any) -> TensorSignature:
        if isinstance(tensor, SparseTensor):
            return super().__new__(cls, tensor.values.dtype, None, True)
        return super().__new__(cls, tensor.dtype, tensor.get_shape(), False)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor of the signature `other` may stand where one of this stood: the batch may differ."""
        if other.is_sparse or self.is_sparse:
            return self.is_sparse == other.is_sparse and self.dtype.is_compatible_with(other.dtype)
        if not self.dtype.is_compatible_with(other.dtype):
            return False
        if self.shape.ndims is None or other.shape.ndims is None:
            return True
        return self.shape.ndims == other.shape.ndims and self.shape[1:].is_compatible_with(other.shape[1:])

    def get_placeholder(self) -> Any:
        """A placeholder for such tensors, of any batch size."""
        if self.is_sparse:
            return sparse_placeholder(dtype=self.dtype)
        return placeholder(self.dtype, [None, *list(self.shape[1:])] if self.shape.ndims else self.shape)


def create_signatures(tensors: Any) -> Any:
    """The signature of a tensor; {key: signature} of a dict; None of None."""
    if isinstance(tensors, dict):
        return {key: TensorSignature(tensor) for key, tensor in tensors.items()}
    return None if tensors is None else TensorSignature(tensors)


def tensors_compatible(tensors: Any, signatures: Any) -> bool:
    """Whether tensors look like `signatures`, which may know fewer keys."""
    if tensors is None:
        return not signatures
    if isinstance(tensors, dict):
        if not isinstance(signatures, dict):
            return False
        return all(
            key in tensors and TensorSignature(tensors[key]).is_compatible_with(s) for key, s in signatures.items()
        )
    if signatures is None or isinstance(signatures, dict):
        return False
    return TensorSignature(tensors).is_compatible_with(signatures)


def placeholders_from(signatures: Any) -> Any:
    """Placeholders for signatures."""
    if signatures is None:
        return None
    if isinstance(signatures, dict):
        return {key: signature.get_placeholder() for key, signature in signatures.items()}
    return signatures.get_placeholder()


_ALONE = "__single__feature__"


def parsed_as_before(examples: Any, signatures: Any) -> Any:
    """Features of serialized Examples that look like `signatures`. Raises ValueError where nothing is known of them."""
    if signatures is None:
        raise ValueError("Features information missing, was fit() ever called?")
    every = signatures if isinstance(signatures, dict) else {_ALONE: signatures}
    spec = {}
    for key, signature in every.items():
        parsed = _IN_EXAMPLES.get(signature.dtype.base_dtype, signature.dtype)
        dense = not signature.is_sparse
        spec[key] = FixedLenFeature(signature.shape.as_list()[1:], parsed) if dense else VarLenFeature(parsed)
    found = parse_example(examples, spec)
    cast = {key: value if every[key].is_sparse else _as(value, every[key].dtype) for key, value in found.items()}
    return cast if isinstance(signatures, dict) else cast[_ALONE]


def _as(value: Any, dtype: Any) -> Any:
    return value if value.dtype == dtype else math.cast(value, dtype)


# What Examples hold in place of types that they do not have.
_IN_EXAMPLES = {dtypes.float64: dtypes.float32, dtypes.int32: dtypes.int64}
