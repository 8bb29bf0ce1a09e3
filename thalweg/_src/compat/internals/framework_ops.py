"""tensorflow.python.framework.ops: what decides whether a value is a tensor. Its other names are public elsewhere."""

import abc
import itertools
from typing import Any

from thalweg._src.core import dtypes, raw_operations
from thalweg._src.core.collection_protos import register_proto_function as register_proto_function
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import EagerTensor as EagerTensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import colocate_with as colocate_with
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.variables import Variable

_dense: list[type] = [Tensor, Variable]
_numbers = itertools.count()


class _TensorLike(abc.ABC):  # noqa: B024  its members are registered
    """What counts as a tensor without being converted: a tensor, a sparse one, slices. Not a variable."""


for _kind in (Tensor, SparseTensor, IndexedSlices):
    _TensorLike.register(_kind)


def is_dense_tensor_like(t: Any) -> bool:
    """Whether `t` is a tensor, a variable, or of a type that was registered as such."""
    return isinstance(t, tuple(_dense))


def register_dense_tensor_like_type(tensor_type: type) -> None:
    """Let the instances of `tensor_type` count as dense tensors. TypeError if it lacks `name` or `dtype` as properties."""
    for needed in ("name", "dtype"):
        if not isinstance(getattr(tensor_type, needed, None), property):
            raise TypeError(f"Type {tensor_type.__name__} does not define a `{needed}` property")
    _dense.append(tensor_type)


def internal_convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    as_ref: bool = False,
    preferred_dtype: Any = None,
    **rest: Any,
) -> Tensor:
    """`value` as a tensor, as `tf.convert_to_tensor` makes one. A reference is what variables give anyhow: `as_ref` changes nothing."""
    wanted, hint = (None if t is None else dtypes.as_dtype(t) for t in (dtype, preferred_dtype))
    return to_tensor(value, wanted, name, preferred=hint)


def uid() -> int:
    """A number that no call before gave."""
    return next(_numbers)


def set_shapes_for_outputs(op: Any) -> None:
    """Infer the shapes of the outputs of an operation that was given its inputs one by one."""
    raw_operations.infer_shapes(op)


__all__ = [
    *(
        "colocate_with",
        "internal_convert_to_tensor",
        "is_dense_tensor_like",
        "register_dense_tensor_like_type",
        "register_proto_function",
        "set_shapes_for_outputs",
        "uid",
    ),
]
