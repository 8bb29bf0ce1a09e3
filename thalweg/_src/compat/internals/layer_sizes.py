"""tensorflow.python.layers.utils: sizes and formats of layers, and conditionals that are decided at once where they can be."""

from collections.abc import Callable
from typing import Any

from thalweg._src.core.infer import get_static_value
from thalweg._src.ops.control.control_flow import cond


def convert_data_format(data_format: str, ndim: int) -> str:
    """'channels_last' or 'channels_first' as the ops say it: NHWC. Raises ValueError."""
    letters = {3: "W", 4: "HW", 5: "DHW"}.get(ndim)
    if letters is None:
        raise ValueError(f"Input rank not supported: {ndim}")
    if data_format == "channels_last":
        return f"N{letters}C"
    if data_format == "channels_first":
        return f"NC{letters}"
    raise ValueError(f"Invalid data_format: {data_format}")


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """An int, or `n` of them, as a tuple of `n` ints. Raises ValueError."""
    if isinstance(value, int):
        return (value,) * n
    try:
        values = tuple(int(v) for v in value)
    except (TypeError, ValueError):
        values = ()
    if len(values) != n:
        raise ValueError(f"The `{name}` argument must be a tuple of {n} integers. Received: {value}")
    return values


def normalize_data_format(value: str) -> str:
    """In small letters. Raises ValueError for what is no format."""
    if value.lower() not in ("channels_first", "channels_last"):
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return value.lower()


def normalize_padding(value: str) -> str:
    """In small letters. Raises ValueError for what is no padding."""
    if value.lower() not in ("valid", "same"):
        raise ValueError(f'The `padding` argument must be one of "valid", "same". Received: {value}')
    return value.lower()


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """How many windows fit into a length; None where it is unknown."""
    if input_length is None:
        return None
    reach = filter_size + (filter_size - 1) * (dilation - 1)
    room = {"same": input_length, "valid": input_length - reach + 1, "full": input_length + reach - 1}[padding]
    return (room + stride - 1) // stride


def deconv_output_length(input_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """The length that a convolution makes `input_length` of; None where it is unknown."""
    if input_length is None:
        return None
    length = input_length * stride
    if padding == "valid":
        length += max(filter_size - stride, 0)
    elif padding == "full":
        length -= stride + filter_size - 2
    return length


def constant_value(pred: Any) -> bool | None:
    """The value of a condition where it is known at once, else None."""
    if isinstance(pred, bool):
        return pred
    if isinstance(pred, int) and pred in (0, 1):
        return bool(pred)
    value = get_static_value(pred)
    return None if value is None or not hasattr(value, "item") else bool(value)


def smart_cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str | None = None) -> Any:
    """tf.cond, decided at once where the condition is known."""
    known = constant_value(pred)
    if known is None:
        return cond(pred, true_fn=true_fn, false_fn=false_fn, name=name)
    return true_fn() if known else false_fn()


smart_constant_value = constant_value
