"""What `+`, `<`, `@` and the like do with tensors."""

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.opdef import OPS
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.numeric import arithmetic, compare, elementwise, matmul

_override = Tensor._override_operator


def _add(x: Tensor, y: Any, name: str | None = None) -> Tensor:
    return (arithmetic.add if x.dtype.base_dtype == dtypes.string else arithmetic.add_v2)(x, y, name=name)


def _mul(x: Any, y: Any, name: str | None = None) -> Any:
    if isinstance(y, SparseTensor):
        times = OPS["SparseDenseCwiseMul"]
        return y._with_values(times(y.indices, y.values, y.dense_shape, x, name=name))
    return arithmetic.multiply(x, y, name=name)


def _binary(word: str, f: Callable[..., Any]) -> None:
    """`x op y` and its reflected form as `f`; the other operand takes the type of the tensor."""

    def forward(x: Any, y: Any) -> Any:
        with name_scope(None, word, [x, y]) as name:
            if not isinstance(y, Tensor) and not isinstance(y, SparseTensor):
                try:
                    y = to_tensor(y, None, "y", preferred=x.dtype.base_dtype)
                except TypeError:
                    if hasattr(type(y), f"__r{word}__"):
                        return NotImplemented
                    raise
            return f(x, y, name=name)

    def reflected(y: Any, x: Any) -> Any:
        with name_scope(None, word, [x, y]) as name:
            return f(to_tensor(x, y.dtype.base_dtype, "x"), y, name=name)

    forward.__doc__ = reflected.__doc__ = f.__doc__
    _override(f"__{word}__", forward)
    _override(f"__r{word}__", reflected)


_binary("add", _add)
_binary("sub", arithmetic.subtract)
_binary("mul", _mul)
_binary("div", arithmetic.div)
_binary("truediv", arithmetic.truediv)
_binary("floordiv", arithmetic.floordiv)
_binary("mod", arithmetic.floormod)
_binary("pow", arithmetic.pow)
_binary("matmul", matmul.matmul)
_binary("and", compare.logical_and)
_binary("or", compare.logical_or)
_binary("xor", compare.logical_xor)


def _method(f: Callable[..., Any]) -> Callable[..., Any]:
    # An OpDef in a class is a value; a function in a class is a method.
    return lambda *operands: f(*operands)


_override("__neg__", _method(elementwise.negative))
_override("__abs__", _method(elementwise.abs))
_override("__invert__", _method(compare.logical_not))
_override("__lt__", _method(compare.less))
_override("__le__", _method(compare.less_equal))
_override("__gt__", _method(compare.greater))
_override("__ge__", _method(compare.greater_equal))
for _identity in ("__eq__", "__ne__"):
    _override(_identity, getattr(Tensor, _identity))
