"""What the axes of pictures are called: numbers and sizes of axes, brought from one order of axes into another."""

from typing import Any

import numpy as np

from thalweg._src.core.apply import xp
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import op, type_attr

T = type_attr("T", (int32, int64), int32)


@op("DataFormatDimMap", numpy_only=True)
def data_format_dim_map(x: T, *, src_format: str = "NHWC", dst_format: str = "NCHW") -> T:
    """The numbers that axes of `src_format` have in `dst_format`; negative ones count from the end."""
    for which, order in (("Source", src_format), ("Destination", dst_format)):
        if len(order) != 4:
            raise invalid(f"{which} format must of length 4, received {which[:3].lower()}_format = {order}")
    places = np.array([dst_format.index(c) for c in src_format], np.int32).astype(x.dtype)
    return xp(x).take(places, x % 4, mode="clip")


@op("DataFormatVecPermute", numpy_only=True)
def data_format_vec_permute(x: T, *, src_format: str = "NHWC", dst_format: str = "NCHW") -> T:
    """A value for each axis, [4] or [4, 2] for pairs, in the order of `dst_format`."""
    _check_axes(x)
    return x[np.array([src_format.index(c) for c in dst_format])]


def _check_axes(x: Any) -> None:
    if x.ndim not in (1, 2):
        raise invalid(f"input must be a vector or 2D tensor, but got shape {list(x.shape)}")
    if x.shape[0] != 4:
        which = "1D input must be" if x.ndim == 1 else "First dimension of 2D input must be"
        raise invalid(f"{which} of size 4, but got shape {list(x.shape)}")
    if x.ndim == 2 and x.shape[1] != 2:
        raise invalid(f"Second dimension of 2D input must be of size 2, but got shape {list(x.shape)}")


for _format in (data_format_dim_map, data_format_vec_permute):
    _format.shape_rule(lambda op: [op.inputs[0].dims])
    _format.not_differentiable()
