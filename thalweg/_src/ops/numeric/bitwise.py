"""Logic on the bits of integers."""

from typing import Any

import numpy as np

from thalweg._src.core.apply import xp
from thalweg._src.core.dtypes import INTEGERS, uint8
from thalweg._src.core.lazy import lax
from thalweg._src.core.opdef import op, type_attr
from thalweg._src.ops.arrays.broadcasting import broadcast_rule
from thalweg._src.ops.numeric.elementwise import same_shape

I = type_attr("T", INTEGERS)


@op("BitwiseAnd")
def bitwise_and(x: I, y: I) -> I:
    """The bits that are set in both."""
    return xp(x, y).bitwise_and(x, y)


@op("BitwiseOr")
def bitwise_or(x: I, y: I) -> I:
    """The bits that are set in one of them, or both."""
    return xp(x, y).bitwise_or(x, y)


@op("BitwiseXor")
def bitwise_xor(x: I, y: I) -> I:
    """The bits that are set in exactly one of them."""
    return xp(x, y).bitwise_xor(x, y)


@op("LeftShift")
def left_shift(x: I, y: I) -> I:
    """The bits of `x` moved up by `y`; counts outside of the width are taken as its ends."""
    m = xp(x, y)
    return m.left_shift(x, _within(m, x, y))


@op("RightShift")
def right_shift(x: I, y: I) -> I:
    """The bits of `x` moved down by `y`; negative numbers keep their sign."""
    m = xp(x, y)
    return m.right_shift(x, _within(m, x, y))


def _within(m: Any, x: Any, y: Any) -> Any:
    return m.clip(y, 0, x.dtype.itemsize * 8 - 1).astype(x.dtype)


@op("Invert")
def invert(x: I) -> I:
    """All bits turned."""
    return xp(x).invert(x)


@op("PopulationCount")
def population_count(x: I) -> uint8:
    """How many bits are set."""
    return lax.population_count(np.asarray(x) if xp(x) is np else x)


for _f in (bitwise_and, bitwise_or, bitwise_xor, left_shift, right_shift):
    _f.shape_rule(broadcast_rule)
for _f in (invert, population_count):
    _f.shape_rule(same_shape)
for _f in (bitwise_and, bitwise_or, bitwise_xor, left_shift, right_shift, invert, population_count):
    _f.not_differentiable()
