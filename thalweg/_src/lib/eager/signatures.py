"""What a traced function was called with: its tensors, and a key for everything else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.ops.control import composites
from thalweg._src.ops.stateful.variables import Variable


class Leaf:
    """A tensor of an argument: its value (None where only a spec was given), and what a trace knows of it."""

    __slots__ = ("dims", "dtype", "value")

    def __init__(self, value: Tensor | None, dtype: Any, dims: Any):
        self.value, self.dtype, self.dims = value, dtype, dims


class Call:
    """Arguments, taken apart."""

    def __init__(self, args: Sequence[Any], kwargs: dict[str, Any], specs: Sequence[Any] | None, names: Sequence[str]):
        self.structure = (list(args), dict(sorted(kwargs.items())))
        self.tensors: list[Leaf] = []
        self.names: list[str] = []
        self._leaves: list[Any] = []
        key: list[Any] = []
        flat_specs = None if specs is None else list(nest.flatten(list(specs)))
        label = [names[i] if i < len(names) else f"arg{i}" for i, a in enumerate(args) for _ in _leaves(a)]
        label += [k for k, a in sorted(kwargs.items()) for _ in _leaves(a)]
        flat = [x for a in (*args, *[v for _, v in sorted(kwargs.items())]) for x in _leaves(a)]
        for i, x in enumerate(flat):
            spec = flat_specs[i] if flat_specs is not None and i < len(flat_specs) else None
            key.append(self._take(x, spec, label[i]))
        self.key = (_shape_of(self.structure), tuple(key))

    def _take(self, x: Any, spec: Any, name: str) -> Any:
        if isinstance(x, Variable):
            self._leaves.append(x)
            return ("variable", id(x))
        if isinstance(x, TensorSpec):
            return self._tensor(None, x.dtype, x.shape._dims, name)
        if isinstance(x, np.ndarray | np.generic) or spec is not None:
            x = to_tensor(x) if spec is None else to_tensor(x, spec.dtype)
        if isinstance(x, Tensor):
            if spec is not None and not spec.is_compatible_with(x):
                raise ValueError(
                    f"Python inputs incompatible with input_signature: inputs ({x}), input_signature ({spec})"
                )
            return self._tensor(x, x.dtype.base_dtype, x._dims if spec is None else spec.shape._dims, name)
        if hasattr(x, "_components") or hasattr(x, "flow"):
            parts = composites.parts_of(x)
            self._leaves.append(_Composite(x, len(parts)))
            return (type(x).__name__, tuple(self._add(t, t.dtype.base_dtype, t._dims, name) for t in parts))
        self._leaves.append(_Python(x))
        try:
            hash(x)
        except TypeError:
            return ("object", id(x))
        return ("python", type(x).__name__, x)

    def _tensor(self, value: Tensor | None, dtype: Any, dims: Any, name: str) -> Any:
        self._leaves.append(None)
        return self._add(value, dtype, dims, name)

    def _add(self, value: Tensor | None, dtype: Any, dims: Any, name: str) -> Any:
        self.tensors.append(Leaf(value, dtype, dims))
        self.names.append(name)
        return (dtype, dims)

    def values(self) -> list[Tensor]:
        """The tensors. Raises ValueError where only specs were given."""
        if any(leaf.value is None for leaf in self.tensors):
            raise ValueError("A TensorSpec is not a value to call a function with")
        return [leaf.value for leaf in self.tensors]  # type: ignore[misc]

    def rebuilt(self, tensors: Sequence[Tensor]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments, with `tensors` in the place of their tensors."""
        given = iter(tensors)
        leaves: list[Any] = []
        for leaf in self._leaves:
            if leaf is None:
                leaves.append(next(given))
            elif isinstance(leaf, _Composite):
                leaves.append(composites.with_parts(leaf.value, [next(given) for _ in range(leaf.count)]))
            else:
                leaves.append(leaf.value if isinstance(leaf, _Python) else leaf)
        left = iter(leaves)
        args = [_rebuilt(a, left) for a in self.structure[0]]
        return args, {k: _rebuilt(a, left) for k, a in self.structure[1].items()}


class _Composite:
    def __init__(self, value: Any, count: int):
        self.value, self.count = value, count


class _Python:
    def __init__(self, value: Any):
        self.value = value


def _leaves(value: Any) -> list[Any]:
    return list(nest.flatten(value)) if nest.is_nested(value) else [value]


def _rebuilt(value: Any, left: Any) -> Any:
    if not nest.is_nested(value):
        return next(left)
    return nest.pack(value, [next(left) for _ in nest.flatten(value)])


def _shape_of(value: Any) -> Any:
    """The nesting of a value, hashable."""
    if isinstance(value, dict):
        return ("dict", tuple((k, _shape_of(v)) for k, v in sorted(value.items(), key=lambda kv: str(kv[0]))))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(_shape_of(v) for v in value))
    return None


class Signature:
    """How a function is called: the names of its parameters, its defaults, and the specs that were asked for."""

    def __init__(self, function: Callable[..., Any], specs: Any):
        self.given = specs
        self.specs = None if specs is None else tuple(specs)
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):
            self._signature = None

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Call:
        """The call with these arguments; keywords that name positional parameters, and defaults, are put in their places."""
        names: list[str] = []
        if self._signature is not None:
            kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            parameters = [p for p in self._signature.parameters.values() if p.kind in kinds]
            names = [p.name for p in parameters]
            full, rest = list(args), dict(kwargs)
            for p in parameters[len(full) :]:
                if p.name in rest:
                    full.append(rest.pop(p.name))
                elif p.default is not p.empty and self.specs is None:
                    full.append(p.default)
                else:
                    break
            args, kwargs = full, rest
        return Call(args, kwargs, self.specs, names)
