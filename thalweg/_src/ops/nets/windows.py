"""Windows that slide over images: where the axes are, how many windows fit, and how much padding each side gets."""

from collections.abc import Sequence
from typing import Any

from thalweg._src.core import shapes
from thalweg._src.core.shapes import Dims


def spatial_axes(data_format: str) -> list[int]:
    """The axes of the letters between batch and channels: NHWC -> [1, 2], NCDHW -> [2, 3, 4]."""
    return [i for i, letter in enumerate(data_format) if letter not in "NC"]


def channel_axis(data_format: str) -> int:
    return data_format.index("C")


def spatial(values: Sequence[Any], data_format: str) -> list[Any]:
    """The entries of `values`, one per axis, that belong to the spatial axes."""
    return [values[i] for i in spatial_axes(data_format)]


def spatial_pads(paddings: Sequence[int], data_format: str) -> list[tuple[int, int]]:
    """Pairs (before, after) of the spatial axes, from the flat list of EXPLICIT padding; zeros where it is empty."""
    axes = spatial_axes(data_format)
    if not paddings:
        return [(0, 0)] * len(axes)
    return [(paddings[2 * i], paddings[2 * i + 1]) for i in axes]


def output_size(
    size: int, window: int, stride: int, padding: str, dilation: int = 1, explicit: tuple[int, int] = (0, 0)
) -> int:
    """How many windows fit into `size`. Raises ValueError where a window is larger by a whole stride."""
    if stride <= 0:
        raise ValueError(f"Stride must be > 0, but got {stride}")
    if dilation < 1:
        raise ValueError(f"Dilation rate must be >= 1, but got {dilation}")
    if padding == "SAME":
        return -(-size // stride)
    reach = (window - 1) * dilation + 1
    room = size + sum(explicit) - reach + stride
    if room <= -stride:
        raise ValueError(
            f"Computed output size would be negative: {-(-room // stride)} [input_size: {size}, "
            f"effective_filter_size: {reach}, stride: {stride}]"
        )
    return max(room, 0) // stride


def static_output_size(
    size: int | None,
    window: int | None,
    stride: int,
    padding: str,
    dilation: int = 1,
    explicit: tuple[int, int] = (0, 0),
) -> int | None:
    """`output_size` of sizes that may be unknown. Raises ValueError where no window fits, which a run would allow."""
    if size is None or (window is None and padding != "SAME"):
        return None
    count = output_size(size, window or 1, stride, padding, dilation, explicit)
    reach = ((window or 1) - 1) * dilation + 1
    if padding != "SAME" and reach > size + sum(explicit):
        raise ValueError(f"Negative dimension size caused by subtracting {reach} from {size + sum(explicit)}")
    return count


def pad_of(
    size: int, window: int, stride: int, padding: str, dilation: int = 1, explicit: tuple[int, int] = (0, 0)
) -> tuple[int, int]:
    """The padding (before, after) of one axis. SAME gives the odd one to the end."""
    if padding == "EXPLICIT":
        return explicit
    if padding == "VALID":
        return 0, 0
    needed = max(0, (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size)
    return needed // 2, needed - needed // 2


def arrange(batch: Any, sizes: Sequence[Any], channels: Any, data_format: str) -> tuple[Any, ...]:
    """Batch, spatial sizes and channels in the order of `data_format`."""
    return (batch, channels, *sizes) if data_format.startswith("NC") else (batch, *sizes, channels)


def need_rank(op: Any, dims: Dims, rank: int) -> None:
    """Raise ValueError where `dims` are known and of another rank."""
    if dims is not None and len(dims) != rank:
        raise ValueError(
            f"Shape must be rank {rank} but is rank {len(dims)} for '{op.name}' (op: '{op.type}') "
            f"with input shapes: {', '.join(shapes.text(t.dims) for t in op.inputs)}."
        )


def need_length(op: Any, attr: str, length: int) -> None:
    """Raise ValueError where the attr does not hold one entry per axis."""
    if len(op.attrs[attr]) != length:
        raise ValueError(
            f"{op.type} requires the {attr} attribute to contain {length} values, but got: {len(op.attrs[attr])}"
        )


def per_axis(value: Any, n: int, data_format: str | None, name: str) -> list[Any]:
    """A number, or a list of 1, n or n + 2 numbers, as n + 2 numbers in the order of `data_format`.

    Raises ValueError for lists of another length.
    """
    if value is None:
        value = [1]
    elif not hasattr(value, "__len__"):
        value = [value]
    if len(value) == n + 2:
        return list(value)
    if len(value) not in (1, n):
        raise ValueError(f"{name} should be of length 1, {n} or {n + 2} but was {len(value)}")
    value = list(value) * (n if len(value) == 1 else 1)
    return arrange_list(value, data_format)


def arrange_list(value: list[Any], data_format: str | None) -> list[Any]:
    return [1, 1, *value] if data_format is not None and data_format.startswith("NC") else [1, *value, 1]


def explicit_padding(padding: Any) -> tuple[Any, list[int]]:
    """(padding, explicit_paddings) as the ops take them, from a word or a list of four pairs, else ValueError."""
    if padding == "EXPLICIT":
        raise ValueError(
            '"EXPLICIT" is not a valid value for the padding parameter. To use explicit padding, the padding parameter '
            "must be a list of pairs."
        )
    if not isinstance(padding, list | tuple):
        return padding, []
    flat: list[int] = []
    for i, pair in enumerate(padding):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"When padding is a list, each element must be a list of size 2: element {i} is {pair!r}")
        flat.extend(pair)
    if len(padding) != 4:
        raise ValueError(f"When padding is a list, it must be of size 4. Got padding list of size: {len(padding)}")
    return "EXPLICIT", flat
