"""What branches and loops take and return, as plain tensors: a TensorArray is its flow, a SparseTensor its three tensors."""

from collections.abc import Sequence
from typing import Any

from thalweg._src.core import nest, shapes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import Dims
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices


def parts_of(value: Any) -> list[Any]:
    """The tensors of a leaf of a structure; anything that is no composite is its own only part."""
    if isinstance(value, TensorArray):
        return [value.flow]
    if hasattr(value, "_components"):
        return list(value._components())
    return [value]


def with_parts(value: Any, tensors: Sequence[Tensor]) -> Any:
    """A leaf as `value`, of other tensors."""
    if isinstance(value, TensorArray):
        return value._with_flow(tensors[0])
    if hasattr(value, "_components"):
        rebuild = getattr(value, "_with_components", None)
        return rebuild(list(tensors)) if rebuild is not None else type(value)(*tensors)
    return tensors[0]


def flatten(structure: Any) -> list[Any]:
    """All tensors of a structure, in order."""
    return [t for leaf in nest.flatten(structure) for t in parts_of(leaf)]


def pack(like: Any, tensors: Sequence[Any]) -> Any:
    """The structure of `like`, of `tensors`."""
    left = list(tensors)
    leaves = []
    for leaf in nest.flatten(like):
        n = len(parts_of(leaf))
        leaves.append(with_parts(leaf, left[:n]))
        left = left[n:]
    return nest.pack(like, leaves)


def same_structure(a: Any, b: Any) -> None:
    """Raises TypeError or ValueError unless both nest alike and have composites of the same kind at the same places."""
    nest.assert_same_structure(a, b)
    for x, y in zip(nest.flatten(a), nest.flatten(b), strict=True):
        kinds = [type(v) if isinstance(v, TensorArray) or hasattr(v, "_components") else None for v in (x, y)]
        if kinds[0] is not kinds[1]:
            raise TypeError(
                f"The two structures don't have the same kinds of elements: {type(x).__name__} and {type(y).__name__}."
            )


def invariants_of(value: Any, shape: Any = None) -> list[Dims]:
    """The shapes that the tensors of a leaf keep from turn to turn, where `shape` is what the caller said of it.

    That is a shape (of a SparseTensor: of its `dense_shape`), or a TensorSpec. Raises TypeError for a spec of another type.
    """
    parts = parts_of(value)
    said = getattr(shape, "dtype", None)
    if said is not None:
        values = parts[1] if isinstance(value, SparseTensor) else parts[0]
        fits = isinstance(shape, TensorSpec) is not hasattr(value, "_components")
        if not fits or said != values.dtype.base_dtype:
            raise TypeError(f"The shape invariant {shape!r} is not of the type of the loop variable {value!r}")
        dims = shapes.as_dims(shape.shape)
        shape = (None if dims is None else len(dims),) if isinstance(value, SparseTensor) else shape.shape
    if isinstance(value, TensorArray):
        return [()]
    if isinstance(value, IndexedSlices):
        if shape is None:
            return [t.dims for t in parts]
        dims = shapes.as_dims(shape)
        return [dims, (dims[0] if dims else None,), (None if dims is None else len(dims),)][: len(parts)]
    if isinstance(value, SparseTensor):  # : how many values it has may change
        if shape is None:
            rank = parts[2].dims[0] if parts[2].dims else None
        else:
            dims = shapes.as_dims(shape)
            rank = dims[0] if dims else None
        return [(None, rank), (None,), (rank,)]
    if hasattr(value, "_components"):  # a RaggedTensor: how many rows it has stays
        inner = [None if t.dims is None else (None, *t.dims[1:]) for t in parts[1:]]
        return [parts[0].dims, *inner]
    return [parts[0].dims if shape is None else shapes.as_dims(shape)]
