"""What the tests of kernels share: an op's lowering for the CPU called by itself, images, and how near results are to be."""

import numpy as np

from thalweg._src.core import apply


def lowered(opdef, *args, **how):
    """The lowering of `opdef` for the CPU on `args`, with the attrs `how` and otherwise their defaults."""
    kwargs = {name: how.get(name, opdef.attrs[name].default) for name in opdef.attrs if name != "T"}
    return apply.call(opdef, kwargs, args, platform="cpu")


def normal(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def near(found, expected):
    size = np.abs(expected).max() + 1e-6
    np.testing.assert_allclose(np.asarray(found) / size, expected / size, atol=2e-5)
