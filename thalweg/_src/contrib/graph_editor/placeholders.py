"""Placeholders that stand for tensors outside of a subgraph, and the names that they get."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.ops.arrays.constants import placeholder

PREFIX = "geph"


def scope_finalize(scope: str) -> str:
    """`scope` with a slash at its end, unless it is empty."""
    return scope if not scope or scope.endswith("/") else scope + "/"


def scope_dirname(scope: str) -> str:
    """The scope that `scope` stands in, with a slash behind it; "" at the top."""
    return scope_finalize(scope.rpartition("/")[0])


def scope_basename(scope: str) -> str:
    """The last part of `scope`."""
    return scope.rpartition("/")[2]


def placeholder_name(t: Tensor | None = None, scope: str | None = None, prefix: str = PREFIX) -> str:
    """`scope/prefix__op_index` for the tensor `t`, in its own scope where none is given; `scope/prefix` without a tensor."""
    scope = None if scope is None else scope_finalize(scope)
    if t is None:
        return (scope or "") + prefix
    if not isinstance(t, Tensor):
        raise TypeError(f"Expected a tf.Tensor, got: {type(t)}")
    folder, _, base = t.op.name.rpartition("/")
    if scope is None:
        scope = scope_finalize(folder)
    return scope + (base if base.startswith(f"{prefix}__") else f"{prefix}__{base}_{t.value_index}")


def make_placeholder_from_tensor(t: Tensor, scope: str | None = None, prefix: str = PREFIX) -> Tensor:
    """A placeholder like `t` in the default graph."""
    return placeholder(t.dtype, t.get_shape(), name=placeholder_name(t, scope, prefix))


def make_placeholder_from_dtype_and_shape(
    dtype: Any, shape: Any = None, scope: str | None = None, prefix: str = PREFIX
) -> Tensor:
    """A placeholder in the default graph."""
    return placeholder(dtype, shape, name=placeholder_name(scope=scope, prefix=prefix))
