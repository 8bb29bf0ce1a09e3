"""Element types: `tf.float32`, `tf.string`, their reference forms, and the way from NumPy and Python types to them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from thalweg._src.formats.types import ENUM_OF_NAME, REF_OFFSET, TYPES

_FLOATS = {"float16", "float32", "float64", "bfloat16"}
_COMPLEX = {"complex64", "complex128"}
_INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
_QUANTIZED = {"qint8", "quint8", "qint16", "quint16", "qint32"}


class DType:
    """The type of the elements of a tensor. Compare with `==`; `tf.as_dtype` makes one from anything that names a type.

    >>> tf.as_dtype("float32") == tf.float32
    True
    """

    __slots__ = (
        "_as_numpy",
        "_enum",
        "_name",
        "_ref",
        "base_dtype",
        "is_complex",
        "is_floating",
        "is_integer",
        "is_on_host",
        "is_quantized",
    )

    base_dtype: DType
    is_complex: bool
    is_floating: bool
    is_integer: bool
    is_on_host: bool
    is_quantized: bool
    _as_numpy: np.dtype
    _enum: int
    _name: str
    _ref: bool

    def __new__(cls, type_enum: Any = None) -> DType:
        # `DType(1)` and `DType("float32")` give the one object that stands for the type.
        if type_enum is None:
            return object.__new__(cls)
        return as_dtype(type_enum)

    @classmethod
    def _make(cls, name: str, number: int, numpy: np.dtype, base: DType | None = None) -> DType:
        self = object.__new__(cls)
        root = base._name if base is not None else name
        self._name, self._enum, self._as_numpy, self._ref = name, number, numpy, base is not None
        self.base_dtype = base if base is not None else self
        self.is_floating = root in _FLOATS
        self.is_complex = root in _COMPLEX
        self.is_integer = root in _INTEGERS
        self.is_quantized = root in _QUANTIZED
        self.is_on_host = root in {"string", "variant"}  # no accelerator holds such elements
        return self

    @property
    def name(self) -> str:
        """The type's name: 'float32', 'float32_ref', 'string' ..."""
        return self._name

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy scalar type of the elements (`object` for strings)."""
        return self._as_numpy.type

    @property
    def numpy_dtype(self) -> np.dtype:
        """The `np.dtype` of the elements."""
        return self._as_numpy

    @property
    def as_datatype_enum(self) -> int:
        """The number of the type in `types.proto`."""
        return self._enum

    @property
    def _is_ref_dtype(self) -> bool:
        return self._ref

    @property
    def _as_ref(self) -> DType:
        return _BY_ENUM[self.base_dtype._enum + REF_OFFSET]

    @property
    def real_dtype(self) -> DType:
        """The type of the real part: float32 for complex64, float64 for complex128, itself otherwise."""
        return {"complex64": float32, "complex128": float64}.get(self.base_dtype._name, self)

    @property
    def is_bool(self) -> bool:
        return self.base_dtype._name == "bool"

    @property
    def is_unsigned(self) -> bool:
        return self.base_dtype._name in {"uint8", "uint16", "uint32", "uint64"}

    @property
    def is_numpy_compatible(self) -> bool:
        return self.base_dtype._name not in {"resource", "variant"}

    @property
    def size(self) -> int:
        """Bytes of one element (1 where elements have no fixed size)."""
        return 1 if self._name in ("resource", "variant") else self._as_numpy.itemsize

    @property
    def cpp_name(self) -> str:
        """The name in messages of TensorFlow's kernels: float, double and half for float32, float64 and float16."""
        return {"float32": "float", "float64": "double", "float16": "half"}.get(self.name, self.name)

    @property
    def min(self) -> Any:
        """The smallest finite value. Raises TypeError for types without an order."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The largest finite value. Raises TypeError for types without an order."""
        return self._limit("max")

    def _limit(self, which: str) -> Any:
        if self.is_floating:
            return getattr(ml_dtypes.finfo(self._as_numpy), which)
        if self.is_integer or self.is_quantized:
            if self.base_dtype._name in {"quint16", "qint16", "qint32"}:
                raise TypeError(f"Cannot find {which}imum value of {self}.")
            return getattr(np.iinfo(self._as_numpy), which)
        if self.is_bool:
            return which == "max"
        raise TypeError(f"Cannot find {which}imum value of {self}.")

    @property
    def limits(self) -> tuple[Any, Any]:
        """(smallest, largest) intensity: (0, 1) for floats, the type's range for integers."""
        if self.is_floating:
            return (0, 1)
        return (self.min, self.max)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor of `other` can go where `self` is expected: equal, or `self` is not a reference to another."""
        other = as_dtype(other)
        return self._enum in (other._enum, other.base_dtype._enum)

    def __eq__(self, other: Any) -> bool:
        if other is self:
            return True
        if other is None or any(other is t for t in (int, complex, str, bytes)):  # convenient, but no TensorFlow types
            return False
        if not isinstance(other, DType):
            try:
                other = as_dtype(other)
            except TypeError:
                return False
        return self._enum == other._enum

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return self._enum

    def __int__(self) -> int:
        return self._enum

    def __str__(self) -> str:
        return f"<dtype: {self._name!r}>"

    def __repr__(self) -> str:
        return "tf." + self._name

    def __reduce__(self):
        return as_dtype, (self._name,)


_BY_ENUM: dict[int, DType] = {}
_BY_NAME: dict[str, DType] = {}
for _name, _number, _type in TYPES:
    _t = DType._make(_name, _number, np.dtype(_type))
    _r = DType._make(_name + "_ref", _number + REF_OFFSET, np.dtype(_type), base=_t)
    for _d in (_t, _r):
        _BY_ENUM[_d._enum] = _BY_NAME[_d._name] = _d
_BY_NAME |= {"half": _BY_NAME["float16"], "float": _BY_NAME["float32"], "double": _BY_NAME["float64"]}
_BY_NAME |= {"half_ref": _BY_NAME["float16_ref"], "float_ref": _BY_NAME["float32_ref"]}
_BY_NAME["double_ref"] = _BY_NAME["float64_ref"]

float16 = half = _BY_NAME["float16"]
float32 = _BY_NAME["float32"]
float64 = double = _BY_NAME["float64"]
bfloat16 = _BY_NAME["bfloat16"]
int8, int16 = _BY_NAME["int8"], _BY_NAME["int16"]
int32, int64 = _BY_NAME["int32"], _BY_NAME["int64"]
uint8, uint16 = _BY_NAME["uint8"], _BY_NAME["uint16"]
uint32, uint64 = _BY_NAME["uint32"], _BY_NAME["uint64"]
complex64, complex128 = _BY_NAME["complex64"], _BY_NAME["complex128"]
bool = _BY_NAME["bool"]
string = _BY_NAME["string"]
qint8, qint16, qint32 = _BY_NAME["qint8"], _BY_NAME["qint16"], _BY_NAME["qint32"]
quint8, quint16 = _BY_NAME["quint8"], _BY_NAME["quint16"]
resource, variant = _BY_NAME["resource"], _BY_NAME["variant"]
QUANTIZED_DTYPES = frozenset(t for q in (qint8, qint16, qint32, quint8, quint16) for t in (q, q._as_ref))

# The quantized types share their NumPy types with plain integers, which win here.
_OF_NUMPY: dict[np.dtype, DType] = {}
for _name, _number, _type in sorted(TYPES, key=lambda t: t[0].startswith("q")):
    _OF_NUMPY.setdefault(np.dtype(_type), _BY_ENUM[_number])
_OF_PYTHON = {float: float32, int: int32, type(True): _BY_NAME["bool"], str: string, bytes: string, complex: complex128}


def as_dtype(type_value: Any) -> DType:
    """The `DType` that `type_value` names: a DType, its name, its number, a NumPy type or a Python type.

    Raises TypeError for anything else.
    """
    if isinstance(type_value, DType):
        return type_value
    found: DType | None = None
    if isinstance(type_value, str):
        found = _BY_NAME.get(type_value)
    elif isinstance(type_value, int) and not isinstance(type_value, type(True)):
        found = _BY_ENUM.get(type_value)
    elif isinstance(type_value, type):
        found = _OF_PYTHON.get(type_value)
    if found is not None:
        return found
    if not isinstance(type_value, int | None):
        try:
            dtype = np.dtype(type_value)
        except TypeError:
            dtype = getattr(type_value, "dtype", None)
        if isinstance(dtype, DType):
            return dtype
        if isinstance(dtype, np.dtype):
            if dtype.names and len(dtype.names) == 1 and dtype.names[0] in ENUM_OF_NAME:
                return _BY_NAME[dtype.names[0]]
            if dtype.kind in "SU":
                return string
            if dtype in _OF_NUMPY:
                return _OF_NUMPY[dtype]
    raise TypeError(f"Cannot convert value {type_value!r} to a TensorFlow DType.")


def of_numpy(dtype: np.dtype) -> DType:
    """The DType of arrays of `dtype`."""
    found = _OF_NUMPY.get(dtype)
    return found if found is not None else as_dtype(dtype)


FLOATS = (float16, bfloat16, float32, float64)
COMPLEX = (complex64, complex128)
INTEGERS = (int8, int16, int32, int64, uint8, uint16, uint32, uint64)
REALS = FLOATS + INTEGERS
QUANTIZED = (qint8, quint8, qint32, qint16, quint16)
NUMBERS = (*REALS, *COMPLEX, qint8, quint8, qint32)  # what TensorFlow calls numbertype
