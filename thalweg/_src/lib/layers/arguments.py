"""What layers accept for sizes, padding and data formats, and functions made of layer classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from thalweg._src.lib.layers.base import to_snake_case

_FORMATS = {"channels_last": ("NWC", "NHWC", "NDHWC"), "channels_first": ("NCW", "NCHW", "NCDHW")}


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """`n` integers from one or from `n`. Raises ValueError for anything else."""
    if isinstance(value, int):
        return (value,) * n
    wrong = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    try:
        values = tuple(value)
    except TypeError:
        raise ValueError(wrong) from None
    if len(values) != n:
        raise ValueError(wrong)
    for v in values:
        try:
            int(v)
        except (ValueError, TypeError):
            raise ValueError(f"{wrong} including element {v} of type {type(v)}") from None
    return values


def normalize_data_format(value: Any) -> str:
    """'channels_last' (the default) or 'channels_first'; ValueError for another one."""
    value = "channels_last" if value is None else value.lower()
    if value not in _FORMATS:
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return value


def normalize_padding(value: Any) -> Any:
    """'valid', 'same' or 'causal' in small letters, or a list of sizes; ValueError for another one."""
    if isinstance(value, list | tuple):
        return value
    value = value.lower()
    if value not in ("valid", "same", "causal"):
        raise ValueError(
            'The `padding` argument must be a list/tuple or one of "valid", "same" (or "causal", only for `Conv1D). '
            f"Received: {value}"
        )
    return value


def convert_data_format(data_format: str, ndim: int) -> str:
    """'channels_last' for tensors of rank 4 -> 'NHWC'."""
    if ndim not in (3, 4, 5):
        raise ValueError("Input rank not supported:", ndim)
    if data_format not in _FORMATS:
        raise ValueError("Invalid data_format:", data_format)
    return _FORMATS[data_format][ndim - 3]


def conv_output_length(length: int | None, window: int, padding: str, stride: int, dilation: int = 1) -> int | None:
    """How many places a window takes along one axis."""
    if length is None:
        return None
    if padding == "valid":
        length -= (window - 1) * dilation
    return (length + stride - 1) // stride


def deconv_output_length(
    length: Any, window: int, padding: str, output_padding: int | None = None, stride: int = 1, dilation: int = 1
) -> Any:
    """The length along one axis that a convolution brings down to `length` (an int, a tensor or None)."""
    if length is None:
        return None
    window += (window - 1) * (dilation - 1)
    if output_padding is not None:
        pad = window // 2 if padding == "same" else 0
        return (length - 1) * stride + window - 2 * pad + output_padding
    return length * stride if padding == "same" else length * stride + max(window - stride, 0)


def as_function(layer: type, doc: str, *, reuse: bool = True) -> Callable[..., Any]:
    """The function `f(inputs, the layer's own arguments, reuse)`: makes a layer, or with `reuse` meets one, and calls it."""
    own = list(inspect.signature(layer).parameters.values())[:-1]  # without **kwargs
    parameter = inspect.Parameter
    inputs = parameter("inputs", parameter.POSITIONAL_OR_KEYWORD)
    last = [parameter("reuse", parameter.POSITIONAL_OR_KEYWORD, default=None)] if reuse else []
    signature = inspect.Signature([inputs, *own, *last])

    def function(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        inputs = given.pop("inputs")
        if reuse:
            given["_reuse"], given["_scope"] = given.pop("reuse", None), given.get("name")
        return layer(**given)(inputs)

    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__doc__ = doc
    function.__name__ = function.__qualname__ = to_snake_case(layer.__name__)
    return function
