"""A Python function on nested structures of arrays, as an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core.shapes import as_shape
from thalweg._src.lib import nesting
from thalweg._src.ops.control.py_func import py_func as plain


def py_func(
    func: Callable[..., Any],
    args: Any = (),
    kwargs: Any = None,
    output_types: Any = None,
    output_shapes: Any = None,
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """`func(*args, **kwargs)` on arrays, in the structure of `output_types`.

    `output_types` and `output_shapes` may be functions of the same arguments that give them. Raises TypeError for arguments
    that are no list or no dict.
    """
    kwargs = {} if kwargs is None else kwargs
    if not isinstance(args, list | tuple):
        raise TypeError(f"args must be list and not {type(args)}. args: {args}")
    if not isinstance(kwargs, dict):
        raise TypeError(f"kwargs must be dict and not {type(kwargs)}. args: {kwargs}")
    types = output_types(*args, **kwargs) if _is_function(output_types) else output_types
    shapes = output_shapes(*args, **kwargs) if _is_function(output_shapes) else output_shapes
    given = (args, kwargs)

    def on_arrays(*arrays: Any) -> Any:
        args, kwargs = nesting.pack_sequence_as(given, arrays)
        result = func(*args, **kwargs)
        nesting.assert_shallow_structure(types, result)
        return nesting.flatten(result)

    values = plain(on_arrays, nesting.flatten(given), nesting.flatten(types), stateful=stateful, name=name)
    if shapes is not None:
        known = nesting.flatten(nesting.map_structure_up_to(types, as_shape, shapes))
        for value, shape in zip(values, known, strict=True):
            value.set_shape(shape)
    return nesting.pack_sequence_as(types, values)


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type)
