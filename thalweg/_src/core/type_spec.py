"""Types of values: `tf.TypeSpec` describes values that are made of tensors, `tf.TensorSpec` a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.dtypes import DType
from thalweg._src.core.shapes import TensorShape, as_shape


class TypeSpec:
    """The type of a value that is made of tensors. A subclass says what it is made of, and what else tells values apart.

    It defines `value_type`, `_serialize` (a tuple from which the spec can be made again), `_component_specs`, `_to_components` and
    `_from_components`.
    """

    @property
    def value_type(self) -> Any:
        """The Python type of the values."""
        raise NotImplementedError(f"{type(self).__name__}.value_type")

    def _serialize(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__}._serialize()")

    @property
    def _component_specs(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__}._component_specs()")

    def _to_components(self, value: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}._to_components()")

    def _from_components(self, components: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}._from_components()")

    @classmethod
    def _deserialize(cls, serialization: Any) -> TypeSpec:
        return cls(*serialization)

    @property
    def _flat_tensor_specs(self) -> list[Any]:
        """The specs of all tensors of a value, in order."""
        from thalweg._src.core import nest

        out: list[Any] = []
        for spec in nest.flatten(self._component_specs):
            out += spec._flat_tensor_specs if has_parts(spec) else [spec]
        return out

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a value could have both types."""
        known = isinstance(spec_or_value, TypeSpec)
        other = spec_or_value if known else type_spec_from_value(spec_or_value)
        return type(self) is type(other) and _compatible(self._serialize(), other._serialize())

    def most_specific_compatible_type(self, other: Any) -> TypeSpec:
        """The most specific type that both are compatible with. Raises ValueError where there is none."""
        if type(self) is not type(other):
            raise ValueError(f"No TypeSpec is compatible with both {self!r} and {other!r}")
        return self._deserialize(_merged(self._serialize(), other._serialize()))

    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self) and _comparable(self._serialize()) == _comparable(other._serialize())

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), _comparable(self._serialize())))

    def __reduce__(self):
        return type(self), tuple(self._serialize())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._serialize()!r}"


class TensorSpec(TypeSpec):
    """The dtype and shape of a tensor, and its name where that matters."""

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape: Any, dtype: Any = dtypes.float32, name: str | None = None):
        self._shape, self._dtype, self._name = as_shape(shape), dtypes.as_dtype(dtype), name

    @classmethod
    def from_spec(cls, spec: TensorSpec, name: str | None = None) -> TensorSpec:
        """A spec as `spec`, perhaps of another name."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """The spec of a tensor."""
        return cls(tensor.shape, tensor.dtype, name or tensor.op.name)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def name(self) -> str | None:
        return self._name

    value_type = property(lambda self: _tensor_type())

    def _serialize(self) -> Any:
        return self._shape, self._dtype, self._name

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        """Whether a tensor could have both specs."""
        other = spec_or_tensor
        return (
            hasattr(other, "dtype")
            and self._dtype.is_compatible_with(other.dtype)
            and self._shape.is_compatible_with(as_shape(other.shape))
        )

    def most_specific_compatible_type(self, other: Any) -> TensorSpec:
        """The most specific spec that both are compatible with. Raises ValueError where there is none."""
        if not isinstance(other, TensorSpec) or self._dtype != other._dtype:
            raise ValueError(f"Types are not compatible: {self!r} vs {other!r}")
        return TensorSpec(self._shape.most_specific_compatible_shape(other._shape), self._dtype)

    def __hash__(self) -> int:
        return hash((self._shape, self._dtype))

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, TensorSpec):
            return False
        return (self._shape._dims, self._dtype, self._name) == (other._shape._dims, other._dtype, other._name)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"


def _tensor_type() -> type:
    from thalweg._src.core.graph import Tensor

    return Tensor


def has_parts(spec: Any) -> bool:
    """Whether `spec` is the type of values that are made of tensors, rather than of a tensor."""
    return isinstance(spec, TypeSpec) and not isinstance(spec, TensorSpec)


def _comparable(value: Any) -> Any:
    """`value` with everything in it hashable and comparable: unknown shapes equal each other here."""
    if isinstance(value, dict):
        return ("dict", tuple(sorted((k, _comparable(v)) for k, v in value.items())))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(_comparable(v) for v in value))
    if isinstance(value, TensorShape):
        return ("shape", value._dims)
    if isinstance(value, np.ndarray):
        return ("array", value.shape, str(value.dtype), value.tobytes())
    return (type(value).__name__, value)


def _pairs(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    """The parts of two structures side by side, or None where they are built differently."""
    if isinstance(a, dict):
        return [(a[k], b[k]) for k in sorted(a)] if a.keys() == b.keys() else None
    return list(zip(a, b, strict=True)) if len(a) == len(b) else None


def _compatible(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple | dict):
        pairs = _pairs(a, b)
        return pairs is not None and all(_compatible(x, y) for x, y in pairs)
    if isinstance(a, TensorShape | DType | TypeSpec):
        return a.is_compatible_with(b)
    return _comparable(a) == _comparable(b)


def _merged(a: Any, b: Any) -> Any:
    if type(a) is type(b):
        if isinstance(a, dict) and a.keys() == b.keys():
            return type(a)((k, _merged(a[k], b[k])) for k in a)
        if isinstance(a, list | tuple) and len(a) == len(b):
            parts = [_merged(x, y) for x, y in zip(a, b, strict=True)]
            return type(a)(*parts) if hasattr(a, "_fields") else type(a)(parts)
        if isinstance(a, TensorShape):
            return a.most_specific_compatible_shape(b)
        if isinstance(a, TypeSpec):
            return a.most_specific_compatible_type(b)
        if _comparable(a) == _comparable(b):
            return a
    raise ValueError(f"Types are not compatible: {a!r} vs {b!r}")


FROM_VALUE: list[tuple[type, Callable[[Any], Any]]] = []


def register_type_spec_from_value_converter(
    type_object: type, converter_fn: Callable[[Any], Any], allow_subclass: bool = False
) -> None:
    """`converter_fn` gives the TypeSpec of values of `type_object`."""
    FROM_VALUE.append((type_object, converter_fn))


def type_spec_from_value(value: Any) -> Any:
    """The TypeSpec of a value. Raises TypeError where none is known."""
    from thalweg._src.core.graph import Tensor

    if isinstance(value, Tensor):
        return TensorSpec(value.shape, value.dtype)
    for kind, convert in FROM_VALUE:
        if type(value) is kind:
            return convert(value)
    spec = getattr(value, "_type_spec", None)
    if spec is not None:
        return spec
    from thalweg._src.core.convert import to_tensor

    try:
        t = to_tensor(value)
    except (TypeError, ValueError):
        raise TypeError(f"Could not build a TypeSpec for {value!r} with type {type(value).__name__}") from None
    return TensorSpec(t.shape, t.dtype)
