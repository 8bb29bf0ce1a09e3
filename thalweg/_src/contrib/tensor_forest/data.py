"""What examples and labels of a forest may be: tensors, or dicts of them."""

from __future__ import annotations

import dataclasses
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.late import array, math

DATA_FLOAT, DATA_CATEGORICAL = 0, 1


@dataclasses.dataclass
class Column:
    """The features that one tensor makes: a name, whether they are categories, and how many there are."""

    name: str
    original_type: int
    size: int | None


@dataclasses.dataclass
class DataSpec:
    """The columns of the dense features."""

    dense: list[Column]
    dense_features_size: int | None


def _type_of(tensor: Any) -> int:
    return DATA_FLOAT if tensor.dtype.is_floating else DATA_CATEGORICAL


def _refuse_sparse(value: Any) -> Any:
    if isinstance(value, SparseTensor):
        raise NotImplementedError("Forests take dense features: use tf.sparse_tensor_to_dense.")
    tensor = to_tensor(value)
    if tensor.dtype == dtypes.string:
        raise NotImplementedError("Forests take numbers: look strings up in a table of tf.contrib.lookup.")
    return tensor


def ParseDataTensorOrDict(data: Any) -> tuple[Any, Any, DataSpec]:
    """(features as a matrix of floats, None, their columns). Raises NotImplementedError for sparse tensors and strings."""
    named = (
        sorted(data.items(), key=lambda item: str(item[0])) if isinstance(data, dict) else [("dense_features", data)]
    )
    columns, parts = [], []
    for key, value in named:
        tensor = _refuse_sparse(value)
        if tensor.dims is not None and len(tensor.dims) == 1:
            tensor = array.expand_dims(tensor, 1)
        width = None if tensor.dims is None else tensor.dims[1]
        columns.append(Column(getattr(key, "column_name", str(key)), _type_of(tensor), width))
        parts.append(math.cast(tensor, dtypes.float32))
    sizes = [c.size for c in columns]
    total = None if None in sizes else sum(sizes)
    return (parts[0] if len(parts) == 1 else array.concat(parts, 1)), None, DataSpec(columns, total)


def ParseLabelTensorOrDict(labels: Any) -> Any:
    """Labels as floats; those of a dict side by side."""
    if isinstance(labels, dict):
        return math.cast(array.concat([labels[key] for key in sorted(labels)], 1), dtypes.float32)
    return math.cast(to_tensor(labels), dtypes.float32)
