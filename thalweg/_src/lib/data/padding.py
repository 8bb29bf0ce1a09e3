"""Dataset.padded_batch: batches of elements of different sizes."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.data import nest, structure
from thalweg._src.lib.data.dataset import Dataset, full_size
from thalweg._src.ops.data import shaping


def padded_batch(
    dataset: Dataset, batch_size: Any, padded_shapes: Any, padding_values: Any, drop_remainder: Any
) -> Dataset:
    """Batches whose components are filled up to `padded_shapes` with `padding_values` (zeros, empty strings).

    Raises TypeError for sparse components and values of another type, ValueError for shapes that can't hold the components.
    """
    if SparseTensor in nest.flatten(dataset.output_classes):
        raise TypeError("Batching of padded sparse tensors is not currently supported")
    size = to_tensor(batch_size, dtypes.int64, "batch_size")
    types, shapes = dataset.output_types, dataset.output_shapes
    values = nest.map_structure(_zero, types) if padding_values is None else padding_values
    flat = [
        _shape_tensor(padded, own)
        for own, padded in zip(nest.flatten(shapes), nest.flatten_up_to(shapes, padded_shapes), strict=True)
    ]
    fill = nest.flatten(nest.map_structure_up_to(shapes, _value_tensor, values, types))
    drop = to_tensor(drop_remainder, dtypes.bool, "drop_remainder")
    full = full_size(size, drop)
    batched = [TensorShape([full]).concatenate(TensorShape._of(infer.partial_value(t))) for t in flat]
    spec = structure.from_legacy(types, nest.pack_sequence_as(shapes, batched), dataset.output_classes)
    out_shapes = structure.flat_shapes(spec)
    variant = shaping.padded_batch_dataset_v2(dataset._variant_tensor, size, flat, fill, drop, output_shapes=out_shapes)
    return Dataset(variant, spec, [dataset])


def _zero(dtype: Any) -> Any:
    if dtype.base_dtype == dtypes.string:
        return ""
    if dtype.base_dtype == dtypes.variant:
        raise TypeError("Unable to create padding for field of type 'variant'")
    return np.zeros((), dtype.numpy_dtype)


def _shape_tensor(padded: Any, own: TensorShape) -> Tensor:
    try:
        shape = as_shape(padded)
        dims = [-1 if d is None else d for d in shape.as_list()]
        tensor = to_tensor(np.array(dims, np.int64), dtypes.int64)
    except (TypeError, ValueError):
        tensor = to_tensor(padded, None, preferred=dtypes.int64)
        if tensor.dims is not None and len(tensor.dims) != 1:
            raise ValueError(
                f"Padded shape {padded} must be a 1-D tensor of tf.int64 values, but its shape was {tensor.shape}."
            ) from None
        if tensor.dtype != dtypes.int64:
            raise TypeError(
                f"Padded shape {padded} must be a 1-D tensor of tf.int64 values, but its element type was {tensor.dtype.name}."
            ) from None
        shape = TensorShape._of(infer.partial_value(tensor))
    if not _fits(shape, own):
        raise ValueError(
            f"The padded shape {shape} is not compatible with the corresponding input component shape {own}."
        )
    return tensor


def _fits(padded: TensorShape, own: TensorShape) -> bool:
    a, b = padded._dims, own._dims
    if a is None or b is None:
        return True
    return len(a) == len(b) and all(x is None or y is None or x >= y for x, y in zip(a, b, strict=True))


def _value_tensor(value: Any, dtype: Any) -> Tensor:
    t = to_tensor(value, None, "padding_value")
    if not t.shape.is_compatible_with(TensorShape([])):
        raise ValueError(f"Padding value should be a scalar, but is not: {value}")
    if t.dtype != dtype:
        raise TypeError(f"Padding value tensor ({t}) does not match output type: {dtype}")
    return t
