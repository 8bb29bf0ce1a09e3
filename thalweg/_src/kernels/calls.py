"""Calls of the kernels from lowerings: what they take, what XLA is told, and the derivatives, which are those of the plain lowerings."""

import numpy as np

from thalweg._src.core.apply import kernels_allowed
from thalweg._src.core.lazy import jax
from thalweg._src.kernels import library


def takes(*arrays):
    """Whether kernels may be called here, and take these arrays: float32, of which one at least is not known before."""
    return (
        kernels_allowed()
        and all(a.dtype == np.float32 for a in arrays)
        and any(isinstance(a, jax.Array) for a in arrays)
        and library.available()
    )


def called(target, shape, *arrays, lists=None, **more):
    """The result of the kernel `target`, float32 of `shape`. `lists` holds attributes that are lists of whole numbers."""
    call = jax.ffi.ffi_call(target, jax.ShapeDtypeStruct(tuple(shape), np.float32), vmap_method="sequential")
    return call(*arrays, **{name: np.array(values, np.int64) for name, values in (lists or {}).items()}, **more)


def derived(kernel, plainly):
    """`kernel`, whose derivatives are those of `plainly`, which computes the same."""
    call = jax.custom_jvp(kernel)
    call.defjvp(lambda values, tangents: (call(*values), jax.jvp(plainly, values, tangents)[1]))
    return call
