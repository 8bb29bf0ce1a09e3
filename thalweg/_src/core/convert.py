"""From Python and NumPy values to arrays of a dtype, and from values of any registered type to tensors."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph

MAX_ELEMENTS = 2**31 - 1  # of a constant: a GraphDef can't hold more than 2 GB


def as_array(value: Any, dtype: DType | None = None, *, strict: bool = True) -> np.ndarray:
    """`value` as an array, with TensorFlow's rules: Python numbers become int32 and float32, strings become bytes.

    Raises TypeError for elements that `dtype` can't hold, ValueError for nested lists that are not rectangular.
    """
    if isinstance(value, np.ndarray | np.generic) or callable(getattr(value, "__array__", None)):
        return _from_numpy(np.asarray(value), dtype)
    if value is None:
        raise ValueError("None values not supported.")
    if dtype is not None and strict:
        _check_elements(value, dtype)
    return _from_python(value, dtype)


def _from_numpy(value: Any, dtype: DType | None) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind in "SUO":
        return _as_strings(array, dtype)
    if dtype is None:
        dtypes.of_numpy(array.dtype)  # raises TypeError for types that no tensor has
        return array
    if dtype.is_on_host:
        if not array.size and dtype.base_dtype == dtypes.string:  # an empty list of words, as NumPy reads it
            return array.astype(object)
        raise TypeError(f"Expected {dtype.name}, got an array of {array.dtype} instead.")
    target = dtype.base_dtype._as_numpy
    return array if array.dtype == target else array.astype(target)


def _as_strings(array: np.ndarray, dtype: DType | None) -> np.ndarray:
    if dtype is not None and dtype.base_dtype not in (dtypes.string, dtypes.variant, dtypes.resource):
        if array.dtype.kind == "O" and not any(isinstance(x, str | bytes) for x in array.flat):
            return array.astype(dtype.base_dtype._as_numpy)
        raise TypeError(f"Expected {dtype.name}, got an array of strings instead.")
    out = np.empty(array.shape, object)
    for i, x in np.ndenumerate(array):
        if isinstance(x, str):
            x = x.encode("utf-8")
        if not isinstance(x, bytes) and (dtype is None or dtype == dtypes.string):
            raise TypeError(f"Expected binary or unicode string, got {x!r}")
        out[i] = x
    return out


def _from_python(value: Any, dtype: DType | None) -> np.ndarray:
    try:
        array = np.array(value)
    except UnicodeDecodeError:  # text and bytes in one list
        array = np.array(value, dtype=object)
    except ValueError as error:
        if "inhomogeneous" in str(error) and dtype is not None:
            raise ValueError(f"setting an array element with a sequence: {_short(value)} as {dtype.name}") from None
        if "inhomogeneous" in str(error):
            raise ValueError(
                f"Argument must be a dense tensor: {_short(value)} - its nested lists differ in length."
            ) from None
        raise
    except OverflowError as error:
        raise ValueError(str(error)) from None
    if array.dtype == object and array.size and any(isinstance(x, shapes.Dimension) for x in array.flat):
        array = np.array([int(x) for x in array.flat], np.int64).reshape(array.shape)
    if array.dtype.kind in "SUO":
        if array.dtype.kind == "O" and not all(isinstance(x, str | bytes) for x in array.flat):
            if dtype is not None and all(isinstance(x, numbers.Number) for x in array.flat):
                return array.astype(dtype.base_dtype._as_numpy)
            if isinstance(value, Operation):
                raise TypeError(
                    f"Can't convert Operation '{value.name}' to Tensor (target dtype={dtype and dtype.name})"
                )
            raise TypeError(f"Failed to convert object of type {type(value)} to Tensor. Contents: {_short(value)}.")
        if array.dtype.kind in "SU":  # NumPy pads fixed-width strings; go back to the elements
            flat = np.empty(array.shape, object)
            flat[...] = np.array(value, dtype=object)
            array = flat
        return _as_strings(array, dtype)
    if dtype is not None:
        with np.errstate(over="ignore"):
            return array.astype(dtype.base_dtype._as_numpy)
    if array.dtype == np.float64:
        return array.astype(np.float32)
    if array.dtype == np.int64:
        small = array.astype(np.int32)
        return small if np.array_equal(small, array) else array
    if array.dtype == np.complex128 or array.dtype == np.bool_:
        return array
    dtypes.of_numpy(array.dtype)
    return array


_ACCEPTS: tuple[tuple[Callable[[DType], bool], Any], ...] = (
    (lambda t: t.is_bool, (bool, np.bool_)),
    (lambda t: t.is_integer or t.is_quantized, (numbers.Integral, np.integer, shapes.Dimension)),
    (lambda t: t.is_floating, (numbers.Real, np.floating, np.integer)),
    (lambda t: t.is_complex, (numbers.Complex, np.number)),
    (lambda t: t == dtypes.string, (str, bytes)),
)


def _check_elements(value: Any, dtype: DType) -> None:
    base = dtype.base_dtype
    accepted = next((kinds for test, kinds in _ACCEPTS if test(base)), None)
    if accepted is None:
        return
    wrong = _first_mismatch(value, accepted, reject_bool=not base.is_bool)
    if wrong is not _FINE:
        raise TypeError(f"Expected {base.name}, got {wrong!r} of type '{type(wrong).__name__}' instead.")


_FINE = object()


def _first_mismatch(value: Any, accepted: Any, reject_bool: bool) -> Any:
    if isinstance(value, list | tuple):
        for v in value:
            found = _first_mismatch(v, accepted, reject_bool)
            if found is not _FINE:
                return found
        return _FINE
    if isinstance(value, np.ndarray):
        return _FINE
    if isinstance(value, bool) and reject_bool:
        return value
    return _FINE if isinstance(value, accepted) or hasattr(value, "__array__") else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "..."


# -- values to tensors

Conversion = Callable[..., Any]
_registry: list[tuple[int, Any, Conversion]] = []
_cache: dict[type, list[Conversion]] = {}


def register_tensor_conversion_function(base_type: Any, conversion_func: Conversion, priority: int = 100) -> None:
    """Convert values of `base_type` with `conversion_func(value, dtype, name, as_ref)`; lower priorities are asked first.

    A function may return NotImplemented to pass. Raises TypeError for arguments of other kinds.
    """
    bases = base_type if isinstance(base_type, tuple) else (base_type,)
    if not all(isinstance(b, type) for b in bases):
        raise TypeError("base_type must be a type or a tuple of types.")
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable.")
    _registry.append((priority, base_type, conversion_func))
    _registry.sort(key=lambda entry: entry[0])
    _cache.clear()


def _functions_for(kind: type) -> list[Conversion]:
    found = _cache.get(kind)
    if found is None:
        found = _cache[kind] = [f for _, base, f in _registry if issubclass(kind, base)]
    return found


def to_tensor(
    value: Any, dtype: Any = None, name: str | None = None, *, preferred: DType | None = None, as_ref: bool = False
) -> Tensor:
    """`value` as a Tensor of the default graph; see `convert_to_tensor`."""
    if isinstance(value, Tensor):
        if dtype is not None and not dtype.is_compatible_with(value.dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {value.dtype.name}: {str(value)!r}"
            )
        return value
    for f in _functions_for(type(value)):
        found = NotImplemented
        if dtype is None and preferred is not None:
            try:
                found = f(value, dtype=preferred, name=name, as_ref=as_ref)
            except (TypeError, ValueError):
                found = NotImplemented
            if found is not NotImplemented and found.dtype.base_dtype != preferred.base_dtype:
                raise TypeError(
                    f"convert_to_tensor did not convert to the preferred dtype: {found.dtype.base_dtype.name} vs {preferred.name}"
                )
        if found is NotImplemented:
            found = f(value, dtype=dtype, name=name, as_ref=as_ref)
        if found is NotImplemented:
            continue
        if dtype and not dtype.is_compatible_with(found.dtype):
            raise RuntimeError(
                f"{name or ''}: Conversion function {f!r} for type {type(value)} returned incompatible dtype: "
                f"requested = {dtype.name}, actual = {found.dtype.name}"
            )
        return found
    raise TypeError(f"Cannot convert {value!r} with type {type(value)} to Tensor: no conversion function registered.")


def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    dtype_hint: Any = None,
    as_ref: bool = False,
) -> Tensor:
    """`value` (a number, a list, an array, a variable, a tensor ...) as a Tensor.

    `preferred_dtype` is used where it fits and nothing else says. `as_ref`, which until 1.0 was the fourth argument, gives the
    reference of a variable. Raises TypeError where there is no way to convert, ValueError where the value's dtype is not `dtype`.
    """
    if isinstance(preferred_dtype, bool):
        preferred_dtype, as_ref = dtype_hint, preferred_dtype
    if as_ref and hasattr(value, "_ref"):
        return value._ref()
    preferred = dtype_hint if preferred_dtype is None else preferred_dtype
    return to_tensor(
        value,
        None if dtype is None else dtypes.as_dtype(dtype),
        name,
        preferred=None if preferred is None else dtypes.as_dtype(preferred),
    )


def convert_n_to_tensor(values: Sequence[Any], dtype: Any = None, name: str | None = None) -> list[Tensor]:
    """Each of `values` as a Tensor."""
    return [convert_to_tensor(v, dtype, None if name is None else f"{name}_{i}") for i, v in enumerate(values)]


def graph_of(values: Sequence[Any], graph: Graph | None = None) -> Graph:
    """The graph that all tensors among `values` belong to (the default one if there are none).

    Raises ValueError where they belong to different graphs.
    """
    current = get_default_graph()
    if graph is not None:
        current = graph
    if current.building_function:
        return current
    found: Graph | None = graph
    for v in values:
        v = getattr(v, "graph", v) if not isinstance(v, Tensor) else v.op.graph
        if not isinstance(v, Graph):
            continue
        if found is None:
            found = v
        elif v is not found:
            if found is graph:
                raise ValueError("A tensor is not from the passed-in graph.")
            raise ValueError(
                "A tensor must be from the same graph as the others: two of the inputs belong to different graphs."
            )
    return found if found is not None else current
