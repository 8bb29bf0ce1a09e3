"""Images read at any places, by bilinear interpolation."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math


def resampler(data: Any, warp: Any, name: str = "resampler") -> Any:
    """[batch, height, width, channels] at the places `warp` [batch, ..., 2] of (x, y): [batch, ..., channels].

    Around the image lies a border of zeros, into which values run out. ValueError for other shapes. Gradients go to both.
    """
    with name_scope(name, "resampler", [data, warp]):
        data, warp = to_tensor(data, name="data"), to_tensor(warp, name="warp")
        if data.get_shape().ndims != 4 or warp.get_shape().as_list()[-1] != 2:
            raise ValueError(
                f"resampler: data of shape [batch, height, width, channels] and warp of shape [batch, ..., 2] are wanted; got "
                f"{data.get_shape()} and {warp.get_shape()}"
            )
        shape = array.shape(data)
        padded = array.pad(data, [[0, 0], [1, 1], [1, 1], [0, 0]])
        places = array.reshape(warp, [shape[0], -1, 2])
        x, y = places[..., 0], places[..., 1]
        left, top = math.floor(x), math.floor(y)
        right_share, low_share = x - left, y - top

        def pixel(dx: int, dy: int) -> Any:
            """The pixels beside the places; those further outside than the border are in it."""
            column, row = (
                math.minimum(math.maximum(math.cast(p, dtypes.int32) + 1 + d, 0), most + 1)
                for p, d, most in ((left, dx, shape[2]), (top, dy, shape[1]))
            )
            image = math.range(shape[0])[:, None] + array.zeros_like(column)
            return array.gather_nd(padded, array.stack([image, row, column], -1))

        shares = {0: (1.0 - right_share, 1.0 - low_share), 1: (right_share, low_share)}
        parts = [pixel(dx, dy) * array.expand_dims(shares[dx][0] * shares[dy][1], -1) for dx in (0, 1) for dy in (0, 1)]
        found = array.reshape(math.add_n(parts), array.concat([array.shape(warp)[:-1], shape[3:]], 0))
        found.set_shape(warp.get_shape()[:-1].concatenate(data.get_shape()[3:]))
        return found
