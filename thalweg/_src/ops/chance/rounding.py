"""Products that are rounded before something is added to them, as TensorFlow's separate kernels do.

LLVM makes one instruction of a product and a sum, which rounds once: the numbers of `random_uniform` between two bounds would be others
than TensorFlow's, and others than NumPy's in the first runs. So the product of random numbers with a scale passes an exclusive or
with zero, which costs next to nothing; a zero, since the compiler must not know that it is one.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core import recipes
from thalweg._src.core.apply import xp
from thalweg._src.core.lazy import jax, jnp, lax


class Drawn(NamedTuple):
    """The recipe of random numbers: what they were drawn from."""

    state: Any


def drawn(numbers: Any, stream: Any) -> Any:
    """`numbers`, drawn from `stream`; their products will be rounded, where the machine may do without (`apart`)."""
    return (
        recipes.note(numbers, Drawn(stream.state)) if stream.apart and not isinstance(numbers, np.ndarray) else numbers
    )


def product(x: Any, y: Any) -> Any:
    """x * y, rounded if one of them was drawn and the other one is not a power of two, by which a product is exact."""
    result = xp(x, y).multiply(x, y)
    for numbers, scale in ((x, y), (y, x)):
        recipe = recipes.seen(numbers)
        if isinstance(recipe, Drawn) and not _is_power_of_two(scale):
            return _rounded(result, recipe.state)
    return result


def _is_power_of_two(scale: Any) -> bool:
    return isinstance(scale, np.ndarray) and scale.dtype.kind == "f" and bool(np.all(np.abs(np.frexp(scale)[0]) == 0.5))


def _rounded(x: Any, state: Any) -> Any:
    return _pinned()(x, _zero(state))


def _zero(state: Any) -> Any:
    # A conditional is a computation of its own, and a state behind a barrier is no constant, even if a program made it one.
    word = lax.optimization_barrier(state[2])
    return lax.cond((word & jnp.uint32(1)) < 2, lambda _: jnp.uint32(0), lambda w: w, word)


@functools.cache
def _pinned() -> Any:
    """(x, zero) -> x, whose derivative is that of x."""

    @jax.custom_jvp
    def pinned(x: Any, zero: Any) -> Any:
        bits = np.dtype(f"uint{8 * x.dtype.itemsize}")
        return lax.bitcast_convert_type(lax.bitcast_convert_type(x, bits) ^ zero.astype(bits), x.dtype)

    pinned.defjvp(lambda primals, tangents: (pinned(*primals), tangents[0]))
    return pinned
