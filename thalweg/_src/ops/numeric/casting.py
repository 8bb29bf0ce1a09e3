"""From one type of number to another."""

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.apply import is_traced
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dispatch import dispatched
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import partial_scalar, partial_value
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.late import math
from thalweg._src.ops.numeric.elementwise import same_shape
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

SrcT, DstT = type_attr("SrcT"), type_attr("DstT")


@op("Cast", numpy_only=True)
def cast_op(x: SrcT, *, DstT: DstT, Truncate: bool = False) -> DstT:
    """`x` in the type `DstT`: fractions are cut off, all but zero is True, complex numbers become their real part."""
    want = DstT._as_numpy
    if x.dtype == object or want == object:
        source = "string" if x.dtype == object else dtypes.of_numpy(x.dtype).name
        raise NotImplementedError(f"Cast {source} to {DstT.name} is not supported")
    if x.dtype.kind == "c" and want.kind != "c":
        x = x != 0 if want.kind == "b" else x.real
    elif want.kind == "b":
        return x != 0
    if is_traced(x):
        return _cut(x, want)
    if x.dtype.kind in "biu":  # nothing that NumPy would warn of
        return x.astype(want)
    with np.errstate(all="ignore"):
        return x.astype(want)


def _cut(x, want):
    """As C casts on x86: what an integer type can't hold becomes its smallest number, or wraps where it is narrow."""
    kind = np.dtype(want)
    if not jnp.issubdtype(x.dtype, jnp.floating) or kind.kind not in "iu":
        return x.astype(want)
    if kind.itemsize >= 4 and kind.kind == "i":
        low, high = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
        wide = x.astype(np.float64)
        fits = (wide >= low) & (wide < high + (1.0 if kind.itemsize == 4 else 0.0))
        return jnp.where(fits, x, 0).astype(want) + jnp.where(fits, 0, np.iinfo(kind).min).astype(want)
    return _cut(x, np.int64 if kind.itemsize >= 4 else np.int32).astype(want)


cast_op.shape_rule(same_shape)


@cast_op.partial_rule
def _(op):
    (x,) = op.inputs
    if x.dims == ():
        return (partial_scalar(x),)
    return partial_value(x)


@cast_op.grad
def _(op, g):
    source = op.inputs[0].dtype.base_dtype
    if not all(t.is_floating or t.is_complex for t in (source, g.dtype.base_dtype)):
        return None
    return cast(g, source)


@dispatched
def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` (a tensor, SparseTensor or IndexedSlices) in the type `dtype`; `x` itself where it has that type.

    >>> run(tf.cast([1.8, -2.7], tf.int32))
    array([ 1, -2], dtype=int32)
    """
    want = dtypes.as_dtype(dtype).base_dtype
    if isinstance(x, Tensor) and x.dtype == want:
        return x
    with name_scope(name, "Cast", [x]) as name:
        if isinstance(x, IndexedSlices | SparseTensor):
            return x._with_values(cast(x.values, want, name=name))
        x = to_tensor(x, None, "x")
        return x if x.dtype.base_dtype == want else cast_op(x, DstT=want, name=name)


@dispatched
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """`value` in the type `dtype`; what is out of its range becomes its largest or smallest number."""
    with name_scope(name, "saturate_cast", [value]) as name:
        value = to_tensor(value, None, "value")
        want = dtypes.as_dtype(dtype).base_dtype
        have = value.dtype
        if have.min < want.min:
            value = math.maximum(value, to_tensor(want.min, have.base_dtype, "min"))
        if have.max > want.max:
            value = math.minimum(value, to_tensor(want.max, have.base_dtype, "max"))
        return cast(value, want, name=name)


def to_float(x: Any, name: str = "ToFloat") -> Any:
    """`x` as float32."""
    return cast(x, dtypes.float32, name=name)


def to_double(x: Any, name: str = "ToDouble") -> Any:
    """`x` as float64."""
    return cast(x, dtypes.float64, name=name)


def to_int32(x: Any, name: str = "ToInt32") -> Any:
    """`x` as int32."""
    return cast(x, dtypes.int32, name=name)


def to_int64(x: Any, name: str = "ToInt64") -> Any:
    """`x` as int64."""
    return cast(x, dtypes.int64, name=name)


def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Any:
    """`x` as bfloat16."""
    return cast(x, dtypes.bfloat16, name=name)


def to_complex64(x: Any, name: str = "ToComplex64") -> Any:
    """`x` as complex64."""
    return cast(x, dtypes.complex64, name=name)


def to_complex128(x: Any, name: str = "ToComplex128") -> Any:
    """`x` as complex128."""
    return cast(x, dtypes.complex128, name=name)
