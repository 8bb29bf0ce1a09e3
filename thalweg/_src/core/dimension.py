"""One entry of a static shape."""

from __future__ import annotations

import operator
from typing import Any

from thalweg._src.core.dtypes import DType


class Dimension:
    """One entry of a `TensorShape`: a size, or unknown (`value is None`). Arithmetic with an unknown is unknown."""

    __slots__ = ("_value",)
    _value: int | None

    def __init__(self, value: Any):
        if value is None or isinstance(value, Dimension):
            self._value = None if value is None else value._value
            return
        if isinstance(value, DType):  # its int() is its number
            raise TypeError(f"Cannot convert {value!r} to Dimension")
        try:
            self._value: int | None = operator.index(value)
        except TypeError:
            if isinstance(value, str):
                self._value = int(value)
            else:
                try:
                    self._value = int(value.__int__())
                except AttributeError:
                    raise TypeError(f"Cannot convert {value!r} to Dimension") from None
                if self._value != value:
                    raise ValueError(f"Ambiguous dimension: {value}") from None
        if self._value is not None and self._value < 0:
            raise ValueError(f"Dimension {self._value} must be >= 0")

    @property
    def value(self) -> int | None:
        return self._value

    def is_compatible_with(self, other: Any) -> bool:
        other = as_dimension(other)
        return self._value == other._value or self._value is None or other._value is None

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {as_dimension(other)} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        other = as_dimension(other)
        self.assert_is_compatible_with(other)
        return Dimension(other._value if self._value is None else self._value)

    def _binary(self, other: Any, f: Any, *, swap: bool = False) -> Any:
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return Dimension(None)
        a, b = self._value, other._value
        return Dimension(f(b, a) if swap else f(a, b))

    def _compare(self, other: Any, f: Any) -> Any:
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return None
        return f(self._value, other._value)

    def __add__(self, other):
        return self._binary(other, operator.add)

    def __radd__(self, other):
        return self._binary(other, operator.add, swap=True)

    def __sub__(self, other):
        return self._binary(other, operator.sub)

    def __rsub__(self, other):
        return self._binary(other, operator.sub, swap=True)

    def __mul__(self, other):
        return self._binary(other, operator.mul)

    def __rmul__(self, other):
        return self._binary(other, operator.mul, swap=True)

    def __floordiv__(self, other):
        return self._binary(other, operator.floordiv)

    def __rfloordiv__(self, other):
        return self._binary(other, operator.floordiv, swap=True)

    __div__ = __floordiv__  # Python 2's `/`, still called by name in old programs

    def __truediv__(self, other):
        raise TypeError(
            f"unsupported operand type(s) for /: 'Dimension' and '{type(other).__name__}', please use // instead"
        )

    def __rtruediv__(self, other):
        raise TypeError(
            f"unsupported operand type(s) for /: '{type(other).__name__}' and 'Dimension', please use // instead"
        )

    def __mod__(self, other):
        return self._binary(other, operator.mod)

    def __rmod__(self, other):
        return self._binary(other, operator.mod, swap=True)

    def __eq__(self, other):
        return self._compare(other, operator.eq)

    def __ne__(self, other):
        return self._compare(other, operator.ne)

    def __lt__(self, other):
        return self._compare(other, operator.lt)

    def __le__(self, other):
        return self._compare(other, operator.le)

    def __gt__(self, other):
        return self._compare(other, operator.gt)

    def __ge__(self, other):
        return self._compare(other, operator.ge)

    def __hash__(self):
        return hash(self._value)

    def __int__(self):
        if self._value is None:
            raise TypeError("An unknown Dimension has no int")
        return self._value

    def __format__(self, spec):
        return format(self._value, spec) if spec and self._value is not None else format(str(self), spec)

    def __index__(self):
        if self._value is None:
            raise TypeError("An unknown Dimension has no index")
        return self._value

    def __str__(self):
        return "?" if self._value is None else str(self._value)

    def __repr__(self):
        return f"Dimension({self._value})"

    def __reduce__(self):
        return Dimension, (self._value,)


def as_dimension(value: Any) -> Dimension:
    return value if isinstance(value, Dimension) else Dimension(value)
