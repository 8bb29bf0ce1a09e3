"""tensorflow.python.framework.function: functions whose arguments have types, `@function.Defun(tf.float32)`.

A call is traced in the place where it stands, under the function's name; there is no node that calls.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from thalweg._src.core import dtypes, nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops import basic
from thalweg._src.ops.derivatives.custom_gradient import custom_gradient

__all__ = ["Defun"]


class Call(NamedTuple):
    """What a gradient function sees of a call."""

    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


class DefinedFunction:
    """A function of tensors of `types`. Calling it gives its outputs as its Python function does."""

    def __init__(self, function: Callable[..., Any], types: tuple[Any, ...], **options: Any):
        functools.update_wrapper(self, function)
        self._function, self._options = function, options
        self.declared_input_types = tuple(dtypes.as_dtype(t).base_dtype for t in types)
        self.name = options.get("func_name") or function.__name__

    def __call__(self, *args: Any, name: str | None = None) -> Any:
        types = self.declared_input_types or (None,) * len(args)
        if len(args) != len(types):
            raise ValueError(f"Expected number of arguments: {len(types)}, received: {len(args)}")
        with name_scope(name, self.name):
            inputs = [to_tensor(a, t) for a, t in zip(args, types, strict=True)]
            gradient = self._options.get("python_grad_func") or self._options.get("grad_func")
            if gradient is None:
                return self._results(self._function(*inputs))
            return self._with_gradient(inputs, gradient)

    def _with_gradient(self, inputs: list[Any], gradient: Callable[..., Any]) -> Any:
        by_call = "python_grad_func" in self._options

        @custom_gradient
        def call(*xs: Any) -> Any:
            ys = self._results(self._function(*xs))
            outputs = tuple(nest.flatten(ys))

            def back(*gs: Any) -> Any:
                return gradient(Call(xs, outputs), *gs) if by_call else gradient(*xs, *gs)

            return ys, back

        return call(*inputs)

    def _results(self, results: Any) -> Any:
        """What a call gives: the operation of a function without outputs, the one output, or a list."""
        if results is None:
            return basic.no_op()
        if isinstance(results, Operation):
            return results
        flat = [to_tensor(r) for r in nest.flatten(results)]
        return flat[0] if len(flat) == 1 else flat


class Defun:
    """The decorator. `python_grad_func(op, *gradients)` or `grad_func(*inputs, *gradients)` is its gradient if given."""

    def __init__(self, *input_types: Any, **kwargs: Any):
        known = (
            "func_name grad_func python_grad_func out_names shape_func noinline compiled separate_compiled_gradients"
        )
        known += " _implements _reference"
        for name in kwargs:
            if name not in known.split() and not name.startswith("experimental_"):
                raise TypeError(f"Defun got an unexpected keyword argument {name!r}")
        self._types, self._options = input_types, {k: v for k, v in kwargs.items() if v is not None}

    def __call__(self, func: Callable[..., Any]) -> DefinedFunction:
        return DefinedFunction(func, self._types, **self._options)
